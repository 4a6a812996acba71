// A TailStream serves a server-streaming call that replays a log and then
// follows it: EventService.ReadEvents and RunnerService.WatchRun.
//
// States: 1. a task on the executor reads the next page after the cursor;
// 2. a page with events is written, and OnWriteDone goes back to 1; 3. at the
// end of the log, a stream that follows registers one waiter and a heartbeat
// timer and holds nothing else; the waiter goes back to 1, the timer writes an
// empty message with a bookmark. A slow reader therefore costs one page, which
// is read again from the log's files, and no event is delivered twice or
// skipped. Every end (limit, last message, error, failed write, cancellation,
// drain of the server) leads to the one Finish. A stream may have a state 0
// before these, a task that makes a first message of another kind.
//
// A page is the stream's own (v1::ReadEventsResponse), or shared between those
// who follow the log (EventPagePtr).

#ifndef KINORA_COMMON_RPC_TAIL_STREAM_H_
#define KINORA_COMMON_RPC_TAIL_STREAM_H_

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/support/server_callback.h"

#include "common/rpc/call_context.h"
#include "common/rpc/drain_watch.h"
#include "common/rpc/stream_task.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "kinora/v1/event.pb.h"
#include "services/store/event/event_page.h"
#include "services/store/event/event_store.h"

namespace kinora {

// How long a follower waits for an event before it gets a heartbeat: well
// below the minute after which proxies drop silent streams.
inline constexpr absl::Duration kHeartbeatPeriod = absl::Seconds(15);

template <typename Response, typename Page = v1::ReadEventsResponse>
class TailStream final : public grpc::ServerWriteReactor<Response> {
 public:
  // Turns a page (in a heartbeat, one without events) into the message to
  // send. True ends the stream with OK after that message. An error ends it
  // unsent. Runs on the executor, never twice at once.
  using ToMessage =
      absl::AnyInvocable<absl::StatusOr<bool>(Page page, Response* message)>;

  // Makes the first message, before anything is read, and sets where `request`
  // goes on behind it. An error ends the stream with it. Runs on the executor.
  using Opening = absl::AnyInvocable<absl::Status(
      v1::ReadEventsRequest* request, Response* message)>;

  // Whether a log that is followed gets no event any more but such as nobody
  // waits for. Asked once, on the executor, when all that there is was sent:
  // then the stream ends, after what has come meanwhile. An error ends it.
  using IsOver = absl::AnyInvocable<absl::StatusOr<bool>()>;

  // What a service method returns. Serves `request`: its log from
  // after_sequence on, `limit` events of it, following if `follow` is set.
  // `executor` and `events` MUST outlive the server. With `look_back` a reader
  // that has all events from the start has ToMessage see the last of them
  // again, which may say that there is nothing to wait for. `is_over`
  // and `opening` may be
  // null.
  static grpc::ServerWriteReactor<Response>* Start(
      grpc::CallbackServerContext* context, Executor& executor,
      EventStore& events, v1::ReadEventsRequest request, ToMessage to_message,
      absl::Duration heartbeat = kHeartbeatPeriod, bool look_back = false,
      IsOver is_over = nullptr, Opening opening = nullptr) {
    auto* stream = new TailStream(context, executor, events, std::move(request),
                                  std::move(to_message), heartbeat, look_back);
    stream->is_over_ = std::move(is_over);
    stream->opening_ = std::move(opening);
    stream->self_.reset(stream);
    stream->Begin(context);
    return stream;
  }

  // Not while a callback of ours runs: those only post, holding no reference.
  ~TailStream() override { DropWaiter(); }

 private:
  enum class State { kRunning, kWaiting, kEnded };
  enum class Wake { kNone, kEvent, kHeartbeat };

  TailStream(grpc::CallbackServerContext* context, Executor& executor,
             EventStore& events, v1::ReadEventsRequest request,
             ToMessage to_message, absl::Duration heartbeat, bool look_back)
      : executor_(executor),
        events_(events),
        heartbeat_(heartbeat),
        hold_(HoldServer(context)),
        trace_(TraceOf(context)),
        drain_(context),
        limited_(request.limit() > 0),
        request_(std::move(request)),
        to_message_(std::move(to_message)),
        look_back_(look_back && request_.after_sequence() > 0) {}

  void Begin(grpc::CallbackServerContext* context) {
    if (absl::Status admitted = AdmitCall(context); !admitted.ok()) {
      return End(admitted);
    }
    drain_.Start(self_, &TailStream::End,
                 "the server is draining: resume from the last bookmark");
    PostRun();
  }

  void PostRun() {
    PostStreamTask(
        executor_, self_, trace_, [](TailStream& stream) { stream.Run(); },
        [](TailStream& stream, const absl::Status& why) { stream.End(why); });
  }

  // The task of state 1. At most one is queued or running, and none while a
  // write is, so what only it touches needs no lock.
  void Run() {
    if (opening_ != nullptr) return Open();
    Wake wake = TakeWake();
    while (!Ended()) {
      absl::StatusOr<Page> page = Read(request_);
      if (!page.ok()) return End(page.status());
      if (In(*page).events().empty() && look_back_) page = LastPage();
      look_back_ = false;
      if (!page.ok()) return End(page.status());
      const int64_t bookmark = In(*page).bookmark().sequence();
      if (!In(*page).events().empty()) return Send(*std::move(page));
      if (bookmark > request_.after_sequence()) {
        request_.set_after_sequence(bookmark);
        filtered_ = true;
        continue;
      }
      if (!request_.follow()) {
        // Tells how far the filter got, so that the reader goes on from there.
        if (std::exchange(filtered_, false)) return Send(*std::move(page));
        return End(absl::OkStatus());
      }
      if (is_over_ != nullptr) {
        const absl::StatusOr<bool> over = std::exchange(is_over_, nullptr)();
        if (!over.ok()) return End(over.status());
        if (*over) {
          // What ended it may have come since the page was read.
          request_.set_follow(false);
          continue;
        }
      }
      if (wake == Wake::kHeartbeat) return Send(*std::move(page));
      if (Wait()) return;
      wake = TakeWake();
    }
  }

