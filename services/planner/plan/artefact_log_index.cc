#include "services/planner/plan/artefact_log_index.h"

#include "absl/strings/str_cat.h"

namespace kinora {

absl::Status ArtefactLogIndex::Add(const v1::Event& event) {
  if (event.sequence() <= last_sequence_) return absl::OkStatus();
  last_sequence_ = event.sequence();
  if (!event.has_artefact()) return absl::OkStatus();
  const v1::ArtefactEvent& attempt = event.artefact();
  bool succeeded = attempt.status() == v1::ARTEFACT_STATUS_SUCCEEDED;
  bool failed = attempt.status() == v1::ARTEFACT_STATUS_FAILED;
  if (!succeeded && !failed) return absl::OkStatus();
  absl::StatusOr<Digest> key = Digest::ParseHex(attempt.inputs_hash());
  if (!key.ok()) {
    return absl::DataLossError(
        absl::StrCat("artefacts.log, event ", event.sequence(),
                     ": inputs hash: ", key.status().message()));
  }
  Artefact& artefact = artefacts_[attempt.artefact_id()];
  artefact.history.latest_failed = failed;
  artefact.history.latest_inputs_hash = *key;
  if (!succeeded) return absl::OkStatus();
  artefact.history.succeeded_once = true;
  LoggedResult& result = artefact.results[*key];
  result.sequence = attempt.reused_sequence() != 0 ? attempt.reused_sequence()
                                                   : event.sequence();
  result.content = attempt.output();
  return absl::OkStatus();
}

const LoggedResult* ArtefactLogIndex::Find(absl::string_view artefact_id,
                                           const Digest& inputs_hash) const {
  auto artefact = artefacts_.find(artefact_id);
  if (artefact == artefacts_.end()) return nullptr;
  auto result = artefact->second.results.find(inputs_hash);
  return result == artefact->second.results.end() ? nullptr : &result->second;
}

const AttemptHistory* ArtefactLogIndex::History(
    absl::string_view artefact_id) const {
  auto artefact = artefacts_.find(artefact_id);
  return artefact == artefacts_.end() ? nullptr : &artefact->second.history;
}

}  // namespace kinora
