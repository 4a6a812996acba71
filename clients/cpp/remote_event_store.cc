#include "clients/cpp/remote_event_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/support/client_callback.h"

#include "clients/cpp/client_stream.h"
#include "common/random.h"
#include "common/status.h"
#include "common/threads/mutex.h"

namespace kinora {
namespace {

// Events in a page if the caller leaves it open: what a reader can hold.
constexpr int64_t kDefaultPageEvents = 1000;

// Larger appends gain nothing by sharing a message, and would hold up the
// others in it.
constexpr size_t kMaxSharedBytes = 64 << 10;

// Of one caller they gain a sync, and whoever is held up is the caller. Beside
// the way of still larger ones a sync is little, and a server that takes no
// larger messages ends the stream for all who append.
constexpr size_t kMaxJointBytes = 1 << 20;

// Long enough to cost nothing, short enough that a forgotten waiter ends.
constexpr absl::Duration kWaiterTimeout = absl::Minutes(10);

// A stream that is sent more events in a message ends, with the appends of
// whoever has some under way.
bool MayShare(const v1::AppendEventsRequest& request, size_t max_bytes) {
  return request.ByteSizeLong() <= max_bytes &&
         request.events_size() <= kMaxEventsPerAppend;
}

// With a request id, so that it may be sent again.
void Name(v1::AppendEventsRequest* request) {
  if (!request->request_id().empty()) return;
  request->set_request_id(absl::StrCat(absl::Hex(SystemRandom().Next()),
                                       absl::Hex(SystemRandom().Next())));
}

}  // namespace

// The waiters by id, and those that have not ended yet.
struct RemoteEventStore::Waiters {
  Mutex mu;
  CondVar ended_cv;
  WaiterId next_id ABSL_GUARDED_BY(mu) = 1;
  absl::flat_hash_map<WaiterId, std::shared_ptr<Waiter>> by_id
      ABSL_GUARDED_BY(mu);
  int running ABSL_GUARDED_BY(mu) = 0;

