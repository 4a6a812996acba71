// What a run has made durable, as the store was told: against this its calls of
// producers are held.

#ifndef KINORA_TESTS_MODEL_RUN_TRUTH_H_
#define KINORA_TESTS_MODEL_RUN_TRUTH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/producer.pb.h"
#include "services/store/store.h"

namespace kinora {

// Takes the appends of all runners of one movie that became durable.
//
// A job whose attempt was lost is in doubt. It may be started again once its
// producer has told what became of it, or a person has asked for it; at a
// producer named `free` without either.
class RunTruth {
 public:
  // An append that was answered. One that was made before, and is asked again,
  // is answered as it was then.
  void Appended(const v1::AppendEventsRequest& request,
                const v1::AppendEventsResponse& answer);

  // What the store has after it was started again: nothing that was answered
  // may be missing, and what was not answered may be there.
  absl::Status Recovered(const Store& store, const std::string& movie_id);

  // A producer has told what became of the work with that key.
  void Told(absl::string_view idempotency_key);
  // A person has all jobs called again that are in doubt.
  void Retried() { in_doubt_.clear(); }

  // Checks a call that is about to be made.
  void Called(const v1::JobHeader& header);

  // What the run may cost, from its start on; the ledger tells of later caps.
  void Limit(int64_t cap_micros) { cap_ = cap_micros; }
  // Without a value there is no limit.
  std::optional<int64_t> cap() const { return cap_; }
  // Checks what a provider is paid, whether anybody hears of it or not.
  void Charged(const std::string& job_id, int64_t micros);

  // Jobs whose outputs were accepted, and from which producer.
  const std::map<std::string, std::string>& accepted() const {
    return accepted_;
  }
  // Micros charged for them, as the events have it.
  int64_t cost() const { return cost_; }

  // What went against a rule, in words.
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  absl::Status Recovered(const Store& store, const v1::LogName& log);
  void Take(v1::LogKind kind, int64_t sequence, const v1::Event& event);
  void Take(const v1::LedgerEvent& event);
  void TakeRetry(const v1::JobEvent& event);
  void Take(const v1::ArtefactEvent& event);
  void Violate(const std::string& job_id, const std::string& what);

  std::map<v1::LogKind, int64_t> known_;     // sequences taken
  std::map<std::string, uint32_t> started_;  // attempts, by job
  std::map<std::string, std::string> job_by_inputs_hash_;
  std::set<std::string> completed_;
  std::set<std::string> in_doubt_;
  std::set<std::string> doubts_told_;  // by the ledger, and not called since
  std::set<std::string> answered_;
  std::map<std::string, std::string> accepted_;
  std::set<std::string> artefacts_;
  int64_t cost_ = 0;
  std::optional<int64_t> cap_;
  int64_t charged_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace kinora

#endif  // KINORA_TESTS_MODEL_RUN_TRUTH_H_
