#include "clients/cpp/import/imported_values.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "clients/cpp/content_upload.h"
#include "common/content.h"
#include "common/json/json_leaf.h"
#include "common/status.h"

namespace kinora {
namespace {

std::string MimeTypeIn(const v1::PlannedNode& node, const std::string& output) {
  for (const v1::PlannedOutput& declared : node.outputs()) {
    if (declared.name() == output) return declared.mime_type();
  }
  return "";
}

// A document without the leaves that the blueprint wants is not kept.
absl::Status NotKeptIfInvalid(const absl::Status& status) {
  return absl::IsInvalidArgument(status) ? absl::NotFoundError(status.message())
                                         : status;
}

}  // namespace

absl::StatusOr<std::vector<v1::Content>> ImportedValues::Of(
    const v1::PlannedNode& node, const v1::PlannedJob& job) {
  const std::string& producer = node.producer().name();
  if (known_producers_.count(producer) == 0) {
    return absl::NotFoundError(
        absl::StrCat("producer ", producer,
                     " cannot be reached, so its version is not known"));
  }
  std::vector<v1::Content> values;
  for (const v1::PlannedArtefact& artefact : job.artefacts()) {
    const std::string mime_type = MimeTypeIn(node, artefact.output());
    v1::Content value;
    if (artefact.leaf_of().empty()) {
      KINORA_ASSIGN_OR_RETURN(value, WholeValue(artefact, mime_type));
    } else {
      KINORA_ASSIGN_OR_RETURN(value, LeafValue(artefact, mime_type));
    }
    values.push_back(std::move(value));
  }
  return values;
}

absl::StatusOr<v1::Content> ImportedValues::WholeValue(
    const v1::PlannedArtefact& artefact, const std::string& mime_type) const {
  const auto found = imported_.find(artefact.artefact_id());
  if (found == imported_.end()) {
    return absl::NotFoundError(absl::StrCat("its job makes ",
                                            artefact.artefact_id(),
                                            " too, which was not imported"));
  }
  if (ContentMimeType(found->second) == mime_type) return found->second;
  return absl::NotFoundError(absl::StrCat(
      artefact.artefact_id(), " is ", ContentMimeType(found->second),
      ", and the blueprint wants ", mime_type));
}

absl::StatusOr<v1::Content> ImportedValues::LeafValue(
    const v1::PlannedArtefact& leaf, const std::string& mime_type) {
  const auto found = imported_.find(leaf.leaf_of());
  if (found == imported_.end()) {
    return absl::NotFoundError(absl::StrCat("its job makes ", leaf.leaf_of(),
                                            ", which was not imported"));
  }
  if (split_id_ != leaf.leaf_of()) {
    KINORA_ASSIGN_OR_RETURN(split_, Split(leaf.leaf_of(), found->second));
    split_id_ = leaf.leaf_of();
  }
  const absl::StatusOr<std::string> bytes = BytesOfLeaf(
      split_,
      {leaf.artefact_id(), leaf.leaf_of(), leaf.json_pointer(), mime_type});
  KINORA_RETURN_IF_ERROR(NotKeptIfInvalid(bytes.status()));
  v1::Content content = InlineContent(mime_type, *bytes);
  const auto given = imported_.find(leaf.artefact_id());
  if (given != imported_.end() &&
      ContentHash(given->second) != ContentHash(content)) {
    return absl::NotFoundError(absl::StrCat(leaf.artefact_id(), " is not what ",
                                            leaf.leaf_of(), " has at ",
                                            leaf.json_pointer()));
  }
  KINORA_RETURN_IF_ERROR(
      UploadIfLarge(blobs_, movie_id_, kDefaultInlineLimitBytes, &content));
  return content;
}

absl::StatusOr<JsonValue> ImportedValues::Split(
    const std::string& id, const v1::Content& document) const {
  KINORA_RETURN_IF_ERROR(
      NotKeptIfInvalid(CheckSplitSize(id, ContentSize(document))));
  KINORA_ASSIGN_OR_RETURN(
      const std::string text,
      ReadContent(blobs_, movie_id_, document, kMaxSplitBytes));
  absl::StatusOr<JsonValue> json = ParseSplitDocument(id, text);
  KINORA_RETURN_IF_ERROR(NotKeptIfInvalid(json.status()));
  return json;
}

}  // namespace kinora
