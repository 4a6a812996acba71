#include "clients/cpp/producer/remote_producer_caller.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"

#include "clients/cpp/channel.h"
#include "clients/cpp/producer/produce_session.h"
#include "clients/cpp/producer/remote_producer_target.h"
#include "common/proto_time.h"
#include "common/rpc/status.h"
#include "common/rpc/unary.h"
#include "common/status.h"

namespace kinora {
namespace {

// Holds the session weakly: one that has ended has nothing to cancel.
class RemoteAttempt final : public Attempt {
 public:
  explicit RemoteAttempt(std::weak_ptr<ProduceSession> session)
      : session_(std::move(session)) {}

  void Cancel() override {
    if (auto session = session_.lock()) session->Cancel();
  }
  void Answer(const v1::Answer& answer) override {
    if (auto session = session_.lock()) session->Answer(answer);
  }

 private:
  const std::weak_ptr<ProduceSession> session_;
};

class EndedAttempt final : public Attempt {
 public:
  void Cancel() override {}
  void Answer(const v1::Answer&) override {}
};

}  // namespace

// Lets the destructor wait for the attempts.
class RemoteProducerCaller::CountedObserver final : public AttemptObserver {
 public:
  CountedObserver(RemoteProducerCaller& caller,
                  std::shared_ptr<AttemptObserver> observer)
      : caller_(caller), observer_(std::move(observer)) {
    MutexLock lock(caller_.mu_);
    ++caller_.attempts_;
  }
  // With the session, after its last use of the caller's parts.
  ~CountedObserver() override {
    MutexLock lock(caller_.mu_);
    if (--caller_.attempts_ == 0) caller_.idle_cv_.SignalAll();
  }

  void OnProgress(const v1::Progress& progress) override {
    observer_->OnProgress(progress);
  }
  void OnLogLines(const v1::LogLines& lines) override {
    observer_->OnLogLines(lines);
  }
  void OnQuestion(const v1::Question& question, bool takes_answer) override {
    observer_->OnQuestion(question, takes_answer);
  }
  void OnDone(AttemptResult result) override {
    observer_->OnDone(std::move(result));
  }

