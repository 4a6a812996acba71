// WatchRun. Its messages go out as bytes: a page of the ledger is the same on
// the wire whether it answers ReadEvents or WatchRun, and the same for all who
// watch the run, so that it is serialized once.

#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/rpc/data_message.h"
#include "common/rpc/tail_stream.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/runner_service.h"

namespace kinora {
namespace {

using WatchStream = TailStream<grpc::ByteBuffer, EventPagePtr>;

static_assert(int{v1::WatchRunResponse::kEventsFieldNumber} ==
                      int{v1::ReadEventsResponse::kEventsFieldNumber} &&
                  int{v1::WatchRunResponse::kBookmarkFieldNumber} ==
                      int{v1::ReadEventsResponse::kBookmarkFieldNumber},
              "pages are sent as they are");

// True if the page has the terminal event.
absl::StatusOr<bool> ToMessage(const EventPagePtr& page, int64_t after,
                               grpc::ByteBuffer* message) {
  bool ended = false;
  for (const v1::Event& event : page->page().events()) {
    ended = ended || IsTerminal(event.ledger());
  }
  if (page->page().events().empty() ||
      page->page().events(0).sequence() > after) {
    *message = SharedMessage(page->Encoded());
    return ended;
  }
  // Events that the watcher has: the stream only looked back.
  v1::WatchRunResponse rest;
  *rest.mutable_bookmark() = page->page().bookmark();
  for (const v1::Event& event : page->page().events()) {
    if (event.sequence() > after) *rest.add_events() = event;
  }
  KINORA_ASSIGN_OR_RETURN(*message, SerializeMessage(rest));
  return ended;
}

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* RunnerRpcService::WatchRun(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  v1::WatchRunRequest watch;
  const absl::Status parsed = ParseMessage(*request, &watch);
  const int64_t after = std::max<int64_t>(0, watch.after_sequence());
  v1::ReadEventsRequest read;
  read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  read.mutable_log()->set_run_id(watch.run_id());
  read.set_after_sequence(after);
  read.set_follow(true);
  WatchStream::Opening opening;
  if (!parsed.ok()) {
    opening = [parsed](v1::ReadEventsRequest*, grpc::ByteBuffer*) {
      return parsed;
    };
  } else if (watch.with_snapshot()) {
    opening = [this, history = watch.after_sequence() != 0](
                  v1::ReadEventsRequest* begin, grpc::ByteBuffer* message) {
      return BeginWithSnapshot(history, begin, message);
    };
  }
  WatchStream::IsOver is_over;
  // From the beginning on there is the end, too; and a snapshot tells of it.
  if (after > 0 && opening == nullptr) {
    is_over = [this, run_id = watch.run_id()]() -> absl::StatusOr<bool> {
      if (dry_runs_ != nullptr && dry_runs_->Find(run_id) != nullptr) {
        return true;
      }
      // Where that cannot be told, as history was trimmed, the watch waits.
      const absl::StatusOr<bool> ended = runner_.HasEnded(run_id);
      return ended.ok() && *ended;
    };
  }
  return WatchStream::Start(
      context, executor_, ledgers_, std::move(read),
      [after](const EventPagePtr& page, grpc::ByteBuffer* message) {
        return ToMessage(page, after, message);
      },
      // If the caller has the terminal event, the watch has nothing to wait
      // for: that is the last one, or some reports came in behind it.
      kHeartbeatPeriod, /*look_back=*/true, std::move(is_over),
      std::move(opening));
}

absl::Status RunnerRpcService::BeginWithSnapshot(bool history,
                                                 v1::ReadEventsRequest* watch,
                                                 grpc::ByteBuffer* message) {
  if (history) {
    // Before the snapshot, which then covers what is asked to begin with.
    v1::ReadEventsRequest first = *watch;
    first.set_limit(1);
    KINORA_RETURN_IF_ERROR(ledgers_.ReadPage(first).status());
  }
  v1::GetRunRequest get;
  get.set_run_id(watch->log().run_id());
  KINORA_ASSIGN_OR_RETURN(v1::GetRunResponse run, Get(get));
  v1::WatchRunResponse begin;
  *begin.mutable_snapshot() = std::move(*run.mutable_run());
  const v1::RunSnapshot& snapshot = begin.snapshot();
  if (!history) watch->set_after_sequence(snapshot.last_sequence());
  // After the end there is nothing to wait for.
  watch->set_follow(!IsTerminal(snapshot.record().status()));
  begin.mutable_bookmark()->set_sequence(watch->after_sequence());
  KINORA_ASSIGN_OR_RETURN(*message, SerializeMessage(begin));
  return absl::OkStatus();
}

}  // namespace kinora
