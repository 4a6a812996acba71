// A RemoteProducerCaller calls the producers of a table over gRPC.

#ifndef KINORA_CLIENTS_CPP_PRODUCER_REMOTE_PRODUCER_CALLER_H_
#define KINORA_CLIENTS_CPP_PRODUCER_REMOTE_PRODUCER_CALLER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "common/clock.h"
#include "common/content.h"
#include "common/json/json_schema.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "services/runner/calls/producer_caller.h"
#include "services/runner/calls/producer_table.h"
#include "services/store/blob/blob_store.h"

namespace grpc {
class Channel;
}

namespace kinora {

struct ProducerManners;

struct RemoteProducerCallerOptions {
  // Outputs up to this size are inline.
  int64_t inline_limit_bytes = kDefaultInlineLimitBytes;
  // How long an answer of Describe is believed.
  absl::Duration describe_ttl = absl::Seconds(5);
  // How long Describe may take.
  absl::Duration describe_timeout = absl::Seconds(3);
  // How long LookUpJob may take: it may ask a provider.
  absl::Duration look_up_timeout = absl::Seconds(30);
  // Makes the channel to a target; null for MakeChannel().
  std::function<std::shared_ptr<grpc::Channel>(const std::string& target)>
      make_channel;
};

// Thread-safe.
class RemoteProducerCaller final : public ProducerCaller {
 public:
  // `blobs`, `executor` and `clock` MUST outlive the caller and every attempt.
  RemoteProducerCaller(const ProducerConfigs& producers, BlobStore& blobs,
                       Executor& executor, Clock& clock,
                       const RemoteProducerCallerOptions& options);

  // Waits until no attempt is under way.
  ~RemoteProducerCaller() override;

  absl::StatusOr<v1::DescribeResponse> Describe(
      absl::string_view producer, const std::string& version) override;
  std::vector<absl::StatusOr<v1::DescribeResponse>> DescribeAll(
      const std::vector<std::string>& producers) override;
  absl::StatusOr<FoundWork> LookUp(absl::string_view producer,
                                   const std::string& idempotency_key,
                                   CallStop& stop) override;
  std::unique_ptr<Attempt> Start(
      AttemptRequest request,
      std::shared_ptr<AttemptObserver> observer) override;

 private:
  struct Target;
  class CountedObserver;

  // What the target said a moment ago, if it is believed still.
  std::optional<v1::DescribeResponse> Described(Target& target);
  absl::StatusOr<v1::DescribeResponse> DescribeTarget(
      absl::string_view producer, Target& target);
  // What the target has answered, if that can be used, and is believed then.
  absl::StatusOr<v1::DescribeResponse> TakeDescription(
      absl::string_view producer, Target& target,
      absl::StatusOr<v1::DescribeResponse> answer);
  // Describe() of each. All targets of all of them are asked at once, for no
  // longer than `describe_timeout` together.
  std::vector<absl::StatusOr<v1::DescribeResponse>> DescribeSideBySide(
      const std::vector<std::string>& producers, const std::string& version);
  // The schema of an output of the job that `target` has taken, in that
  // version; null if it declares none. Asks the target if nobody of the version
  // was asked before.
  absl::StatusOr<std::shared_ptr<const JsonSchema>> SchemaOf(
      const std::string& producer, size_t target, const std::string& version,
      const std::string& output);
  static ProducerManners MannersOf(
      const std::vector<std::unique_ptr<Target>>& targets, size_t target,
      absl::Duration timeout);
  absl::StatusOr<v1::LookUpState> LookUpAt(absl::string_view producer,
                                           Target& target,
                                           const std::string& idempotency_key,
                                           CallStop& stop);

  BlobStore& blobs_;
  Executor& executor_;
  Clock& clock_;
  const RemoteProducerCallerOptions options_;
  // By producer. Never changes.
  std::map<std::string, std::vector<std::unique_ptr<Target>>> producers_;

  Mutex mu_;
  CondVar idle_cv_;
  int attempts_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_REMOTE_PRODUCER_CALLER_H_
