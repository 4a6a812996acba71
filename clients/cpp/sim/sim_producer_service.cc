#include "clients/cpp/sim/sim_producer_service.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "clients/cpp/sim/sim_reference.h"
#include "clients/cpp/sim/sim_script.h"
#include "common/rpc/call_context.h"
#include "common/rpc/status.h"
#include "common/status.h"
#include "common/threads/mutex.h"

namespace kinora {
namespace {

// A batch is full from there on, so that no message grows large by it.
constexpr size_t kBatchBytes = 64 * 1024;

// One Produce stream. The executor's timer may outlive the stream, so the
// object keeps itself alive until OnDone() and the timer holds a copy.
class SimJob final
    : public grpc::ServerBidiReactor<v1::ProduceRequest, v1::ProduceResponse>,
      public std::enable_shared_from_this<SimJob> {
 public:
  SimJob(Executor& executor, const SimProducerOptions& options,
         std::atomic<int64_t>& calls)
      : executor_(executor), options_(options), calls_(calls) {}

  void Start(const absl::Status& admitted) {
    MutexLock lock(mu_);
    self_ = shared_from_this();
    if (!admitted.ok()) closing_ = ToGrpcStatus(admitted);
    if (admitted.ok()) StartRead(&request_);
    Advance();
  }

  void OnReadDone(bool ok) override {
    MutexLock lock(mu_);
    if (closing_.has_value() || finished_) return;
    const absl::Status status = ok ? Take() : TakeHalfClose();
    if (!status.ok()) closing_ = ToGrpcStatus(status);
    Advance();
    if (ok && !closing_.has_value()) StartRead(&request_);
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(mu_);
    writing_ = false;
    if (!ok && !closing_.has_value()) closing_ = grpc::Status::CANCELLED;
    Advance();
  }

  void OnCancel() override {
    MutexLock lock(mu_);
    if (timer_ != 0) executor_.Cancel(timer_);
    if (!closing_.has_value()) closing_ = grpc::Status::CANCELLED;
    Advance();
  }

  void OnDone() override { self_.reset(); }

 private:
  absl::Status Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    switch (request_.message_case()) {
      case v1::ProduceRequest::kHeader: {
        if (script_.has_value()) {
          return InvalidField("header", request_.header().job_id(),
                              "sent a second time");
        }
        calls_.fetch_add(1);
        producer_ = request_.header().producer();
        key_ = request_.header().idempotency_key();
        takes_batches_ = request_.header().takes_batches();
        if (options_.record != nullptr) {
          KINORA_RETURN_IF_ERROR(options_.record->Started(key_));
        }
        KINORA_ASSIGN_OR_RETURN(
            SimScript script,
            SimScript::Make(std::move(*request_.mutable_header())));
        if (script.is_lost()) {
          return absl::UnavailableError("simulated loss of the call");
        }
        script_ = std::move(script);
        script_->StayOpen(options_.answers_on_stream);
        ReadReferences();
        if (script_->CheckInputs().ok()) Begin();
        return absl::OkStatus();
      }
      case v1::ProduceRequest::kInputChunk:
        if (!script_.has_value()) break;
        KINORA_RETURN_IF_ERROR(script_->TakeInput(request_.input_chunk()));
        BeginIfComplete();
        return absl::OkStatus();
      case v1::ProduceRequest::kAnswer:
        if (!script_.has_value()) break;
        script_->TakeAnswer(request_.answer());
        return absl::OkStatus();
      case v1::ProduceRequest::MESSAGE_NOT_SET:
        break;
    }
    return InvalidField("message", "", "the first message must be a header");
  }

