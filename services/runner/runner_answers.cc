// The part of Runner that answers for runs.

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/proto_time.h"
#include "common/status.h"
#include "services/runner/calls/output_schemas.h"
#include "services/runner/runner.h"
#include "services/store/event/ledger_log.h"

namespace kinora {
namespace {

v1::BreakerState BreakerStateOf(TargetStatus status) {
  switch (status) {
    case TargetStatus::kClosed:
      return v1::BREAKER_STATE_CLOSED;
    case TargetStatus::kOpen:
      return v1::BREAKER_STATE_OPEN;
    case TargetStatus::kHalfOpen:
      return v1::BREAKER_STATE_HALF_OPEN;
  }
  return v1::BREAKER_STATE_UNSPECIFIED;
}

// Into a ListedProducer, or into the answer for all of them.
template <typename Listed>
void PutRate(const CallRateLimit& rate, Listed* listed) {
  if (rate.interval <= absl::ZeroDuration()) return;
  *listed->mutable_call_interval() = ToProto(rate.interval);
  listed->set_rate_burst(rate.burst);
}

void PutStanding(const CallPlaces::Standing& standing,
                 const ProducerConfig& config, Clock& clock,
                 v1::ListedProducer* listed) {
  for (size_t i = 0; i < standing.targets.size(); ++i) {
    const CallPlaces::Standing::Target& target = standing.targets[i];
    v1::ListedTarget* one = listed->add_targets();
    one->set_target(config.targets[i]);
    one->set_breaker(BreakerStateOf(target.state.status));
    one->set_running(target.state.running);
    one->set_failures(target.state.failures);
    if (target.open_for > absl::ZeroDuration()) {
      *one->mutable_open_until() = ToProto(clock.Now() + target.open_for);
    }
  }
  listed->set_concurrency(config.concurrency);
  PutRate(config.rate, listed);
  if (standing.held_back > absl::ZeroDuration()) {
    *listed->mutable_held_back_until() =
        ToProto(clock.Now() + standing.held_back);
  }
}

}  // namespace

std::shared_ptr<RunActor> Runner::ActorOf(const std::string& run_id) {
  MutexLock lock(mu_);
  auto is_asked_for = [&run_id](const auto& active) {
    return active.second->run_id() == run_id;
  };
  for (;;) {
    auto active = std::find_if(active_.begin(), active_.end(), is_asked_for);
    if (active == active_.end()) return nullptr;
    if (!active->second->closing()) return active->second;
    ended_cv_.Wait(mu_);
  }
}

absl::StatusOr<v1::ListProducersResponse> Runner::ListProducers(
    const v1::ListProducersRequest& request) {
  const std::set<std::string> wanted(request.names().begin(),
                                     request.names().end());
  std::vector<std::string> names;
  for (const auto& config : configs_) {
    if (wanted.empty() || wanted.count(config.first) > 0) {
      names.push_back(config.first);
    }
  }
  const std::vector<absl::StatusOr<v1::DescribeResponse>> descriptions =
      deps_.producers.DescribeAll(names);
  v1::ListProducersResponse response;
  response.set_concurrency(options_.max_concurrency);
  PutRate(options_.rate, &response);
  for (size_t i = 0; i < names.size(); ++i) {
    const ProducerConfig& config = configs_.at(names[i]);
    v1::ListedProducer* listed = response.add_producers();
    listed->set_name(names[i]);
    listed->set_target(config.targets.front());
    PutStanding(places_->StandingOf(names[i]), config, deps_.clock, listed);
    const absl::StatusOr<v1::DescribeResponse>& description = descriptions[i];
    listed->set_reachable(description.ok());
    if (description.ok()) {
      listed->set_schema_error(std::string(
          CompileOutputSchemas(names[i], *description).status().message()));
      *listed->mutable_description() = *description;
    } else {
      listed->set_error(std::string(description.status().message()));
    }
  }
  return response;
}

absl::StatusOr<v1::LogName> Runner::LedgerOf(absl::string_view run_id) {
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record,
                          RecordOf(std::string(run_id)));
  return LedgerLog(record.movie_id(), run_id);
}

}  // namespace kinora
