#include "services/store/event_service.h"

#include <string>
#include <utility>

#include "common/rpc/in_order_stream.h"
#include "common/rpc/tail_stream.h"
#include "common/rpc/unary.h"

namespace kinora {

grpc::ServerUnaryReactor* EventRpcService::AppendEvents(
    grpc::CallbackServerContext* context,
    const v1::AppendEventsRequest* request,
    v1::AppendEventsResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::AppendEventsRequest& r) { return events_.Append(r); });
}

grpc::ServerBidiReactor<v1::StreamAppendEventsRequest,
                        v1::StreamAppendEventsResponse>*
EventRpcService::StreamAppendEvents(grpc::CallbackServerContext* context) {
  using Stream = InOrderStream<v1::StreamAppendEventsRequest,
                               v1::StreamAppendEventsResponse>;
  return Stream::Start(
      context, executor_, [this](const v1::StreamAppendEventsRequest& request) {
        v1::StreamAppendEventsResponse response;
        for (const v1::AppendEventsRequest& append : request.appends()) {
          v1::AppendOutcome& outcome = *response.add_outcomes();
          absl::StatusOr<v1::AppendEventsResponse> appended =
              events_.Append(append);
          if (appended.ok()) {
            *outcome.mutable_appended() = *std::move(appended);
          } else {
            outcome.set_code(static_cast<int>(appended.status().code()));
            outcome.set_message(std::string(appended.status().message()));
          }
        }
        return response;
      });
}

grpc::ServerWriteReactor<v1::ReadEventsResponse>* EventRpcService::ReadEvents(
    grpc::CallbackServerContext* context,
    const v1::ReadEventsRequest* request) {
  return TailStream<v1::ReadEventsResponse>::Start(
      context, executor_, events_, *request,
      [](v1::ReadEventsResponse page, v1::ReadEventsResponse* message) {
        *message = std::move(page);
        return false;
      });
}

grpc::ServerUnaryReactor* EventRpcService::ResolveArtefacts(
    grpc::CallbackServerContext* context,
    const v1::ResolveArtefactsRequest* request,
    v1::ResolveArtefactsResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::ResolveArtefactsRequest& r) {
                      return events_.ResolveArtefacts(r);
                    });
}

grpc::ServerUnaryReactor* EventRpcService::ListInputs(
    grpc::CallbackServerContext* context, const v1::ListInputsRequest* request,
    v1::ListInputsResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::ListInputsRequest& r) { return events_.ListInputs(r); });
}

grpc::ServerUnaryReactor* EventRpcService::GetLogStatus(
    grpc::CallbackServerContext* context,
    const v1::GetLogStatusRequest* request,
    v1::GetLogStatusResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::GetLogStatusRequest& r) {
                      return events_.GetLogStatus(r);
                    });
}

}  // namespace kinora
