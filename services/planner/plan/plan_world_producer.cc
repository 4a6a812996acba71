// The part of a PlanWorld that stands for its producers.

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/json_pointer.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/plan_world.h"

namespace kinora {
namespace {

std::string MimeTypeOf(const v1::Plan& plan, const v1::PlannedJob& job,
                       const v1::PlannedArtefact& artefact) {
  for (const v1::PlannedNode& node : plan.nodes()) {
    for (const v1::PlannedOutput& output : node.outputs()) {
      if (node.node() == job.node() && output.name() == artefact.output()) {
        return output.mime_type();
      }
    }
  }
  return "text/plain";
}

bool HasLeaves(const v1::PlannedJob& job, const std::string& id) {
  return std::any_of(
      job.artefacts().begin(), job.artefacts().end(),
      [&id](const v1::PlannedArtefact& leaf) { return leaf.leaf_of() == id; });
}

// Each field hangs on a bit of the key, so that few of them change at once.
std::string DocumentOf(const Digest& key) {
  const std::string hex = key.Hex();
  const auto bit = [&hex](size_t i) { return hex[i] < '8' ? "0" : "1"; };
  return absl::StrCat("{\"mood\":\"", bit(0), "\",\"parts\":[", bit(1), ",",
                      bit(2), ",", bit(3), "],\"shots\":[[0,1],[1,0]]}");
}

std::string LeafOf(const std::string& document, const std::string& pointer,
                   const std::string& mime_type) {
  const absl::StatusOr<JsonValue> json = ParseJson(document);
  EXPECT_OK(json) << document;
  const JsonValue* value = json.ok() ? FindByPointer(*json, pointer) : nullptr;
  EXPECT_NE(value, nullptr) << pointer << " of " << document;
  if (value == nullptr) return "";
  return mime_type == "application/json" ? CanonicalJson(*value)
                                         : value->string_value();
}

// A text as a blob, whose bytes nobody asks for.
v1::Content BlobContent(const std::string& mime_type, const std::string& data) {
  v1::Content content;
  content.mutable_blob()->set_mime_type(mime_type);
  content.mutable_blob()->mutable_digest()->set_hash(Sha256Of(data).Hex());
  content.mutable_blob()->mutable_digest()->set_size_bytes(
      static_cast<int64_t>(data.size()));
  return content;
}

}  // namespace

v1::Content PlanWorld::Make(const v1::Plan& plan, const v1::PlannedJob& job,
                            const v1::PlannedArtefact& artefact,
                            const Digest& key) const {
  const std::string mime_type = MimeTypeOf(plan, job, artefact);
  const auto fixed = constant.find(job.job_id());
  if (fixed != constant.end()) {
    return InlineContent(mime_type, fixed->second);
  }
  if (!artefact.leaf_of().empty()) {
    return InlineContent(
        mime_type, LeafOf(DocumentOf(key), artefact.json_pointer(), mime_type));
  }
  if (HasLeaves(job, artefact.artefact_id())) {
    return InlineContent(mime_type, DocumentOf(key));
  }
  if (mime_type == "application/json") {
    constexpr const char* kLists[] = {"[0]", "[0,1]", "[0,1,2]", "[]"};
    const size_t lists = lists_may_be_empty ? 4 : 3;
    return InlineContent(mime_type, kLists[key.Hex()[0] % lists]);
  }
  const std::string text =
      absl::StrCat(artefact.artefact_id(), " by ", key.Hex());
  return texts_are_blobs ? BlobContent(mime_type, text)
                         : InlineContent(mime_type, text);
}

}  // namespace kinora
