#include "services/store/manifest/revision_source.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"

namespace kinora {

v1::ManifestPointer PointerOf(const v1::RevisionCommitted& commit) {
  v1::ManifestPointer pointer;
  pointer.set_revision(commit.revision());
  pointer.set_manifest(ManifestPath(commit.revision()));
  pointer.set_hash(commit.manifest_hash());
  return pointer;
}

absl::Status CheckSource(const v1::RevisionSource& source) {
  KINORA_RETURN_IF_ERROR(ValidateRevisionField("source.target_revision",
                                               source.target_revision()));
  KINORA_RETURN_IF_ERROR(ValidateRunIdField("source.run_id", source.run_id()));
  if (!source.base_manifest_hash().empty()) {
    KINORA_RETURN_IF_ERROR(
        ValidateHash("source.base_manifest_hash", source.base_manifest_hash()));
  }
  if (!source.plan_hash().empty()) {
    KINORA_RETURN_IF_ERROR(
        ValidateHash("source.plan_hash", source.plan_hash()));
  }
  for (const std::string& id : source.removed_artefact_ids()) {
    absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
    if (!parsed.ok() || parsed->kind != ElementId::Kind::kArtefact) {
      return InvalidField("source.removed_artefact_ids", id,
                          "must be the id of an artefact");
    }
  }
  return absl::OkStatus();
}

v1::RevisionCommitted RecordOf(const v1::RevisionSource& source,
                               absl::string_view base_revision) {
  v1::RevisionCommitted record;
  record.set_revision(source.target_revision());
  record.set_base_revision(std::string(base_revision));
  record.set_base_manifest_hash(source.base_manifest_hash());
  record.set_run_id(source.run_id());
  record.set_plan_hash(source.plan_hash());
  record.set_inputs_through_sequence(source.inputs_through_sequence());
  *record.mutable_removed_artefact_ids() = source.removed_artefact_ids();
  return record;
}

absl::Status CheckBase(const std::vector<EventPtr>& commits,
                       const v1::RevisionSource& source) {
  v1::RevisionCommitted base;
  if (!commits.empty()) base = commits.back()->revision_committed();
  if (source.base_manifest_hash() != base.manifest_hash()) {
    return WithReason(
        absl::AbortedError(absl::StrCat(
            "current is ", base.revision().empty() ? "none" : base.revision(),
            " \"", base.manifest_hash(), "\", not the base \"",
            source.base_manifest_hash(), "\": plan again")),
        "BASE_CHANGED",
        {{"current", base.manifest_hash()}, {"revision", base.revision()}});
  }
  Revision current;
  if (!base.revision().empty()) {
    KINORA_ASSIGN_OR_RETURN(current, Revision::Parse(base.revision()));
  }
  if (source.target_revision() != current.Next().ToString()) {
    return InvalidField("source.target_revision", source.target_revision(),
                        absl::StrCat("must be ", current.Next().ToString()));
  }
  if (source.inputs_through_sequence() < base.inputs_through_sequence()) {
    return InvalidField("source.inputs_through_sequence",
                        absl::StrCat(source.inputs_through_sequence()),
                        absl::StrCat("the base holds inputs through ",
                                     base.inputs_through_sequence()));
  }
  return absl::OkStatus();
}

}  // namespace kinora
