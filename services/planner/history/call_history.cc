#include "services/planner/history/call_history.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/proto_time.h"

namespace kinora {

void CallHistory::Add(const v1::Event& event) {
  if (event.sequence() <= last_sequence_) return;
  last_sequence_ = event.sequence();
  const v1::ArtefactEvent& attempt = event.artefact();
  const v1::ProducedBy& by = attempt.produced_by();
  if (!event.has_artefact() || by.run_id().empty()) return;
  std::string key =
      absl::StrCat(by.run_id(), " ", by.job_id(), " ", by.attempt());
  const bool first = by.job_id().empty() || key != last_attempt_;
  last_attempt_ = std::move(key);
  if (!first || attempt.reused_sequence() != 0 ||
      attempt.status() != v1::ARTEFACT_STATUS_SUCCEEDED) {
    return;
  }
  RecordedCalls& calls = calls_[by.producer().name()];
  ++calls.count;
  if (attempt.has_cost()) {
    const int64_t micros = attempt.cost().micros();
    calls.latest_currency = attempt.cost().currency_code();
    const auto entry = calls.micros.try_emplace(attempt.cost().currency_code(),
                                                std::make_pair(micros, micros));
    auto& range = entry.first->second;
    range.first = std::min(range.first, micros);
    range.second = std::max(range.second, micros);
  }
  if (attempt.has_duration()) {
    const absl::Duration took = FromProto(attempt.duration());
    calls.shortest = std::min(calls.shortest.value_or(took), took);
    calls.longest = std::max(calls.longest.value_or(took), took);
    calls.durations.Add(took);
  }
}

const RecordedCalls* CallHistory::Find(const std::string& producer) const {
  const auto found = calls_.find(producer);
  return found == calls_.end() ? nullptr : &found->second;
}

v1::GetJobDurationsResponse DurationsOf(const CallHistory& history) {
  v1::GetJobDurationsResponse response;
  for (const auto& [name, calls] : history.calls()) {
    v1::ProducerDurations& producer = *response.add_producers();
    producer.set_producer(name);
    producer.set_recorded_calls(calls.count);
    if (!calls.shortest.has_value()) continue;
    *producer.mutable_shortest() = ToProto(*calls.shortest);
    *producer.mutable_longest() = ToProto(*calls.longest);
    *producer.mutable_median() = ToProto(*calls.durations.Median());
  }
  return response;
}

}  // namespace kinora
