// How a run reaches producers. RemoteProducerCaller
// (clients/cpp/producer/remote_producer_caller.h) calls them over gRPC.

#ifndef KINORA_SERVICES_RUNNER_CALLS_PRODUCER_CALLER_H_
#define KINORA_SERVICES_RUNNER_CALLS_PRODUCER_CALLER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/threads/call_stop.h"
#include "kinora/v1/producer.pb.h"

namespace kinora {

// One attempt at one job.
struct AttemptRequest {
  // What the producer is told. Inputs that are `streamed` come from the movie's
  // blobs; one that is to have references gets these where there are any.
  v1::JobHeader header;
  // What Accepted must say; another version fails the attempt.
  std::string producer_version;
  // The artefacts wanted.
  struct Output {
    std::string artefact_id;
    std::string name;  // the output's
    std::string mime_type;
    // For a leaf: the artefact whose value it is a part of, and where. The
    // producer is not asked for it.
    std::string leaf_of;
    std::string json_pointer;
  };
  std::vector<Output> outputs;
  absl::Duration timeout = absl::Minutes(10);
  // Which of the producer's targets is called, counted from 0.
  size_t target = 0;
};

// What a call tells of the target it went to, whatever became of the job.
enum class Contact {
  kUnknown,   // nothing: it was cut short here
  kAnswered,  // it is there
  kLost,      // it cannot be reached, or broke off
};

// How an attempt ended.
struct AttemptResult {
  struct Output {
    v1::Content content;  // durable if it is a blob
    std::string readable_path;
  };
  // Set if it failed; else `outputs` has one element per
  // AttemptRequest::Output, in their order, unless it waits.
  std::optional<v1::Failure> failure;
  // Set if it ended without outputs, to be called again when this question of
  // its job is answered.
  std::optional<std::string> waits_for;
  std::vector<Output> outputs;
  std::string diagnostics_json;
  std::optional<v1::Cost> cost;
  // For a failure: the producer had taken the job, and the call broke before it
  // said what became of it. It may have been paid for.
  bool in_doubt = false;
  Contact contact = Contact::kUnknown;
  std::string version;  // of who took the job; empty if nobody did
};

// Work that was asked for by its key.
struct FoundWork {
  v1::LookUpState state = v1::LOOK_UP_STATE_UNKNOWN;
  // The target that is at it or has it.
  std::optional<size_t> target;
};

// Told of one attempt as it goes. Calls come one at a time, from any thread;
// they MUST be short and not block. OnDone is the last one and always comes,
// once.
class AttemptObserver {
 public:
  virtual ~AttemptObserver() = default;

  virtual void OnProgress(const v1::Progress& progress) = 0;
  virtual void OnLogLines(const v1::LogLines& lines) = 0;
  // The question is well-formed (question_check.h). `takes_answer`: the
  // attempt may wait for Attempt::Answer(); else it ends without.
  virtual void OnQuestion(const v1::Question& question, bool takes_answer) = 0;
  virtual void OnDone(AttemptResult result) = 0;
};

// An attempt under way. Thread-safe.
class Attempt {
 public:
  // The attempt may go on after this; its end is still reported.
  virtual ~Attempt() = default;

  // Tells the producer to stop; the attempt ends soon, as cancelled unless it
  // was faster. Does not wait.
  virtual void Cancel() = 0;

  // Delivers the answer to a question the attempt has asked; once for each
  // time. Without effect on a producer that does not take answers on its
  // stream, or has ended. Does not wait.
  virtual void Answer(const v1::Answer& answer) = 0;
};

// Thread-safe.
class ProducerCaller {
 public:
  virtual ~ProducerCaller() = default;

  // What a producer says of itself, at a target that has `version` if there is
  // one, else (and for an empty one) at the first that answers; may block.
  // FAILED_PRECONDITION (PRODUCER_UNKNOWN) if none is configured under the
  // name, UNAVAILABLE (PRODUCER_UNAVAILABLE) if no target answers,
  // FAILED_PRECONDITION naming target and field if it does not say its version.
  virtual absl::StatusOr<v1::DescribeResponse> Describe(
      absl::string_view producer, const std::string& version) = 0;

  // Describe() of each of these, of whatever version, in their order. Where
  // asking one may take long they are asked side by side: however many do not
  // answer, it takes no longer than one of them alone.
  virtual std::vector<absl::StatusOr<v1::DescribeResponse>> DescribeAll(
      const std::vector<std::string>& producers);

  // What became of the work with that idempotency key; may block, until `stop`
  // cuts it short: then CANCELLED or what it has come to. All targets
  // are asked: one that is at it or has it decides; without such a one, one
  // that does not answer is an error, as it may have it.
  // LOOK_UP_STATE_UNKNOWN also of a producer that keeps no record of its work.
  // Errors as of Describe().
  virtual absl::StatusOr<FoundWork> LookUp(absl::string_view producer,
                                           const std::string& idempotency_key,
                                           CallStop& stop) = 0;

  // Begins an attempt. Does not block. The producer is the header's; that none
  // is configured is reported as a failure.
  virtual std::unique_ptr<Attempt> Start(
      AttemptRequest request, std::shared_ptr<AttemptObserver> observer) = 0;
};

// Of producers that answer at once.
inline std::vector<absl::StatusOr<v1::DescribeResponse>>
ProducerCaller::DescribeAll(const std::vector<std::string>& producers) {
  std::vector<absl::StatusOr<v1::DescribeResponse>> descriptions;
  for (const std::string& producer : producers) {
    descriptions.push_back(Describe(producer, ""));
  }
  return descriptions;
}

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_PRODUCER_CALLER_H_
