// A RunListener hears what the ledgers of runs say, once it is durable, and of
// the records that are left of runs.

#ifndef KINORA_SERVICES_RUNNER_ACTOR_RUN_LISTENER_H_
#define KINORA_SERVICES_RUNNER_ACTOR_RUN_LISTENER_H_

#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"

#include "kinora/v1/event.pb.h"
#include "services/runner/record/topic_log.h"

namespace kinora {

// Implementations are thread-safe.
class RunListener {
 public:
  virtual ~RunListener() = default;

  // `events` were appended to the ledger of a run by this process, in their
  // order, the first under the number `first_sequence`. The run waits
  // meanwhile: MUST be short, and neither block nor call the runner.
  virtual void OnLedger(
      absl::string_view movie_id, absl::string_view run_id,
      int64_t first_sequence,
      const google::protobuf::RepeatedPtrField<v1::Event>& events) = 0;

  // The record of a run that has ended is in its file, surely; `event` is what
  // is published of it on `topic`. The next run's record waits meanwhile: MUST
  // be short.
  virtual void OnRecord(absl::string_view /*movie_id*/,
                        absl::string_view /*run_id*/,
                        absl::string_view /*topic*/,
                        const TopicRecord& /*event*/) {}
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_ACTOR_RUN_LISTENER_H_
