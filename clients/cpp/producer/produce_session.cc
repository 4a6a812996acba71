#include "clients/cpp/producer/produce_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "clients/cpp/producer/attempt_failure.h"
#include "clients/cpp/producer/input_references.h"
#include "clients/cpp/producer/leaf_split.h"
#include "common/cost_check.h"
#include "common/rpc/status.h"
#include "common/rpc/stream_task.h"
#include "common/rpc/unary.h"
#include "common/status.h"

namespace kinora {

ProduceSession::ProduceSession(AttemptRequest request,
                               std::shared_ptr<AttemptObserver> observer,
                               BlobStore& blobs, Executor& executor,
                               Clock& clock, int64_t inline_limit,
                               const ProducerManners& manners,
                               const OutputSchemaSource& schemas)
    : request_(std::move(request)),
      producer_(request_.header.producer()),
      movie_id_(request_.header.movie_id()),
      observer_(std::move(observer)),
      blobs_(blobs),
      executor_(executor),
      clock_(clock),
      manners_(manners),
      trace_(CurrentTrace()),
      inputs_(blobs_, movie_id_) {
  std::map<std::string, int> elements;
  for (const AttemptRequest::Output& output : request_.outputs) {
    ++elements[output.name];
    has_leaves_ = has_leaves_ || !output.leaf_of.empty();
  }
  for (const AttemptRequest::Output& output : request_.outputs) {
    sinks_.emplace_back(
        blobs_, movie_id_, inline_limit, output,
        output.leaf_of.empty() ? schemas : OutputSchemaSource());
    if (!output.leaf_of.empty()) continue;
    sink_by_id_[output.artefact_id] = &sinks_.back();
    if (elements[output.name] == 1) sink_by_id_[output.name] = &sinks_.back();
  }
}

void ProduceSession::Start(v1::ProducerService::Stub& stub) {
  self_ = shared_from_this();
  watch_ = std::make_shared<StallWatch>(clock_, executor_,
                                        manners_.heartbeat_timeout,
                                        [session = weak_from_this()] {
                                          if (const auto self = session.lock())
                                            self->HasStalled();
                                        });
  SetTimeout(context_, request_.timeout);
  // The call goes out with its header, not before it.
  context_.set_initial_metadata_corked(!manners_.references);
  stub.async()->Produce(&context_, this);
  // One hold per loop: between an executor's task and the next operation the
  // call has nothing under way and must not end.
  AddHold();
  AddHold();
  outgoing_.mutable_header()->Swap(&request_.header);
  outgoing_.mutable_header()->set_takes_batches(true);
  if (!manners_.references) WriteHeader();
  ReadNext();
  watch_->Start();
  StartCall();
  if (!manners_.references) return;
  PostStreamTask(
      executor_, shared_from_this(), trace_,
      [](ProduceSession& session) {
        ReferToInputs(session.blobs_, session.outgoing_.mutable_header());
        session.WriteHeader();
      },
      [](ProduceSession& session, const absl::Status& why) {
        session.BreakByStore(why, v1::FAILURE_REASON_UNSPECIFIED);
        session.RemoveHold();
      });
}

void ProduceSession::Cancel() {
  {
    MutexLock lock(mu_);
    cancelled_ = true;
  }
  context_.TryCancel();
}

void ProduceSession::WriteHeader() {
  inputs_.AddThoseOf(outgoing_.header());
  // Most jobs are told all in their header: then it, the call and the end of
  // what is written are one write.
  ends_with_header_ = inputs_.empty() && !manners_.answers_on_stream;
  if (ends_with_header_) return StartWriteLast(&outgoing_, {});
  StartWrite(&outgoing_);
}

void ProduceSession::OnWriteDone(bool ok) {
  // A stream that takes no more has ended or is about to; the reading loop and
  // the status say why.
  if (!ok) return RemoveHold();
  watch_->Hear();
  ends_with_header_ ? RemoveHold() : WriteNext();
}

void ProduceSession::WriteNext() {
  if (inputs_.empty()) {
    return manners_.answers_on_stream ? WriteAnswer() : EndWriting();
  }
  PostStreamTask(
      executor_, shared_from_this(), trace_,
      [](ProduceSession& session) { session.WriteInputPiece(); },
      [](ProduceSession& session, const absl::Status& why) {
        session.BreakByStore(why, v1::FAILURE_REASON_UNSPECIFIED);
        session.RemoveHold();
      });
}

void ProduceSession::WriteInputPiece() {
  const absl::Status read = inputs_.Next(&outgoing_);
  if (read.ok()) return StartWrite(&outgoing_);
  BreakByStore(read, v1::FAILURE_REASON_INPUT_UNRESOLVED);
  RemoveHold();
}

void ProduceSession::EndWriting() {
  StartWritesDone();
  RemoveHold();
}

void ProduceSession::ReadNext() {
  while (next_in_batch_ < batch_.responses_size()) {
    incoming_.Swap(batch_.mutable_responses(next_in_batch_++));
    if (!HandleResponse()) return;
  }
  watch_->Await(true);
  StartRead(&incoming_);
}

void ProduceSession::OnReadDone(bool ok) {
  watch_->Await(false);
  if (!ok) return EndReading();
  if (incoming_.has_batch()) {
    batch_.Swap(incoming_.mutable_batch());
    next_in_batch_ = 0;
    return ReadNext();
  }
  if (HandleResponse()) ReadNext();
}

bool ProduceSession::HandleResponse() {
  if (result_.has_value()) {
    Break(v1::FAILURE_REASON_PRODUCER_ERROR,
          "the producer sent more after its result", false);
    return true;
  }
  const auto kind = incoming_.message_case();
  if (!accepted_ && kind != v1::ProduceResponse::kAccepted &&
      kind != v1::ProduceResponse::kResult) {
    Break(v1::FAILURE_REASON_PRODUCER_ERROR,
          "the producer's first message was neither accepted nor a result",
          false);
    return true;
  }
  switch (kind) {
    case v1::ProduceResponse::kAccepted:
      return HandleAccepted(incoming_.accepted());
    case v1::ProduceResponse::kProgress:
      CutMessage(incoming_.mutable_progress()->mutable_message());
      observer_->OnProgress(incoming_.progress());
      return true;
    case v1::ProduceResponse::kLogLines:
      observer_->OnLogLines(incoming_.log_lines());
      return true;
    case v1::ProduceResponse::kQuestion:
      HandleQuestion();
      return true;
    case v1::ProduceResponse::kOutputChunk:
      return HandleChunk();
    case v1::ProduceResponse::kUsage:
      HandleUsage();
      return true;
    case v1::ProduceResponse::kResult:
      return HandleResult();
    case v1::ProduceResponse::kBatch:
      Break(v1::FAILURE_REASON_PRODUCER_ERROR,
            "the producer sent a batch in a batch", false);
      return true;
    case v1::ProduceResponse::MESSAGE_NOT_SET:
      return true;  // from a newer producer
  }
  return true;
}

bool ProduceSession::HandleAccepted(const v1::Accepted& accepted) {
  accepted_ = true;
  version_ = accepted.identity().version();
  if (version_ != request_.producer_version) {
    Break(v1::FAILURE_REASON_PRODUCER_ERROR,
          absl::StrCat("producer \"", producer_, "\" changed from version \"",
                       request_.producer_version, "\" to \"", version_,
                       "\" since the plan was made: a new run plans again"),
          true);
  }
  return true;
}

bool ProduceSession::HandleChunk() {
  auto sink = sink_by_id_.find(incoming_.output_chunk().output());
  if (sink == sink_by_id_.end()) {
    Break(v1::FAILURE_REASON_OUTPUT_INVALID,
          absl::StrCat("the producer sent an output that was not asked for: \"",
                       ClipValue(incoming_.output_chunk().output()), "\""),
          false);
    return true;
  }
  OutputSink& output = *sink->second;
  if (!output.Blocks(incoming_.output_chunk())) {
    TakeChunk(output);
    return true;
  }
  PostStreamTask(
      executor_, shared_from_this(), trace_,
      [&output](ProduceSession& session) {
        session.TakeChunk(output);
        session.ReadNext();
      },
      [](ProduceSession& session, const absl::Status& why) {
        session.BreakByStore(why, v1::FAILURE_REASON_UNSPECIFIED);
        session.EndReading();
      });
  return false;
}

bool ProduceSession::HandleResult() {
  result_ = incoming_.result();
  watch_->Stop();  // it has said all that it has to say
  StopAnswering();
  if (!has_leaves_ || !result_->has_succeeded()) return true;
  PostStreamTask(
      executor_, shared_from_this(), trace_,
      [](ProduceSession& session) {
        const absl::Status status =
            SplitLeaves(session.blobs_, session.movie_id_, &session.sinks_);
        if (!status.ok()) {
          session.BreakByStore(status, v1::FAILURE_REASON_OUTPUT_INVALID);
        }
        session.ReadNext();
      },
      [](ProduceSession& session, const absl::Status& why) {
        session.BreakByStore(why, v1::FAILURE_REASON_UNSPECIFIED);
        session.EndReading();
      });
  return false;
}

void ProduceSession::TakeChunk(OutputSink& sink) {
  const absl::Status status = sink.Take(incoming_.output_chunk());
  if (sink.misfit()) {
    // What a model made may be better the next time.
    Break(v1::FAILURE_REASON_OUTPUT_INVALID,
          Annotate(status, sink.output().artefact_id).message(), true);
  } else if (!status.ok()) {
    BreakByStore(Annotate(status, sink.output().artefact_id),
                 v1::FAILURE_REASON_OUTPUT_INVALID);
  }
}

void ProduceSession::HandleUsage() {
  if (!incoming_.usage().has_cost()) return;
  const v1::Cost& cost = incoming_.usage().cost();
  const absl::Status valid = ValidateCost("usage.cost", cost);
  if (valid.ok()) {
    cost_ = cost;
  } else {
    Break(v1::FAILURE_REASON_PRODUCER_ERROR, valid.message(), false);
  }
}

void ProduceSession::EndReading() {
  StopAnswering();
  RemoveHold();
}

void ProduceSession::HasStalled() {
  {
    MutexLock lock(mu_);
    if (cancelled_ || broken_.has_value()) return;
    stalled_ = true;
  }
  Break(v1::FAILURE_REASON_DEADLINE_EXCEEDED,
        absl::StrCat("the producer has stalled: no word from it for ",
                     absl::FormatDuration(manners_.heartbeat_timeout),
                     ", its heartbeat_timeout"),
        true);
}

void ProduceSession::Break(v1::FailureReason reason, absl::string_view message,
                           bool retryable) {
  {
    MutexLock lock(mu_);
    if (!broken_.has_value()) {
      broken_ = MakeFailure(reason, message, retryable);
    }
  }
  context_.TryCancel();
}

void ProduceSession::BreakByStore(const absl::Status& status,
                                  v1::FailureReason reason) {
  // A store that cannot be reached is not the job's fault.
  const bool retryable = status.code() == absl::StatusCode::kUnavailable ||
                         status.code() == absl::StatusCode::kDeadlineExceeded;
  Break(retryable ? v1::FAILURE_REASON_UNSPECIFIED : reason, status.message(),
        retryable);
}

void ProduceSession::OnDone(const grpc::Status& status) {
  const std::shared_ptr<ProduceSession> self = std::move(self_);
  watch_->Stop();
  observer_->OnDone(Judge(status));
}

}  // namespace kinora
