// An InOrderStream serves a bidirectional call in which every request gets one
// response, in the order sent.
//
// Reads, handling and writes go on independently, each one at a time, around
// one queue of requests and one of responses: 1. OnReadDone queues a request;
// 2. a task on the executor handles the first; 3. its response is queued and
// written. While kMaxQueued requests and responses are held, nothing is read:
// a client that does not read what it gets is stopped by flow control. The
// client's half-close, once all is answered, a cancellation or the drain of the
// server lead to the one Finish.

#ifndef KINORA_COMMON_RPC_IN_ORDER_STREAM_H_
#define KINORA_COMMON_RPC_IN_ORDER_STREAM_H_

#include <deque>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/server_callback.h"

#include "common/rpc/arena_messages.h"
#include "common/rpc/call_context.h"
#include "common/rpc/drain_watch.h"
#include "common/rpc/stream_task.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"

namespace kinora {

template <typename Request, typename Response>
class InOrderStream final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  // Enough to keep the handler busy over a network's round trip.
  static constexpr size_t kMaxQueued = 16;

  // Answers one request, which it may change. An error ends the call; what
  // fails for itself is said in the response. Runs on the executor, never twice
  // at once, and may block.
  using Handler = absl::AnyInvocable<absl::StatusOr<Response>(Request&)>;

  // What a service method returns. `executor` MUST outlive the server.
  static grpc::ServerBidiReactor<Request, Response>* Start(
      grpc::CallbackServerContext* context, Executor& executor,
      Handler handler) {
    auto* stream = new InOrderStream(context, executor, std::move(handler));
    stream->self_.reset(stream);
    stream->Begin(context);
    return stream;
  }

 private:
  InOrderStream(grpc::CallbackServerContext* context, Executor& executor,
                Handler handler)
      : executor_(executor),
        hold_(HoldServer(context)),
        trace_(TraceOf(context)),
        drain_(context),
        handler_(std::move(handler)) {}

  void Begin(grpc::CallbackServerContext* context) {
    absl::Status admitted = AdmitCall(context);
    if (admitted.ok()) {
      drain_.Start(self_, &InOrderStream::Stop,
                   "the server is draining: send again what was not answered");
    }
    MutexLock lock(mu_);
    if (!admitted.ok()) {
      ended_ = stopped_ = true;
      this->Finish(ToGrpcStatus(admitted));
      return;
    }
    Advance();
  }

  // Starts whatever can go on; Finish once nothing is under way and nothing
  // will be.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (ended_) return;
    if (!writing_ && !responses_.empty() && !broken_) {
      writing_ = true;
      this->StartWrite(&responses_.front());
    }
    if (!handling_ && !requests_.empty() && !stopped_) {
      handling_ = true;
      PostStreamTask(
          executor_, self_, trace_,
          [](InOrderStream& stream) { stream.Handle(); },
          [](InOrderStream& stream, const absl::Status& why) {
            stream.Handled(why);
          });
    }
    const bool room = requests_.size() + responses_.size() < kMaxQueued;
    if (!reading_ && !read_all_ && !stopped_ && room) {
      reading_ = true;
      this->StartRead(&**incoming_);
    }
    const bool answered = responses_.empty() || broken_;
    const bool no_more = stopped_ || (read_all_ && requests_.empty());
    if (no_more && answered && !handling_ && !writing_) {
      // A read that is under way ends with the call.
      ended_ = true;
      this->Finish(ToGrpcStatus(end_));
    }
  }

  void Handle() {
    std::unique_ptr<ArenaMessage<Request>> request;
    {
      MutexLock lock(mu_);
      request = std::move(requests_.front());
      requests_.pop_front();
    }
    Handled(handler_(**request));
  }

  void Handled(absl::StatusOr<Response> response) {
    MutexLock lock(mu_);
    handling_ = false;
    if (response.ok()) {
      responses_.push_back(*std::move(response));
    } else {
      stopped_ = true;
      end_ = response.status();
    }
    Advance();
  }

  // Takes no further requests; answers what is being handled.
  void Stop(const absl::Status& status) {
    MutexLock lock(mu_);
    if (stopped_) return;
    stopped_ = true;
    end_ = status;
    Advance();
  }

  void OnReadDone(bool ok) override {
    MutexLock lock(mu_);
    reading_ = false;
    if (ok) {
      requests_.push_back(std::move(incoming_));
      incoming_ = std::make_unique<ArenaMessage<Request>>();
    } else {
      read_all_ = true;
    }
    Advance();
  }
  void OnWriteDone(bool ok) override {
    MutexLock lock(mu_);
    writing_ = false;
    broken_ = broken_ || !ok;
    responses_.pop_front();
    Advance();
  }
  void OnCancel() override {
    Stop(absl::CancelledError("the caller has gone"));
  }
  void OnDone() override { self_.reset(); }

  Executor& executor_;
  const std::shared_ptr<void> hold_;
  const TraceContext trace_;
  DrainWatch drain_;
  Handler handler_;  // of the one task
  // Of the read under way.
  std::unique_ptr<ArenaMessage<Request>> incoming_ =
      std::make_unique<ArenaMessage<Request>>();

  Mutex mu_;
  std::deque<std::unique_ptr<ArenaMessage<Request>>> requests_
      ABSL_GUARDED_BY(mu_);
  std::deque<Response> responses_ ABSL_GUARDED_BY(mu_);
  bool reading_ ABSL_GUARDED_BY(mu_) = false;
  bool handling_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool read_all_ ABSL_GUARDED_BY(mu_) = false;  // the client is done
  bool broken_ ABSL_GUARDED_BY(mu_) = false;    // a write failed
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;   // take nothing more
  bool ended_ ABSL_GUARDED_BY(mu_) = false;     // Finish was called
  absl::Status end_ ABSL_GUARDED_BY(mu_);

  std::shared_ptr<InOrderStream> self_;  // until OnDone
};

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_IN_ORDER_STREAM_H_
