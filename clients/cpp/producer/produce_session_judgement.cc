// The part of ProduceSession for its end: what the attempt came to.

#include <utility>

#include "absl/strings/str_cat.h"

#include "clients/cpp/producer/attempt_failure.h"
#include "clients/cpp/producer/produce_session.h"
#include "common/rpc/status.h"

namespace kinora {

Contact ProduceSession::ContactOf(const grpc::Status& status) const {
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return Contact::kLost;
  }
  if (accepted_ || result_.has_value()) return Contact::kAnswered;
  switch (status.error_code()) {
    case grpc::StatusCode::CANCELLED:
      return Contact::kUnknown;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return Contact::kLost;  // nothing came at all
    default:
      return Contact::kAnswered;
  }
}

AttemptResult ProduceSession::Judge(const grpc::Status& status) {
  AttemptResult result;
  result.cost = cost_;
  result.contact = ContactOf(status);
  result.version = version_;
  {
    MutexLock lock(mu_);
    if (broken_.has_value()) {
      result.failure = broken_;
      if (stalled_) {
        // As of a call that timed out: who knows how far it came.
        result.in_doubt = accepted_;
        if (!accepted_) result.contact = Contact::kLost;
      }
    } else if (cancelled_ && !status.ok()) {
      result.failure = MakeFailure(v1::FAILURE_REASON_CANCELLED,
                                   "the attempt was cancelled", false);
    }
  }
  if (result.failure.has_value()) return result;
  if (!status.ok()) {
    result.failure = FailureOfCall(FromGrpcStatus(status));
    // One that has said so is paid for, though what it made may be lost.
    result.in_doubt =
        accepted_ && (!result_.has_value() || result_->has_succeeded());
    return result;
  }
  if (!result_.has_value()) {
    result.in_doubt = accepted_;
    result.failure =
        MakeFailure(v1::FAILURE_REASON_PRODUCER_UNAVAILABLE,
                    "the producer ended the call without a result", true);
    return result;
  }
  if (result_->has_failed()) {
    result.failure = result_->failed();
    CutFailure(&*result.failure);
    if (result.failure->message().empty()) {
      result.failure->set_message("the producer does not say why");
    }
    return result;
  }
  if (result_->has_waiting()) {
    result.waits_for = result_->waiting().question_id();
    return result;
  }
  if (!result_->has_succeeded()) {
    result.failure =
        MakeFailure(v1::FAILURE_REASON_PRODUCER_ERROR,
                    "the producer's result says nothing of the outcome", false);
    return result;
  }
  for (OutputSink& sink : sinks_) {
    if (!sink.complete()) {
      result.failure =
          MakeFailure(v1::FAILURE_REASON_OUTPUT_MISSING,
                      absl::StrCat("the producer reported success without ",
                                   sink.output().artefact_id),
                      false);
      return result;
    }
    result.outputs.push_back(std::move(sink.result()));
  }
  result.diagnostics_json = result_->succeeded().diagnostics_json();
  return result;
}

}  // namespace kinora
