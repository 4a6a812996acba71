// Many leases, kept by few threads, at a store elsewhere that does not answer
// for some of them.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/support/server_callback.h"
#include "gtest/gtest.h"

#include "clients/cpp/remote_store.h"
#include "common/testing/in_process_server.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "kinora/v1/lease.grpc.pb.h"
#include "services/runner/actor/lease_keeper.h"
#include "services/runner/runner.h"

namespace kinora {
namespace {

// Of a test machine that is busy with others.
constexpr absl::Duration kTtl = absl::Seconds(6);
constexpr absl::Duration kPatience = absl::Seconds(60);

// Renews whatever it is asked for, but answers no call for a lease whose name
// begins with "silent".
class SilentLeases final : public v1::LeaseService::CallbackService {
 public:
  grpc::ServerUnaryReactor* RenewLease(grpc::CallbackServerContext* context,
                                       const v1::RenewLeaseRequest* request,
                                       v1::RenewLeaseResponse*) override {
    const std::string& lease = request->token().lease_id();
    {
      MutexLock lock(mu_);
      ++asked_[lease];
      changed_.SignalAll();
    }
    if (lease.rfind("silent", 0) == 0) return new Unanswered;
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  // False if it takes longer than a test should.
  bool WaitUntilAsked(const std::string& lease, int times) {
    const int64_t deadline = DeadlineAfter(RealClock(), kPatience);
    MutexLock lock(mu_);
    while (asked_[lease] < times) {
      if (!changed_.WaitUntil(mu_, deadline)) return asked_[lease] >= times;
    }
    return true;
  }

 private:
  class Unanswered final : public grpc::ServerUnaryReactor {
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }
  };

  Mutex mu_;
  CondVar changed_;
  std::map<std::string, int> asked_ ABSL_GUARDED_BY(mu_);
};

class LeaseRenewalsTest : public testing::Test {
 protected:
  ~LeaseRenewalsTest() override {
    for (const auto& keeper : keepers_) keeper->Stop();
  }

  void Keep(const std::string& lease) {
    v1::LeaseToken token;
    token.set_lease_id(lease);
    token.set_fencing_token(1);
    keepers_.push_back(
        LeaseKeeper::Start(remote_.store().leases, executor_, watchdog_,
                           RealClock(), std::move(token), kTtl, [this, lease] {
                             MutexLock lock(mu_);
                             lost_.insert(lease);
                           }));
  }
  std::set<std::string> lost() {
    MutexLock lock(mu_);
    return lost_;
  }

  SilentLeases service_;
  InProcessServer server_{{{v1::LeaseService::service_full_name(), &service_}}};
  RemoteStore remote_{server_.Channel(Transport::kTcp)};
  Mutex mu_;
  std::set<std::string> lost_ ABSL_GUARDED_BY(mu_);
  ThreadPool watchdog_{"watchdog", 1};
  ThreadPool executor_{"leases", kRenewalThreads};
  std::vector<std::shared_ptr<LeaseKeeper>> keepers_;
};

// More renewals hang than there are threads. Four in a row are a period and a
// third.
TEST_F(LeaseRenewalsTest, RenewalsThatHangKeepNoOtherLeaseFromBeingRenewed) {
  for (int i = 0; i < 4 * kRenewalThreads; ++i) {
    Keep(absl::StrCat("silent-", i));
  }
  std::vector<std::string> others;
  for (int i = 0; i < 200; ++i) others.push_back(absl::StrCat("other-", i));
  for (const std::string& lease : others) Keep(lease);
  for (const std::string& lease : others) {
    ASSERT_TRUE(service_.WaitUntilAsked(lease, 4)) << lease;
  }
  for (const std::string& lease : lost()) {
    EXPECT_EQ(lease.rfind("silent", 0), size_t{0}) << lease;
  }
}

// The answer to one was lost on its way: the lease has time for another.
TEST_F(LeaseRenewalsTest, ARenewalThatIsNotAnsweredIsMadeAgainBeforeTheEnd) {
  Keep("silent");
  ASSERT_TRUE(service_.WaitUntilAsked("silent", 2));
  EXPECT_EQ(lost(), std::set<std::string>());
}

}  // namespace
}  // namespace kinora
