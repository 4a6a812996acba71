#include "services/runner/steps/job_claims.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

#include "common/json/json.h"
#include "common/json/json_writer.h"

namespace kinora {
namespace {

constexpr char kClaimed[] = "claimed";
// Keeps an event small; ids are up to a few hundred bytes.
constexpr size_t kMaxJobsOfEvent = 500;

}  // namespace

std::string StepLeaseId(absl::string_view run_id, absl::string_view call) {
  return absl::StrCat("run/", run_id, "/", call);
}

std::vector<v1::JobEvent> ClaimEvents(const std::string& call,
                                      const std::vector<std::string>& jobs) {
  std::vector<v1::JobEvent> events;
  for (size_t next = 0; next < jobs.size(); next += kMaxJobsOfEvent) {
    const size_t end = std::min(jobs.size(), next + kMaxJobsOfEvent);
    JsonArray ids;
    for (size_t i = next; i < end; ++i) ids.push_back(JsonValue(jobs[i]));
    JsonObject detail;
    detail.Add("call", JsonValue(call));
    detail.Add("jobs", JsonValue(std::move(ids)));
    v1::JobEvent& event = events.emplace_back();
    event.set_type(kClaimed);
    event.set_job_id(jobs[next]);
    event.set_detail_json(ToJson(JsonValue(std::move(detail))));
  }
  return events;
}

void JobClaims::Apply(const v1::LedgerEvent& event) {
  if (!event.has_job() || event.job().type() != kClaimed) return;
  const JsonValue detail =
      ParseJson(event.job().detail_json()).value_or(JsonValue());
  const JsonValue* call = detail.Find("call");
  const JsonValue* jobs = detail.Find("jobs");
  if (call == nullptr || !call->is_string() || jobs == nullptr ||
      !jobs->is_array()) {
    return;
  }
  for (const JsonValue& job : jobs->array()) {
    if (!job.is_string()) continue;
    std::vector<std::string>& calls = calls_[job.string_value()];
    // An append that was repeated says the same twice.
    if (std::find(calls.begin(), calls.end(), call->string_value()) ==
        calls.end()) {
      calls.push_back(call->string_value());
    }
  }
}

std::set<std::string> JobClaims::Before(
    const std::string& call, const std::vector<std::string>& jobs) const {
  std::set<std::string> before;
  for (const std::string& job : jobs) {
    const auto found = calls_.find(job);
    if (found == calls_.end()) continue;
    const std::vector<std::string>& calls = found->second;
    before.insert(calls.begin(), std::find(calls.begin(), calls.end(), call));
  }
  return before;
}

void JobClaims::Forget(const std::string& call,
                       const std::vector<std::string>& jobs) {
  for (const std::string& job : jobs) {
    const auto found = calls_.find(job);
    if (found == calls_.end()) continue;
    std::vector<std::string>& calls = found->second;
    calls.erase(std::remove(calls.begin(), calls.end(), call), calls.end());
    if (calls.empty()) calls_.erase(found);
  }
}

}  // namespace kinora
