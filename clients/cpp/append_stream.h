// An AppendStream carries the appends of a process to a store over one
// StreamAppendEvents call: what callers append while a message is under way
// goes with the next, so that many callers cost few messages and share syncs.
//
// A lone append goes out at once. While one message is at the store, a second
// one goes out once it carries as many appends as that one, or that one is
// answered: its callers append again at about the same time, and the first of
// them would have a message to itself, for whose sync the others wait. For the
// same reason nothing goes out while callers are told their answers.
//
// The call is opened by the first append and again after it broke: appends that
// were not answered are sent again, a few times, under their request ids, so
// that none happens twice. Appends to one log are sent in the order in which
// they were given.

#ifndef KINORA_CLIENTS_CPP_APPEND_STREAM_H_
#define KINORA_CLIENTS_CPP_APPEND_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/alarm.h"

#include "common/threads/mutex.h"
#include "kinora/v1/event.grpc.pb.h"

namespace kinora {

// Thread-safe.
class AppendStream {
 public:
  // Takes the answer. Runs on a thread of gRPC: MUST be short and not block.
  using Done =
      absl::AnyInvocable<void(absl::StatusOr<v1::AppendEventsResponse>)>;

  // `stub` MUST outlive the stream. An append is given up `timeout` after it
  // was given.
  AppendStream(v1::EventService::Stub& stub, absl::Duration timeout);

  // Fails what is not answered with CANCELLED.
  ~AppendStream();

  // REQUIRES: `request` has a request id.
  void Append(v1::AppendEventsRequest request, Done done);

  // As Append(); waits for the answer.
  absl::StatusOr<v1::AppendEventsResponse> AppendAndWait(
      v1::AppendEventsRequest request);

  // The same for several, which go in one message if they fit into it.
  std::vector<absl::StatusOr<v1::AppendEventsResponse>> AppendAllAndWait(
      std::vector<v1::AppendEventsRequest> requests);

 private:
  class Call;
  // Where the threads wait whose appends were queued for one message, to be
  // woken together: a call to the kernel for each of them costs more than all
  // the rest of an append.
  struct Round {
    Mutex mu;
    CondVar answered;
  };
  struct Pending {
    v1::AppendEventsRequest request;
    size_t bytes = 0;
    int64_t deadline_nanos = 0;  // on the monotonic clock
    int attempts = 0;
    Done done;
    std::shared_ptr<Round> round;  // to be woken once it is done; may be null
  };
  // A message on its way, and whose appends it carries.
  struct Message {
    v1::StreamAppendEventsRequest request;
    std::vector<Pending> appends;  // their requests are in `request`
  };
  // Appends that have their answer, to be told without the lock.
  struct Answered {
    Pending append;
    absl::StatusOr<v1::AppendEventsResponse> answer;
  };

  Pending Begin(v1::AppendEventsRequest request, Done done) const;
  static void Tell(std::vector<Answered> answered);

  // Starts whatever can go on.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Puts what was not answered back to the front of the queue, or answers it.
  void TakeBack(const absl::Status& why, std::vector<Answered>* answered)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void BackOff() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // What a Call reports.
  void OnWritten(bool ok);
  void OnAnswer(v1::StreamAppendEventsResponse& response);
  void OnBroken();
  void OnEnded(const absl::Status& status);

  // The end of a callback that was counted. The stream may be gone afterwards.
  void Leave();

  v1::EventService::Stub& stub_;
  const absl::Duration timeout_;

  Mutex mu_;
  CondVar idle_;
  std::deque<Pending> queue_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<Round> round_ ABSL_GUARDED_BY(mu_);  // of those in queue_
  std::deque<Message> under_way_ ABSL_GUARDED_BY(mu_);
  Call* call_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool broken_ ABSL_GUARDED_BY(mu_) = false;  // no more writes to call_
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool telling_ ABSL_GUARDED_BY(mu_) = false;  // callers their answers
  int failures_ ABSL_GUARDED_BY(mu_) = 0;      // of calls, since an answer
  int callbacks_ ABSL_GUARDED_BY(mu_) = 0;  // calls and timers that will report
  bool backing_off_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<grpc::Alarm> pause_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_APPEND_STREAM_H_
