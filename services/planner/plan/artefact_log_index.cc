#include "services/planner/plan/artefact_log_index.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/job_failure.h"

namespace kinora {
absl::Status ArtefactLogIndex::Add(const v1::Event& event) {
  if (event.sequence() <= last_sequence_) return absl::OkStatus();
  last_sequence_ = event.sequence();
  if (!event.has_artefact()) return absl::OkStatus();
  const v1::ArtefactEvent& attempt = event.artefact();
  const bool succeeded = attempt.status() == v1::ARTEFACT_STATUS_SUCCEEDED;
  const bool failed = attempt.status() == v1::ARTEFACT_STATUS_FAILED;
  if (!succeeded && !failed) return absl::OkStatus();
  const absl::StatusOr<Digest> key = Digest::ParseHex(attempt.inputs_hash());
  if (!key.ok()) {
    return absl::DataLossError(
        absl::StrCat("artefacts.log, event ", event.sequence(),
                     ": inputs hash: ", key.status().message()));
  }
  const std::string& id = attempt.artefact_id();
  if (failed) {
    if (IsJobFailure(attempt)) {
      failures_[{id, *key}] = shared_failures_.Keep(attempt.failure());
    }
    return absl::OkStatus();
  }
  if (!failures_.empty()) failures_.erase({id, *key});
  LoggedResult& result = artefacts_[id][*key];
  result.sequence = attempt.reused_sequence() != 0 ? attempt.reused_sequence()
                                                   : event.sequence();
  result.content = attempt.output();
  result.run_id = RunOf(attempt);
  const auto edit = hand_edits_.find(id);
  if (attempt.produced_by().edited_by() == v1::EDITED_BY_USER) {
    hand_edits_.insert_or_assign(id, HandEdit{*key, result, event.sequence()});
  } else if (edit != hand_edits_.end() && edit->second.inputs_hash == *key &&
             (attempt.reused_sequence() == 0 ||
              ContentHash(attempt.output()) !=
                  ContentHash(edit->second.result.content))) {
    // Made anew, or gone back to what it was before the edit.
    hand_edits_.erase(edit);
  }
  return absl::OkStatus();
}

// Events of a run stand together, so that they share the id.
std::shared_ptr<const std::string> ArtefactLogIndex::RunOf(
    const v1::ArtefactEvent& attempt) {
  const std::string& run_id = attempt.produced_by().run_id();
  if (attempt.reused_sequence() != 0 || run_id.empty()) return nullptr;
  if (latest_run_ == nullptr || *latest_run_ != run_id) {
    latest_run_ = std::make_shared<const std::string>(run_id);
  }
  return latest_run_;
}

const LoggedResult* ArtefactLogIndex::FindOne(absl::string_view artefact_id,
                                              const Digest& inputs_hash) const {
  const auto artefact = artefacts_.find(artefact_id);
  if (artefact == artefacts_.end()) return nullptr;
  const auto result = artefact->second.find(inputs_hash);
  return result == artefact->second.end() ? nullptr : &result->second;
}

bool ArtefactLogIndex::WasMade(absl::string_view artefact_id) const {
  return artefacts_.contains(artefact_id);
}

absl::StatusOr<std::vector<std::optional<LoggedResult>>> ArtefactLogIndex::Find(
    absl::Span<const ResultQuery> queries) const {
  std::vector<std::optional<LoggedResult>> found;
  found.reserve(queries.size());
  for (const ResultQuery& query : queries) {
    const LoggedResult* result = FindOne(query.artefact_id, query.inputs_hash);
    found.push_back(result == nullptr ? std::nullopt
                                      : std::optional<LoggedResult>(*result));
  }
  return found;
}

absl::StatusOr<std::vector<bool>> ArtefactLogIndex::WereMade(
    absl::Span<const std::string> artefact_ids) const {
  std::vector<bool> made;
  made.reserve(artefact_ids.size());
  for (const std::string& id : artefact_ids) made.push_back(WasMade(id));
  return made;
}

}  // namespace kinora
