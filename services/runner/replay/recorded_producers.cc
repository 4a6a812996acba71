#include "services/runner/replay/recorded_producers.h"

#include "absl/strings/str_cat.h"

namespace kinora {
namespace {

class AnsweredAttempt final : public Attempt {
 public:
  void Cancel() override {}
  void Answer(const v1::Answer&) override {}
};

AttemptResult NotRecorded(const AttemptRequest& request) {
  AttemptResult result;
  result.contact = Contact::kAnswered;
  result.version = request.producer_version;
  result.failure.emplace();
  result.failure->set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
  result.failure->set_message(
      absl::StrCat("the record has no answer for inputs hash ",
                   request.header.inputs_hash()));
  return result;
}

}  // namespace

RecordedProducers::RecordedProducers(
    const RecordedRun& run, std::map<std::string, std::string> versions,
    Executor& executor, ProducerCaller* others)
    : versions_(std::move(versions)), executor_(executor), others_(others) {
  if (others_ != nullptr) {
    std::vector<std::string> names;
    for (const auto& version : versions_) names.push_back(version.first);
    // All at once: who is away has no say, but is no obstacle either.
    std::vector<absl::StatusOr<v1::DescribeResponse>> told =
        others_->DescribeAll(names);
    for (size_t i = 0; i < names.size(); ++i) {
      if (told[i].ok()) described_[names[i]] = *std::move(told[i]);
    }
  }
  for (const v1::Event& event : run.results) {
    const v1::ArtefactEvent& result = event.artefact();
    // Nobody was called for what was there.
    if (result.reused_sequence() != 0) continue;
    Work& work = works_[{result.produced_by().job_id(), result.inputs_hash()}];
    if (result.status() == v1::ARTEFACT_STATUS_SUCCEEDED) {
      work.made[result.artefact_id()] = &result;
    } else if (result.status() == v1::ARTEFACT_STATUS_FAILED) {
      work.failure = &result.failure();
    }
  }
}

absl::StatusOr<v1::DescribeResponse> RecordedProducers::Describe(
    absl::string_view producer, const std::string& version) {
  std::string known = version;
  if (const auto found = versions_.find(std::string(producer));
      known.empty() && found != versions_.end()) {
    known = found->second;
  }
  // One that the record knows nothing of: a fork may lead to it.
  if (known.empty() && others_ != nullptr) {
    return others_->Describe(producer, version);
  }
  v1::DescribeResponse description;
  if (const auto told = described_.find(std::string(producer));
      told != described_.end()) {
    description = told->second;
    // What the record has fits the outputs that were declared then.
    description.clear_outputs();
  }
  description.mutable_identity()->set_name(std::string(producer));
  description.mutable_identity()->set_version(known);
  return description;
}

std::unique_ptr<Attempt> RecordedProducers::Start(
    AttemptRequest request, std::shared_ptr<AttemptObserver> observer) {
  const std::string job_id = request.header.job_id();
  std::optional<AttemptResult> result = ResultOf(request);
  {
    MutexLock lock(mu_);
    if (result.has_value()) {
      answered_.insert(job_id);
    } else {
      unrecorded_[job_id] = request.header.inputs_hash();
    }
  }
  if (!result.has_value()) {
    if (others_ != nullptr) {
      return others_->Start(std::move(request), std::move(observer));
    }
    result = NotRecorded(request);
  }
  executor_.Post(
      [observer = std::move(observer), answer = *std::move(result)]() mutable {
        observer->OnDone(std::move(answer));
      });
  return std::make_unique<AnsweredAttempt>();
}

std::optional<AttemptResult> RecordedProducers::ResultOf(
    const AttemptRequest& request) const {
  const auto found =
      works_.find({request.header.job_id(), request.header.inputs_hash()});
  if (found == works_.end()) return std::nullopt;
  const Work& work = found->second;
  AttemptResult result;
  result.contact = Contact::kAnswered;
  result.version = request.producer_version;
  for (const AttemptRequest::Output& wanted : request.outputs) {
    const auto made = work.made.find(wanted.artefact_id);
    if (made == work.made.end()) break;
    const v1::ArtefactEvent& event = *made->second;
    result.outputs.push_back({event.output(), event.readable_path()});
    if (!event.diagnostics_json().empty()) {
      result.diagnostics_json = event.diagnostics_json();
    }
    if (event.has_cost()) result.cost = event.cost();
  }
  if (result.outputs.size() == request.outputs.size()) return result;
  if (work.failure == nullptr) return std::nullopt;
  result.outputs.clear();
  result.failure = *work.failure;
  result.failure->set_retryable(false);
  result.failure->clear_retry_after();
  return result;
}

std::set<std::string> RecordedProducers::answered() const {
  MutexLock lock(mu_);
  return answered_;
}

std::map<std::string, std::string> RecordedProducers::unrecorded() const {
  MutexLock lock(mu_);
  return unrecorded_;
}

}  // namespace kinora
