// An EventStore keeps the logs of movies as typed events. LogEventStore keeps
// them in an EventLog; RemoteEventStore (clients/cpp) reaches one over RPC.
// Errors and guarantees are those of EventService in
// proto/kinora/v1/event.proto.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_STORE_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "kinora/v1/event.pb.h"
#include "services/store/event/event_page.h"
#include "services/store/event/event_ptr.h"

namespace kinora {

// Events in one append, and in one message of an append stream.
inline constexpr int kMaxEventsPerAppend = 10'000;

// Thread-safe. Calls but NotifyAfter() and CancelNotify() may block.
class EventStore {
 public:
  using WaiterId = uint64_t;

  virtual ~EventStore() = default;

  virtual absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) = 0;

  // Does each append as Append() and answers them in their order; those to one
  // log happen in that order. They share a sync where they can. May fill in
  // what `requests` leave out, such as the hashes of values.
  virtual std::vector<absl::StatusOr<v1::AppendEventsResponse>> AppendAll(
      absl::Span<v1::AppendEventsRequest* const> requests) {
    std::vector<absl::StatusOr<v1::AppendEventsResponse>> answers;
    answers.reserve(requests.size());
    for (const v1::AppendEventsRequest* request : requests) {
      answers.push_back(Append(*request));
    }
    return answers;
  }

  // The next events after `request.after_sequence()`, at most
  // `request.limit()` of them (0: a server-chosen number), and a bookmark from
  // which to go on. Never waits: the log's end is a page without events whose
  // bookmark is where the page began. `follow` is ignored.
  virtual absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) = 0;

  // ReadPage() for one of many who read the same: a store of this process
  // shares pages between those who follow a log.
  virtual absl::StatusOr<EventPagePtr> ReadShared(
      const v1::ReadEventsRequest& request) {
    absl::StatusOr<v1::ReadEventsResponse> page = ReadPage(request);
    if (!page.ok()) return page.status();
    return std::make_shared<const EventPage>(*std::move(page));
  }

  // Calls `callback` once when the log may have an event after `after`, or
  // when that can no longer be told (the connection broke): read a page to find
  // out. The callback MUST be short and not block.
  virtual WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                               absl::AnyInvocable<void()> callback) = 0;

  // Drops a waiter. When it returns, the callback either has finished or will
  // never run. REQUIRES: not called from that callback.
  virtual void CancelNotify(WaiterId id) = 0;

  virtual absl::StatusOr<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest& request) = 0;

  // The events that ResolveArtefacts() finds, in the order of the queries; null
  // where there is none. A store of this process shares the ones it keeps.
  virtual absl::StatusOr<std::vector<EventPtr>> FindArtefacts(
      const v1::ResolveArtefactsRequest& request) {
    absl::StatusOr<v1::ResolveArtefactsResponse> response =
        ResolveArtefacts(request);
    if (!response.ok()) return response.status();
    std::vector<EventPtr> events;
    events.reserve(static_cast<size_t>(response->artefacts_size()));
    for (v1::ResolvedArtefact& artefact : *response->mutable_artefacts()) {
      events.push_back(artefact.found()
                           ? std::make_shared<const v1::Event>(
                                 std::move(*artefact.mutable_event()))
                           : nullptr);
    }
    return events;
  }

  virtual absl::StatusOr<v1::ListInputsResponse> ListInputs(
      const v1::ListInputsRequest& request) = 0;
  virtual absl::StatusOr<v1::GetLogStatusResponse> GetLogStatus(
      const v1::GetLogStatusRequest& request) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_STORE_H_