  std::shared_ptr<Waiter> Find(WaiterId id) {
    MutexLock lock(mu);
    const auto found = by_id.find(id);
    return found == by_id.end() ? nullptr : found->second;
  }
  void Remove(WaiterId id) {
    std::shared_ptr<Waiter> removed;  // destroyed without the lock
    MutexLock lock(mu);
    const auto found = by_id.find(id);
    if (found == by_id.end()) return;
    removed = std::move(found->second);
    by_id.erase(found);
  }
  void Ended() {
    MutexLock lock(mu);
    if (--running == 0) ended_cv.SignalAll();
  }
};

// States: 1. reading, past heartbeats; 2. an event, or the end of the call,
// calls back once; 3. the call is cancelled and OnDone drops the waiter.
class RemoteEventStore::Waiter final
    : public grpc::ClientReadReactor<v1::ReadEventsResponse> {
 public:
  Waiter(std::shared_ptr<Waiters> waiters, WaiterId id,
         absl::AnyInvocable<void()> callback)
      : waiters_(std::move(waiters)), id_(id), callback_(std::move(callback)) {}

  void Start(Stub& stub, const v1::LogName& log, int64_t after,
             std::shared_ptr<Waiter> self) {
    self_ = std::move(self);
    *request_.mutable_log() = log;
    request_.set_after_sequence(after);
    request_.set_follow(true);
    request_.set_limit(1);
    context_.set_wait_for_ready(true);
    SetTimeout(context_, kWaiterTimeout);
    stub.async()->ReadEvents(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

  // Afterwards the callback has finished or will never run.
  void Cancel() {
    {
      MutexLock lock(mu_);
      called_ = true;
      while (calling_) idle_cv_.Wait(mu_);
    }
    context_.TryCancel();
  }

 private:
  void CallBack() {
    absl::AnyInvocable<void()> callback;
    {
      MutexLock lock(mu_);
      if (called_) return;
      called_ = calling_ = true;
      callback = std::move(callback_);
    }
    callback();
    callback = nullptr;
    MutexLock lock(mu_);
    calling_ = false;
    idle_cv_.SignalAll();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (response_.events().empty()) return StartRead(&response_);
    CallBack();
    context_.TryCancel();
  }
  void OnDone(const grpc::Status&) override {
    CallBack();
    waiters_->Remove(id_);
    const std::shared_ptr<Waiters> waiters = waiters_;
    self_.reset();  // destroys this
    waiters->Ended();
  }

  const std::shared_ptr<Waiters> waiters_;
  const WaiterId id_;
  grpc::ClientContext context_;
  v1::ReadEventsRequest request_;
  v1::ReadEventsResponse response_;

  Mutex mu_;
  CondVar idle_cv_;
  bool called_ ABSL_GUARDED_BY(mu_) = false;
  bool calling_ ABSL_GUARDED_BY(mu_) = false;
  absl::AnyInvocable<void()> callback_ ABSL_GUARDED_BY(mu_);

  std::shared_ptr<Waiter> self_;  // until OnDone
};

RemoteEventStore::RemoteEventStore(
    const std::shared_ptr<grpc::Channel>& channel, absl::Duration timeout)
    : stub_(v1::EventService::NewStub(channel)),
      timeout_(timeout),
      waiters_(std::make_shared<Waiters>()),
      appends_(*stub_, timeout) {}

// A waiter's context holds the channel. Were it the last to do so, the channel
// would end on one of gRPC's own threads, which would wait for itself.
RemoteEventStore::~RemoteEventStore() {
  std::vector<std::shared_ptr<Waiter>> left;
  {
    MutexLock lock(waiters_->mu);
    for (const auto& waiter : waiters_->by_id) left.push_back(waiter.second);
  }
  for (const auto& waiter : left) waiter->Cancel();
  left.clear();
  MutexLock lock(waiters_->mu);
  while (waiters_->running > 0) waiters_->ended_cv.Wait(waiters_->mu);
}

absl::StatusOr<v1::AppendEventsResponse> RemoteEventStore::Append(
    const v1::AppendEventsRequest& request) {
  v1::AppendEventsRequest named = request;
  Name(&named);
  if (!MayShare(named, kMaxSharedBytes)) {
    return CallUnary(*stub_, &Stub::AppendEvents, named, timeout_);
  }
  return appends_.AppendAndWait(std::move(named));
}

std::vector<absl::StatusOr<v1::AppendEventsResponse>>
RemoteEventStore::AppendAll(
    absl::Span<v1::AppendEventsRequest* const> requests) {
  const bool may_share = std::all_of(
      requests.begin(), requests.end(),
      [](const auto* request) { return MayShare(*request, kMaxJointBytes); });
  if (!may_share) return EventStore::AppendAll(requests);
  std::vector<v1::AppendEventsRequest> named;
  named.reserve(requests.size());
  for (const v1::AppendEventsRequest* request : requests) {
    Name(&named.emplace_back(*request));
  }
  return appends_.AppendAllAndWait(std::move(named));
}

absl::StatusOr<v1::ReadEventsResponse> RemoteEventStore::ReadPage(
    const v1::ReadEventsRequest& request) {
  v1::ReadEventsRequest bounded = request;
  bounded.set_follow(false);
  if (bounded.limit() <= 0) bounded.set_limit(kDefaultPageEvents);
  v1::ReadEventsResponse page;
  page.mutable_bookmark()->set_sequence(request.after_sequence());
  auto consume = [&](v1::ReadEventsResponse& response) {
    *page.mutable_bookmark() = std::move(*response.mutable_bookmark());
    for (v1::Event& event : *response.mutable_events()) {
      *page.add_events() = std::move(event);
    }
    return absl::OkStatus();
  };
  KINORA_RETURN_IF_ERROR(
      (ReadStreamToEnd<Stub, v1::ReadEventsRequest, v1::ReadEventsResponse>(
          *stub_, &Stub::ReadEvents, bounded, timeout_, consume)));
  return page;
}

EventStore::WaiterId RemoteEventStore::NotifyAfter(
    const v1::LogName& log, int64_t after,
    absl::AnyInvocable<void()> callback) {
  std::shared_ptr<Waiter> waiter;
  WaiterId id;
  {
    MutexLock lock(waiters_->mu);
    id = waiters_->next_id++;
    waiter = std::make_shared<Waiter>(waiters_, id, std::move(callback));
    waiters_->by_id.emplace(id, waiter);
    ++waiters_->running;
  }
  waiter->Start(*stub_, log, after, waiter);
  return id;
}

void RemoteEventStore::CancelNotify(WaiterId id) {
  if (const auto waiter = waiters_->Find(id)) waiter->Cancel();
}

absl::StatusOr<v1::ResolveArtefactsResponse> RemoteEventStore::ResolveArtefacts(
    const v1::ResolveArtefactsRequest& request) {
  return CallUnary(*stub_, &Stub::ResolveArtefacts, request, timeout_);
}

absl::StatusOr<v1::ListInputsResponse> RemoteEventStore::ListInputs(
    const v1::ListInputsRequest& request) {
  return CallUnary(*stub_, &Stub::ListInputs, request, timeout_);
}

absl::StatusOr<v1::GetLogStatusResponse> RemoteEventStore::GetLogStatus(
    const v1::GetLogStatusRequest& request) {
  return CallUnary(*stub_, &Stub::GetLogStatus, request, timeout_);
}

}  // namespace kinora
