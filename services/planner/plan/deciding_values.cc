#include "services/planner/plan/deciding_values.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/element_id.h"
#include "common/error_reason.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kMaxRemembered = 100'000;

bool IsText(const OutputDeclaration& output) {
  return output.mime_type != "application/json";
}

}  // namespace

absl::Status DecisionInvalid(absl::string_view artefact_id,
                             absl::string_view why) {
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(artefact_id, " ", why)),
      "DECISION_INVALID", {{"artefact", artefact_id}});
}

DecidingValue ReadDecidingValue(const OutputDeclaration& output,
                                absl::string_view bytes) {
  DecidingValue value;
  value.shown = ClipValue(bytes);
  if (IsText(output)) {
    value.hash = Sha256Of(absl::StripAsciiWhitespace(bytes)).Hex();
    return value;
  }
  const absl::StatusOr<JsonValue> json = ParseJson(bytes);
  if (!json.ok()) return value;
  value.hash = Sha256Of(CanonicalJson(*json)).Hex();
  if (json->is_array()) value.length = json->array().size();
  if (json->is_number()) value.number = json->number_value();
  return value;
}

bool CanDecide(const OutputDeclaration& output, const DecidingValue& value) {
  if (value.hash.empty()) return false;
  if (output.sizes_dimension &&
      (!value.length.has_value() || *value.length > kMaxDimensionSize)) {
    return false;
  }
  return !output.is_ordered || value.number.has_value();
}

std::vector<DecidedArtefact> DecidedByManifest(const Blueprint& blueprint,
                                               const v1::Manifest& manifest) {
  std::vector<DecidedArtefact> decided;
  if (blueprint.deciding_outputs.empty()) return decided;
  for (const auto& [id, artefact] : manifest.artefacts()) {
    const absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
    if (!parsed.ok()) continue;
    const int output = blueprint.FindOutput(parsed->name);
    if (!std::binary_search(blueprint.deciding_outputs.begin(),
                            blueprint.deciding_outputs.end(), output)) {
      continue;
    }
    DecidedArtefact& entry = decided.emplace_back();
    entry.output = output;
    entry.artefact_id = id;
    entry.content = artefact.content();
  }
  return decided;
}

absl::StatusOr<DecidingValue> DecidingReader::Read(
    const Blueprint& blueprint, const DecidedArtefact& artefact) {
  const OutputDeclaration& output = blueprint.outputs[artefact.output];
  const v1::Content& content = artefact.content;
  if (!content.has_blob()) {
    return ReadDecidingValue(output, content.inline_().data());
  }
  const v1::Digest& digest = content.blob().digest();
  const std::pair<std::string, bool> key(digest.hash(), IsText(output));
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  if (digest.size_bytes() > kMaxDecidingBytes || blobs_ == nullptr) {
    return DecisionInvalid(
        artefact.artefact_id,
        absl::StrCat("decides about the graph, but its ", digest.size_bytes(),
                     " bytes are more than ", kMaxDecidingBytes));
  }
  KINORA_ASSIGN_OR_RETURN(const std::string bytes,
                          blobs_->Read(content.blob()));
  DecidingValue value = ReadDecidingValue(output, bytes);
  if (known_.size() == kMaxRemembered) known_.clear();
  known_[key] = value;
  return value;
}

absl::StatusOr<DecidingValues> DecidingReader::ReadAll(
    const Blueprint& blueprint, const std::vector<DecidedArtefact>& artefacts) {
  DecidingValues values;
  for (const DecidedArtefact& artefact : artefacts) {
    KINORA_ASSIGN_OR_RETURN(values[artefact.artefact_id],
                            Read(blueprint, artefact));
  }
  return values;
}

DecidingValues DecidingReader::Guess(
    const Blueprint& blueprint, const std::vector<DecidedArtefact>& artefacts) {
  DecidingValues values;
  for (const DecidedArtefact& artefact : artefacts) {
    absl::StatusOr<DecidingValue> value = Read(blueprint, artefact);
    if (value.ok() && CanDecide(blueprint.outputs[artefact.output], *value)) {
      values[artefact.artefact_id] = *std::move(value);
    }
  }
  return values;
}

}  // namespace kinora
