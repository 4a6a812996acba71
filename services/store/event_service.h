// EventRpcService serves EventService over RPC from an EventStore.

#ifndef KINORA_SERVICES_STORE_EVENT_SERVICE_H_
#define KINORA_SERVICES_STORE_EVENT_SERVICE_H_

#include "common/rpc/arena_messages.h"
#include "common/rpc/unary_batcher.h"
#include "common/threads/executor.h"
#include "kinora/v1/event.grpc.pb.h"
#include "services/store/event/event_store.h"

namespace kinora {

class EventRpcService final : public v1::EventService::CallbackService {
 public:
  // Both MUST outlive the server.
  EventRpcService(EventStore& events, Executor& executor);

  // Appends that come at once are taken together and share a sync.
  grpc::ServerUnaryReactor* AppendEvents(
      grpc::CallbackServerContext* context,
      const v1::AppendEventsRequest* request,
      v1::AppendEventsResponse* response) override;
  grpc::ServerBidiReactor<v1::StreamAppendEventsRequest,
                          v1::StreamAppendEventsResponse>*
  StreamAppendEvents(grpc::CallbackServerContext* context) override;

  // A follower waits on the log and holds no thread; see
  // common/rpc/tail_stream.h.
  grpc::ServerWriteReactor<v1::ReadEventsResponse>* ReadEvents(
      grpc::CallbackServerContext* context,
      const v1::ReadEventsRequest* request) override;
  grpc::ServerUnaryReactor* ResolveArtefacts(
      grpc::CallbackServerContext* context,
      const v1::ResolveArtefactsRequest* request,
      v1::ResolveArtefactsResponse* response) override;
  grpc::ServerUnaryReactor* ListInputs(
      grpc::CallbackServerContext* context,
      const v1::ListInputsRequest* request,
      v1::ListInputsResponse* response) override;
  grpc::ServerUnaryReactor* GetLogStatus(
      grpc::CallbackServerContext* context,
      const v1::GetLogStatusRequest* request,
      v1::GetLogStatusResponse* response) override;

 private:
  EventStore& events_;
  Executor& executor_;
  ArenaMessages<v1::AppendEventsRequest, v1::AppendEventsResponse>
      append_messages_;
  UnaryBatcher<v1::AppendEventsRequest, v1::AppendEventsResponse> appends_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_SERVICE_H_
