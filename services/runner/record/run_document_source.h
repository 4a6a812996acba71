// The run record, as a document, of one of Kinora's own runs: made of what the
// store has of it.

#ifndef KINORA_SERVICES_RUNNER_RECORD_RUN_DOCUMENT_SOURCE_H_
#define KINORA_SERVICES_RUNNER_RECORD_RUN_DOCUMENT_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "common/json/json.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/run_record.pb.h"

namespace kinora {

// Folds what the store has of one run into its document, which then goes
// through the steps of run_document.h. docs/records.md says what becomes of
// what. Holds no events: its size is that of the document. Pure; not
// thread-safe.
class RunDocumentSource {
 public:
  explicit RunDocumentSource(v1::RunRecord record);

  // The plan that the run carries out: jobs come in its order, and those that
  // were planned later behind them as the ledger has them.
  void TakePlan(const v1::Plan& plan);
  // An event of the run's ledger, in their order.
  void TakeLedger(const v1::LedgerEvent& event);
  // An event of the movie's log of artefacts, in their order; what is not of
  // this run is passed over.
  void TakeArtefact(const v1::Event& event);
  // A run that one of its jobs started.
  void TakeChild(const v1::RunRecord& child);

  // Passes CheckRunDocument().
  JsonValue Document() const;

 private:
  struct Stage {
    std::string job_id;
    std::string node;
    std::string status;
    std::string outcome;
    std::string error;
    bool reused = false;
    uint32_t attempts = 0;
    int64_t started_ms = 0;  // 0 for not at all
    int64_t finished_ms = 0;
    std::vector<JsonValue> artifacts;  // of one id only the latest
    std::string visible_text;
    JsonObject notes;  // of the producer
  };
  struct Question {
    std::string job_id;
    std::string question_id;
    JsonObject json;
  };

  Stage& StageOf(const std::string& job_id);
  void TakeReported(const v1::LedgerEvent& event);
  void TakeJob(const v1::LedgerEvent& event);
  void TakeQuestion(const v1::LedgerEvent& event, const JsonValue& detail);
  JsonObject Metadata() const;
  JsonArray Questions() const;
  JsonArray ChildRuns() const;
  std::vector<const Stage*> OrderedStages() const;

  v1::RunRecord record_;
  std::optional<v1::RunStatus> end_;  // by the ledger, which decides
  int64_t end_ms_ = 0;
  std::string error_;
  JsonObject result_;          // of a run that ended well
  std::vector<Stage> stages_;  // as first seen
  absl::flat_hash_map<std::string, size_t> stage_of_;  // by job id
  absl::flat_hash_map<std::string, size_t> place_of_;  // in the plan
  std::vector<Question> questions_;  // as they were asked first
  // Their places, by job and id; and which job was the first to ask one of that
  // id.
  absl::flat_hash_map<std::pair<std::string, std::string>, size_t>
      question_place_;
  absl::flat_hash_map<std::string, std::string> first_asker_;
  std::vector<v1::RunRecord> children_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_RUN_DOCUMENT_SOURCE_H_
