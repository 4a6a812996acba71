#include "services/store/event_service.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/rpc/in_order_stream.h"
#include "common/rpc/status.h"
#include "common/rpc/tail_stream.h"
#include "common/rpc/unary.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::Status CheckStreamed(const v1::StreamAppendEventsRequest& request) {
  int events = 0;
  for (const v1::AppendEventsRequest& append : request.appends()) {
    events += append.events_size();
  }
  if (request.appends().empty() || events > kMaxEventsPerAppend) {
    return InvalidField(
        "appends",
        absl::StrCat(request.appends_size(), " with ", events, " events"),
        absl::StrCat("must be one or more with up to ", kMaxEventsPerAppend,
                     " events in all"));
  }
  return absl::OkStatus();
}

void SetOutcome(const absl::StatusOr<v1::AppendEventsResponse>& answer,
                v1::AppendOutcome* outcome) {
  if (answer.ok()) {
    *outcome->mutable_appended() = *answer;
    return;
  }
  outcome->set_code(static_cast<int>(answer.status().code()));
  outcome->set_message(std::string(answer.status().message()));
  *outcome->mutable_detail() = ErrorDetailOf(answer.status());
}

}  // namespace

EventRpcService::EventRpcService(EventStore& events, Executor& executor)
    : events_(events),
      executor_(executor),
      appends_(
          executor, UnaryBatchLimits(),
          [](const v1::AppendEventsRequest& request) {
            return static_cast<size_t>(request.events_size());
          },
          [&events](absl::Span<v1::AppendEventsRequest* const> requests) {
            return events.AppendAll(requests);
          }) {
  SetMessageAllocatorFor_AppendEvents(&append_messages_);
}

grpc::ServerUnaryReactor* EventRpcService::AppendEvents(
    grpc::CallbackServerContext* context,
    const v1::AppendEventsRequest* request,
    v1::AppendEventsResponse* response) {
  return appends_.Serve(context, request, response);
}

grpc::ServerBidiReactor<v1::StreamAppendEventsRequest,
                        v1::StreamAppendEventsResponse>*
EventRpcService::StreamAppendEvents(grpc::CallbackServerContext* context) {
  using Stream = InOrderStream<v1::StreamAppendEventsRequest,
                               v1::StreamAppendEventsResponse>;
  return Stream::Start(
      context, executor_,
      [this](v1::StreamAppendEventsRequest& request)
          -> absl::StatusOr<v1::StreamAppendEventsResponse> {
        KINORA_RETURN_IF_ERROR(CheckStreamed(request));
        std::vector<v1::AppendEventsRequest*> appends;
        appends.reserve(request.appends_size());
        for (v1::AppendEventsRequest& append : *request.mutable_appends()) {
          appends.push_back(&append);
        }
        v1::StreamAppendEventsResponse response;
        const std::vector<absl::StatusOr<v1::AppendEventsResponse>> answers =
            events_.AppendAll(appends);
        for (const absl::StatusOr<v1::AppendEventsResponse>& answer : answers) {
          SetOutcome(answer, response.add_outcomes());
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
