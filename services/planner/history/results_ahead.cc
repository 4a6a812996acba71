#include "services/planner/history/results_ahead.h"

#include <cstdint>

#include "common/content.h"
#include "common/digest.h"
#include "common/ids.h"
#include "common/status.h"
#include "services/planner/history/work_key.h"
#include "services/planner/plan/takes.h"

namespace kinora {
namespace {

// Each is a call of the store, and a fan-in may read a million.
constexpr size_t kMaxLooks = 1'000;

}  // namespace

absl::StatusOr<ResultsAhead::Result> ResultsAhead::Of(
    const std::string& artefact_id) {
  const auto known = found_.find(artefact_id);
  if (known != found_.end()) return known->second;
  if (found_.size() == kMaxLooks) return Result();
  found_[artefact_id] = Result();
  KINORA_ASSIGN_OR_RETURN(const std::optional<v1::Event> event,
                          find_(artefact_id));
  if (!event.has_value() || !IsAhead(*event)) return Result();
  Result result;
  result.is_made = true;
  result.hash = ContentHash(event->artefact().output());
  KINORA_ASSIGN_OR_RETURN(result.is_as_now, IsAsNow(event->artefact()));
  found_[artefact_id] = result;
  return result;
}

bool ResultsAhead::IsAhead(const v1::Event& event) const {
  const absl::StatusOr<Revision> made_for = Revision::Parse(event.revision());
  const absl::StatusOr<Revision> current = Revision::Parse(ahead_.revision());
  return made_for.ok() && (!current.ok() || *current < *made_for);
}

absl::StatusOr<bool> ResultsAhead::IsAsNow(const v1::ArtefactEvent& attempt) {
  const v1::ProducedBy& by = attempt.produced_by();
  const absl::string_view settings = ahead_.SettingsOf(by.node());
  if (by.settings_hash() != Sha256Of(settings).Hex()) return false;
  for (const v1::Dependency& dependency : attempt.dependencies()) {
    const std::string& source = dependency.source_id();
    // What is absent, and an empty list, is of nothing.
    if (source.empty()) continue;
    std::string hash = ahead_.HashOf(source);
    if (!IsInputId(source)) {
      KINORA_ASSIGN_OR_RETURN(const Result result, Of(source));
      if (result.is_made && !result.is_as_now) return false;
      if (result.is_made) hash = result.hash;
      // Not looked for: there was too much.
      if (hash.empty() && found_.size() == kMaxLooks) continue;
    }
    if (hash != dependency.hash()) return false;
  }
  // What else the key has: salt, take, outputs, what is read under which name.
  uint32_t draw = 0;
  if (const v1::Content* take = ahead_.FindInput(TakeInputId(by.job_id()))) {
    draw = DrawOf(*take).value_or(draw);
  }
  KINORA_ASSIGN_OR_RETURN(const std::optional<Digest> key,
                          KeyNow(attempt, draw, places_));
  if (!key.has_value()) return draw == attempt.draw();
  return key->Hex() == attempt.inputs_hash();
}

}  // namespace kinora
