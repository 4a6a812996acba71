#include "common/json/json_leaf.h"

#include "absl/strings/str_cat.h"

#include "common/json/canonical_json.h"
#include "common/json/json_pointer.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::Status BadLeaf(const JsonLeaf& leaf, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      leaf.artefact_id, ": ", leaf.leaf_of, " ", why, " ", leaf.json_pointer));
}

}  // namespace

absl::StatusOr<JsonValue> ParseSplitDocument(absl::string_view id,
                                             absl::string_view text) {
  absl::StatusOr<JsonValue> json = ParseJson(text);
  if (json.ok()) return json;
  return absl::InvalidArgumentError(absl::StrCat(
      id, ": has leaves, so it must be JSON: ", json.status().message()));
}

absl::Status CheckSplitSize(absl::string_view id, int64_t bytes) {
  if (bytes <= kMaxSplitBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(id, ": has ", bytes,
                   " bytes; leaves are taken from at most ", kMaxSplitBytes));
}

absl::StatusOr<std::string> BytesOfLeaf(const JsonValue& document,
                                        const JsonLeaf& leaf) {
  const JsonValue* value = FindByPointer(document, leaf.json_pointer);
  if (value == nullptr) return BadLeaf(leaf, "has nothing at");
  if (leaf.mime_type == "application/json") return CanonicalJson(*value);
  if (value->is_string()) return value->string_value();
  return BadLeaf(leaf, absl::StrCat("has ", JsonTypeName(value->type()), " ",
                                    ClipValue(CanonicalJson(*value)),
                                    ", not a string, at"));
}

}  // namespace kinora
