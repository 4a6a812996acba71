// A HydratedBase is a manifest as a planner needs it: what it says of each
// artefact of a graph in flat arrays by the artefact's number, 80 bytes each
// and the bytes of inline values. A v1::Manifest of the same takes twenty times
// that, and a hash lookup for each look.
//
// It is read from the manifest's canonical JSON (manifest_scanner.h), from a
// message, or from bytes it was saved as (hydrated_graph_file.h); all three
// give the same answers.

#ifndef KINORA_SERVICES_PLANNER_PLAN_HYDRATED_BASE_H_
#define KINORA_SERVICES_PLANNER_PLAN_HYDRATED_BASE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/digest.h"
#include "kinora/v1/manifest.pb.h"
#include "services/planner/graph/graph.h"

namespace kinora {

// The hash of a content's bytes. DATA_LOSS naming `id` if it is malformed.
absl::StatusOr<Digest> HashOf(absl::string_view id, const v1::Content& content);

// Where the value of an artefact is.
enum class BaseValue : uint8_t {
  kNone,   // the base does not have the artefact
  kBlob,   // a blob of `place` bytes
  kBytes,  // inline: `length` bytes from `place` on
  // The same, as they stand in the manifest: a JSON string or value.
  kJsonText,
  kJsonBase64,
  kJson,
};

// One artefact, but for its hashes.
struct BaseEntry {
  uint64_t place = 0;
  uint32_t length = 0;
  uint16_t mime_type = 0;  // position in the table of media types
  BaseValue value = BaseValue::kNone;
  uint8_t unused = 0;
};
static_assert(sizeof(BaseEntry) == 16);

// Thread-compatible. Artefacts are numbered from 0: Graph::Element less the
// number of inputs.
class HydratedBase {
 public:
  // Of a movie without a revision.
  HydratedBase() = default;
  HydratedBase(HydratedBase&&) = default;
  HydratedBase& operator=(HydratedBase&&) = default;

  // DATA_LOSS naming the id of a malformed hash.
  static absl::StatusOr<HydratedBase> Of(const v1::Manifest& manifest,
                                         const Graph& graph);

  // Empty if there is no base.
  const std::string& revision() const { return revision_; }
  bool exists() const { return !revision_.empty(); }
  const std::map<std::string, v1::ManifestNode>& nodes() const {
    return nodes_;
  }
  // The blueprint it was made with; unset if it lists none.
  const v1::Content& blueprint() const { return blueprint_; }
  // Hashes of the inputs it lists, by id.
  const absl::flat_hash_map<std::string, Digest>& inputs() const {
    return inputs_;
  }
  // Artefacts that the graph does not have, sorted.
  const std::vector<std::string>& removed_artefact_ids() const {
    return removed_;
  }

  bool Has(uint32_t artefact) const {
    return exists() && entries_[artefact].value != BaseValue::kNone;
  }
  bool IsBlob(uint32_t artefact) const {
    return exists() && entries_[artefact].value == BaseValue::kBlob;
  }
  // REQUIRES: Has(artefact). An inputs hash is all zero if the base has none.
  const Digest& content_hash(uint32_t artefact) const {
    return content_hashes_[artefact];
  }
  const Digest& inputs_hash(uint32_t artefact) const {
    return inputs_hashes_[artefact];
  }
  v1::Content ContentOf(uint32_t artefact) const;
  // REQUIRES: IsBlob(artefact).
  int64_t BlobSize(uint32_t artefact) const {
    return static_cast<int64_t>(entries_[artefact].place);
  }

  // The arrays as bytes, for files: entries, content hashes, inputs hashes,
  // inline values. Everything else is in Head().
  std::vector<absl::string_view> Arrays() const;
  // A manifest without artefacts; inputs have their hashes only.
  v1::Manifest Head() const;
  const std::vector<std::string>& mime_types() const { return mime_types_; }

 private:
  friend class HydratedBaseBuilder;
  friend class HydratedGraphFile;

  // The reverse of Head().
  absl::Status TakeHead(const v1::Manifest& head);

  std::string revision_;
  std::string base_revision_;
  std::map<std::string, v1::ManifestNode> nodes_;
  v1::Content blueprint_;
  absl::flat_hash_map<std::string, Digest> inputs_;
  std::vector<std::string> removed_;
  std::vector<std::string> mime_types_;
  // Spans into `storage_`, which holds vectors or one file.
  absl::Span<const BaseEntry> entries_;
  absl::Span<const Digest> content_hashes_;
  absl::Span<const Digest> inputs_hashes_;
  absl::string_view inline_;
  std::shared_ptr<const void> storage_;
};

// A HydratedBaseBuilder takes up a manifest piece by piece.
class HydratedBaseBuilder {
 public:
  explicit HydratedBaseBuilder(const Graph& graph);

  // The artefact of that id; -1 if the graph does not have it, then the id is
  // noted as removed. Fast for ids that come sorted.
  int64_t Find(absl::string_view id);

  void SetBlob(uint32_t artefact, const Digest& content, int64_t size_bytes,
               absl::string_view mime_type);
  // `bytes` in the form `value` says.
  void SetInline(uint32_t artefact, const Digest& content, BaseValue value,
                 absl::string_view bytes, absl::string_view mime_type);
  void SetInputsHash(uint32_t artefact, const Digest& inputs_hash) {
    data_->inputs_hashes[artefact] = inputs_hash;
  }
  void AddInput(absl::string_view id, const Digest& content) {
    base_.inputs_.insert_or_assign(std::string(id), content);
  }
  void SetBlueprint(const v1::Content& content) { base_.blueprint_ = content; }
  // Takes revisions and nodes.
  void SetHead(const v1::Manifest& manifest);

  // RESOURCE_EXHAUSTED for more than 65,536 media types.
  absl::StatusOr<HydratedBase> Finish();

 private:
  struct Data {
    std::vector<BaseEntry> entries;
    std::vector<Digest> content_hashes;
    std::vector<Digest> inputs_hashes;
    std::string inline_bytes;
  };
  // How the ids of an output are spelled: `Artifact:Clip[segment=`, then
  // `][take=` and so on.
  struct Spelling {
    int output = -1;
    std::string head;  // up to the first index, or the whole id
    std::vector<std::string> between;
  };

  bool ChooseSpelling(absl::string_view id);
  uint16_t MimeType(absl::string_view mime_type);

  const Graph& graph_;
  Spelling spelling_;
  std::vector<uint32_t> point_;
  uint16_t latest_mime_type_ = 0;
  std::shared_ptr<Data> data_;
  HydratedBase base_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_HYDRATED_BASE_H_