 private:
  RemoteProducerCaller& caller_;
  const std::shared_ptr<AttemptObserver> observer_;
};

RemoteProducerCaller::RemoteProducerCaller(
    const ProducerConfigs& producers, BlobStore& blobs, Executor& executor,
    Clock& clock, const RemoteProducerCallerOptions& options)
    : blobs_(blobs), executor_(executor), clock_(clock), options_(options) {
  ChannelOptions channel_options;
  // Attempts have a retry of their own, which counts them.
  channel_options.retry = false;
  // Outputs come in chunks; a producer is not trusted with our memory.
  channel_options.max_answer_bytes = 16 << 20;
  for (const auto& entry : producers) {
    for (const std::string& name : entry.second.targets) {
      auto target = std::make_unique<Target>();
      target->name = name;
      target->reads_files = entry.second.references;
      target->stub = v1::ProducerService::NewStub(
          options_.make_channel ? options_.make_channel(name)
                                : MakeChannel(name, channel_options));
      producers_[entry.first].push_back(std::move(target));
    }
  }
}

RemoteProducerCaller::~RemoteProducerCaller() {
  MutexLock lock(mu_);
  while (attempts_ > 0) idle_cv_.Wait(mu_);
}

absl::StatusOr<std::shared_ptr<const JsonSchema>>
RemoteProducerCaller::SchemaOf(const std::string& producer, size_t target,
                               const std::string& version,
                               const std::string& output) {
  const std::vector<std::unique_ptr<Target>>& targets = producers_.at(producer);
  for (bool asked : {false, true}) {
    if (asked) {
      KINORA_RETURN_IF_ERROR(
          DescribeTarget(producer, *targets[target]).status());
    }
    for (size_t i = 0; i < targets.size(); ++i) {
      Target& candidate = *targets[(target + i) % targets.size()];
      MutexLock lock(candidate.mu);
      if (!candidate.description.has_value() ||
          candidate.description->identity().version() != version) {
        continue;
      }
      KINORA_RETURN_IF_ERROR(candidate.schemas.status());
      const auto found = candidate.schemas->find(output);
      if (found != candidate.schemas->end()) return found->second;
      return std::shared_ptr<const JsonSchema>();
    }
  }
  return absl::UnavailableError(
      absl::StrCat("producer \"", producer, "\" at ", targets[target]->name,
                   " took the job as version \"", version,
                   "\", and describes another one now"));
}

absl::StatusOr<v1::LookUpState> RemoteProducerCaller::LookUpAt(
    absl::string_view producer, Target& target,
    const std::string& idempotency_key, CallStop& stop) {
  KINORA_ASSIGN_OR_RETURN(const v1::DescribeResponse description,
                          DescribeTarget(producer, target));
  if (!description.supports_look_up()) return v1::LOOK_UP_STATE_UNKNOWN;
  v1::LookUpJobRequest request;
  request.set_producer(std::string(producer));
  request.set_idempotency_key(idempotency_key);
  grpc::ClientContext context;
  SetTimeout(context, options_.look_up_timeout);
  v1::LookUpJobResponse response;
  absl::Status answered;
  {
    const CallStop::Way way(stop, [&context] { context.TryCancel(); });
    answered =
        FromGrpcStatus(target.stub->LookUpJob(&context, request, &response));
  }
  if (absl::IsUnimplemented(answered)) return v1::LOOK_UP_STATE_UNKNOWN;
  KINORA_RETURN_IF_ERROR(Annotate(
      answered,
      absl::StrCat("producer \"", producer, "\": look up ", idempotency_key)));
  return response.state();
}

absl::StatusOr<FoundWork> RemoteProducerCaller::LookUp(
    absl::string_view producer, const std::string& idempotency_key,
    CallStop& stop) {
  auto found = producers_.find(std::string(producer));
  if (found == producers_.end()) return UnknownProducer(producer);
  FoundWork best;
  best.state = v1::LOOK_UP_STATE_NEVER_STARTED;
  absl::Status silent;
  for (size_t i = 0; i < found->second.size(); ++i) {
    const absl::StatusOr<v1::LookUpState> state =
        stop.stopped()
            ? absl::CancelledError("the runner asks no further")
            : LookUpAt(producer, *found->second[i], idempotency_key, stop);
    if (!state.ok()) {
      silent.Update(state.status());
    } else if (*state == v1::LOOK_UP_STATE_FINISHED) {
      return FoundWork{*state, i};
    } else if (*state == v1::LOOK_UP_STATE_RUNNING) {
      best = FoundWork{*state, i};
    } else if (*state != v1::LOOK_UP_STATE_NEVER_STARTED &&
               !best.target.has_value()) {
      best.state = *state;
    }
  }
  if (best.target.has_value() || silent.ok()) return best;
  return silent;
}

ProducerManners RemoteProducerCaller::MannersOf(
    const std::vector<std::unique_ptr<Target>>& targets, size_t target,
    absl::Duration timeout) {
  ProducerManners manners;
  // What it said last, however long ago: to ask here would block. One that was
  // never asked is taken for what the others are.
  for (size_t i = 0; i < targets.size(); ++i) {
    Target& candidate = *targets[(target + i) % targets.size()];
    MutexLock lock(candidate.mu);
    if (!candidate.description.has_value()) continue;
    manners.answers_on_stream = candidate.description->answers_on_stream();
    manners.references =
        candidate.reads_files &&
        candidate.description->input_mode() == v1::INPUT_MODE_REFERENCE;
    const absl::Duration silence =
        FromProto(candidate.description->heartbeat_timeout());
    // A longer one than the attempt's own says nothing.
    if (silence > absl::ZeroDuration() && silence < timeout) {
      manners.heartbeat_timeout = silence;
    }
    break;
  }
  return manners;
}

std::unique_ptr<Attempt> RemoteProducerCaller::Start(
    AttemptRequest request, std::shared_ptr<AttemptObserver> observer) {
  auto found = producers_.find(request.header.producer());
  if (found == producers_.end() || request.target >= found->second.size()) {
    AttemptResult result;
    result.failure.emplace();
    result.failure->set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
    result.failure->set_message(
        std::string(UnknownProducer(request.header.producer()).message()));
    observer->OnDone(std::move(result));
    return std::make_unique<EndedAttempt>();
  }
  Target& target = *found->second[request.target];
  const ProducerManners manners =
      MannersOf(found->second, request.target, request.timeout);
  OutputSchemaSource schemas =
      [this, producer = request.header.producer(), target = request.target,
       version = request.producer_version](const std::string& output) {
        return SchemaOf(producer, target, version, output);
      };
  auto session = std::make_shared<ProduceSession>(
      std::move(request),
      std::make_shared<CountedObserver>(*this, std::move(observer)), blobs_,
      executor_, clock_, options_.inline_limit_bytes, manners, schemas);
  session->Start(*target.stub);
  return std::make_unique<RemoteAttempt>(session);
}

}  // namespace kinora
