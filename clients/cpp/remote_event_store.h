// A RemoteEventStore is an EventStore over a channel. See
// clients/cpp/remote_store.h.

#ifndef KINORA_CLIENTS_CPP_REMOTE_EVENT_STORE_H_
#define KINORA_CLIENTS_CPP_REMOTE_EVENT_STORE_H_

#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "grpcpp/channel.h"

#include "clients/cpp/append_stream.h"
#include "kinora/v1/event.grpc.pb.h"
#include "services/store/event/event_store.h"

namespace kinora {

class RemoteEventStore final : public EventStore {
 public:
  RemoteEventStore(const std::shared_ptr<grpc::Channel>& channel,
                   absl::Duration timeout);
  // Ends the waiters that are left.
  ~RemoteEventStore() override;

  // Gives a request without `request_id` one, so that it may be repeated when
  // the connection breaks. Appends of several threads at once share messages
  // (clients/cpp/append_stream.h); large ones go by themselves.
  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override;
  // In one message, if they fit into one; without waiting for each other, if
  // none of them is over 1 MiB.
  std::vector<absl::StatusOr<v1::AppendEventsResponse>> AppendAll(
      absl::Span<v1::AppendEventsRequest* const> requests) override;
  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override;

  // Follows the log by a stream of one event. While the server cannot be
  // reached the waiter goes on waiting; it calls back after ten minutes in any
  // case.
  WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                       absl::AnyInvocable<void()> callback) override;
  void CancelNotify(WaiterId id) override;

  absl::StatusOr<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest& request) override;
  absl::StatusOr<v1::ListInputsResponse> ListInputs(
      const v1::ListInputsRequest& request) override;
  absl::StatusOr<v1::GetLogStatusResponse> GetLogStatus(
      const v1::GetLogStatusRequest& request) override;

 private:
  using Stub = v1::EventService::Stub;
  class Waiter;
  struct Waiters;

  const std::unique_ptr<Stub> stub_;
  const absl::Duration timeout_;
  const std::shared_ptr<Waiters> waiters_;
  AppendStream appends_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_REMOTE_EVENT_STORE_H_