  absl::StatusOr<Page> Read(const v1::ReadEventsRequest& request) {
    if constexpr (std::is_same_v<Page, EventPagePtr>) {
      return events_.ReadShared(request);
    } else {
      return events_.ReadPage(request);
    }
  }
  static const v1::ReadEventsResponse& In(const v1::ReadEventsResponse& page) {
    return page;
  }
  static const v1::ReadEventsResponse& In(const EventPagePtr& page) {
    return page->page();
  }

  // REQUIRES: the cursor is at the last event.
  absl::StatusOr<Page> LastPage() {
    v1::ReadEventsRequest last = request_;
    last.set_after_sequence(request_.after_sequence() - 1);
    return Read(last);
  }

  void Open() {
    Opening opening = std::move(opening_);
    opening_ = nullptr;
    message_.Clear();
    const absl::Status opened = opening(&request_, &message_);
    if (!opened.ok()) return End(opened);
    StartMessage(false);
  }

  void Send(Page page) {
    request_.set_after_sequence(In(page).bookmark().sequence());
    filtered_ = false;
    bool last = false;
    if (limited_) {
      request_.set_limit(request_.limit() - In(page).events_size());
      last = request_.limit() <= 0;
    }
    message_.Clear();
    absl::StatusOr<bool> done = to_message_(std::move(page), &message_);
    if (!done.ok()) return End(done.status());
    StartMessage(last || *done);
  }

  void StartMessage(bool last) {
    MutexLock lock(mu_);
    if (state_ == State::kEnded) return;
    last_message_ = last;
    writing_ = true;
    this->StartWrite(&message_);
  }

  // Goes to state 3: true. False if waiter or timer has called already.
  bool Wait() {
    DropWaiter();
    message_ = Response();  // which may be as large as a page
    uint64_t turn;
    {
      MutexLock lock(mu_);
      turn = ++turn_;
      wake_ = Wake::kNone;
    }
    std::weak_ptr<TailStream> weak = self_;
    Executor& executor = executor_;
    waiter_ = events_.NotifyAfter(
        request_.log(), request_.after_sequence(), [weak, &executor, turn] {
          executor.Post([weak, turn] { WakeUp(weak, turn, Wake::kEvent); });
        });
    timer_ = executor_.PostAfter(
        heartbeat_, [weak, turn] { WakeUp(weak, turn, Wake::kHeartbeat); });
    has_waiter_ = true;
    MutexLock lock(mu_);
    if (state_ == State::kEnded) return true;
    if (wake_ != Wake::kNone) return false;
    state_ = State::kWaiting;
    return true;
  }

  static void WakeUp(const std::weak_ptr<TailStream>& weak, uint64_t turn,
                     Wake wake) {
    const std::shared_ptr<TailStream> stream = weak.lock();
    if (stream == nullptr) return;
    MutexLock lock(stream->mu_);
    if (turn != stream->turn_ || stream->wake_ != Wake::kNone) return;
    stream->wake_ = wake;
    if (stream->state_ != State::kWaiting) return;
    stream->state_ = State::kRunning;
    stream->PostRun();
  }

  Wake TakeWake() {
    MutexLock lock(mu_);
    return std::exchange(wake_, Wake::kNone);
  }

  void DropWaiter() {
    if (!has_waiter_) return;
    has_waiter_ = false;
    events_.CancelNotify(waiter_);
    executor_.Cancel(timer_);
  }

  bool Ended() {
    MutexLock lock(mu_);
    return state_ == State::kEnded;
  }

  // Finishes now, or after the write under way.
  void End(const absl::Status& status) {
    MutexLock lock(mu_);
    if (state_ == State::kEnded) return;
    state_ = State::kEnded;
    if (writing_) {
      end_ = status;
      return;
    }
    this->Finish(ToGrpcStatus(status));
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(mu_);
      writing_ = false;
      if (state_ == State::kEnded) {
        this->Finish(ToGrpcStatus(end_));
        return;
      }
    }
    if (!ok) return End(absl::CancelledError("the caller has gone"));
    if (last_message_) return End(absl::OkStatus());
    PostRun();
  }
  void OnCancel() override { End(absl::CancelledError("the caller has gone")); }
  void OnDone() override { self_.reset(); }

  Executor& executor_;
  EventStore& events_;
  const absl::Duration heartbeat_;
  const std::shared_ptr<void> hold_;
  const TraceContext trace_;
  DrainWatch drain_;
  const bool limited_;

  // Of the one task or write under way.
  v1::ReadEventsRequest request_;  // after_sequence is the cursor
  ToMessage to_message_;
  bool look_back_;   // until the first page
  IsOver is_over_;   // until it was asked
  Opening opening_;  // until the first message
  Response message_;
  bool filtered_ = false;  // the cursor moved since the last message
  bool last_message_ = false;
  bool has_waiter_ = false;
  EventStore::WaiterId waiter_ = 0;
  Executor::TimerId timer_ = 0;

  Mutex mu_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kRunning;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mu_);
  uint64_t turn_ ABSL_GUARDED_BY(mu_) = 0;
  Wake wake_ ABSL_GUARDED_BY(mu_) = Wake::kNone;

  std::shared_ptr<TailStream> self_;  // until OnDone
};

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_TAIL_STREAM_H_