  absl::Status TakeHalfClose() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!script_.has_value()) {
      return InvalidField("header", "", "the stream ended without one");
    }
    script_->StayOpen(false);
    half_closed_ = true;
    return BeginAfterHalfClose();
  }

  absl::Status BeginAfterHalfClose() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (begun_ || reads_references_) return absl::OkStatus();
    KINORA_RETURN_IF_ERROR(script_->CheckInputs());
    Begin();
    return absl::OkStatus();
  }

  // One that takes answers on the stream cannot wait for its half-close.
  void BeginIfComplete() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!options_.answers_on_stream || begun_) return;
    if (script_->CheckInputs().ok()) Begin();
  }

  // Without files to read them from, the job ends for want of its inputs.
  void ReadReferences() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (options_.files == nullptr) return;
    std::vector<SimReference> references = script_->References();
    if (references.empty()) return;
    reads_references_ = true;
    // The service may be gone when a task of a cancelled job has its turn.
    executor_.Post([self = shared_from_this(), files = options_.files,
                    references = std::move(references)] {
      absl::Status status;
      for (const SimReference& reference : references) {
        if (status.ok()) {
          status = ReadSimReference(*files, reference,
                                    [&self](const v1::InputChunk& chunk) {
                                      return self->TakePiece(chunk);
                                    });
        }
      }
      self->ReferencesAreRead(std::move(status));
    });
  }

  absl::Status TakePiece(const v1::InputChunk& chunk) {
    MutexLock lock(mu_);
    if (closing_.has_value() || finished_) {
      return absl::CancelledError("the job has ended");
    }
    return script_->TakeInput(chunk);
  }

  void ReferencesAreRead(absl::Status status) {
    MutexLock lock(mu_);
    reads_references_ = false;
    if (closing_.has_value() || finished_) return;
    if (status.ok() && half_closed_) status = BeginAfterHalfClose();
    if (!status.ok()) {
      closing_ = ToGrpcStatus(status);
    } else {
      BeginIfComplete();
    }
    Advance();
  }

  void Begin() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    begun_ = true;
    if (script_->delay() == absl::ZeroDuration()) {
      answering_ = true;
      return;
    }
    timer_ = executor_.PostAfter(script_->delay(), [self = shared_from_this()] {
      MutexLock lock(self->mu_);
      self->answering_ = true;
      self->Advance();
    });
  }

  // Starts the next write or the finish, if neither is under way.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (writing_ || finished_) return;
    if (closing_.has_value()) {
      finished_ = true;
      Finish(*closing_);
      return;
    }
    if (!script_.has_value()) return;
    Gather();
    const v1::ProduceBatch& said = response_.batch();
    if (said.responses().empty()) {
      if (closing_.has_value()) Advance();
      return;
    }
    const v1::ProduceResponse* const message =
        said.responses_size() == 1 ? &said.responses(0) : &response_;
    const bool is_first = !std::exchange(written_, true);
    if (is_first && closing_.has_value()) {
      // Not behind other messages: a caller in this process that is not reading
      // just then would get the end without the message (gRPC 1.51).
      finished_ = true;
      StartWriteAndFinish(message, {}, *closing_);
      return;
    }
    writing_ = true;
    grpc::WriteOptions options;
    // What is followed at once goes out with what follows, be it the end. But
    // not the first: it has the call's metadata, which is done when it is sent.
    if (!is_first && answering_ && !script_->paused()) {
      options.set_buffer_hint();
    }
    StartWrite(message, options);
  }

  // Puts into the batch what can be said now, and no more than the next message
  // for a caller that takes no batches. Behind the result the call is to end.
  void Gather() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    v1::ProduceBatch& batch = *response_.mutable_batch();
    batch.Clear();
    size_t bytes = 0;
    do {
      v1::ProduceResponse& next = *batch.add_responses();
      if (!Say(&next)) {
        batch.mutable_responses()->RemoveLast();
        return;
      }
      bytes += next.ByteSizeLong();
      if (!next.has_result()) continue;
      closing_ = grpc::Status::OK;
      if (!next.result().has_succeeded() || options_.record == nullptr) return;
      // As with a provider, it is paid for before the caller knows.
      const absl::Status recorded = options_.record->Finished(key_);
      if (recorded.ok()) return;
      closing_ = ToGrpcStatus(recorded);
      batch.mutable_responses()->RemoveLast();
      return;
    } while (takes_batches_ && bytes < kBatchBytes);
  }

  // False if there is nothing to say yet.
  bool Say(v1::ProduceResponse* response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!accepted_) {
      accepted_ = true;
      v1::ProducerIdentity& identity =
          *response->mutable_accepted()->mutable_identity();
      identity.set_name(producer_);
      identity.set_version(options_.version);
      return true;
    }
    return answering_ && !script_->paused() && script_->Next(response);
  }

  Executor& executor_;
  const SimProducerOptions& options_;
  std::atomic<int64_t>& calls_;

  // Only touched by the reaction of the read or write it belongs to.
  v1::ProduceRequest request_;

  Mutex mu_;
  std::shared_ptr<SimJob> self_;
  v1::ProduceResponse response_ ABSL_GUARDED_BY(mu_);  // a batch
  std::optional<SimScript> script_ ABSL_GUARDED_BY(mu_);
  std::string producer_ ABSL_GUARDED_BY(mu_);
  std::string key_ ABSL_GUARDED_BY(mu_);
  Executor::TimerId timer_ ABSL_GUARDED_BY(mu_) = 0;
  bool takes_batches_ ABSL_GUARDED_BY(mu_) = false;
  bool accepted_ ABSL_GUARDED_BY(mu_) = false;
  bool reads_references_ ABSL_GUARDED_BY(mu_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mu_) = false;
  bool begun_ ABSL_GUARDED_BY(mu_) = false;
  bool answering_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool written_ ABSL_GUARDED_BY(mu_) = false;  // the first message
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<grpc::Status> closing_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

SimProducerService::SimProducerService(Executor& executor,
                                       SimProducerOptions options)
    : executor_(executor), options_(std::move(options)) {}

grpc::ServerUnaryReactor* SimProducerService::Describe(
    grpc::CallbackServerContext* context, const v1::DescribeRequest* request,
    v1::DescribeResponse* response) {
  response->mutable_identity()->set_name(request->producer());
  response->mutable_identity()->set_version(options_.version);
  response->set_description("Makes deterministic stand-ins for any output.");
  response->set_settings_schema_json(std::string(SimSettingsSchema()));
  response->set_input_mode(options_.files == nullptr
                               ? v1::INPUT_MODE_STREAM
                               : v1::INPUT_MODE_REFERENCE);
  response->set_supports_look_up(options_.record != nullptr);
  response->set_answers_on_stream(options_.answers_on_stream);
  response->mutable_outputs()->Assign(options_.outputs.begin(),
                                      options_.outputs.end());
  if (options_.price_micros > 0) {
    for (v1::Cost* cost : {response->mutable_price()->mutable_low(),
                           response->mutable_price()->mutable_high()}) {
      cost->set_currency_code("USD");
      cost->set_micros(options_.price_micros);
    }
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* SimProducerService::LookUpJob(
    grpc::CallbackServerContext* context, const v1::LookUpJobRequest* request,
    v1::LookUpJobResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (options_.record == nullptr) {
    reactor->Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED,
                                 "this producer keeps no record of its work"));
    return reactor;
  }
  response->set_state(options_.record->StateOf(request->idempotency_key()));
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerBidiReactor<v1::ProduceRequest, v1::ProduceResponse>*
SimProducerService::Produce(grpc::CallbackServerContext* context) {
  auto job = std::make_shared<SimJob>(executor_, options_, calls_);
  job->Start(AdmitCall(context));
  return job.get();
}

}  // namespace kinora
