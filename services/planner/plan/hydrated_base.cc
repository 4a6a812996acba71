#include "services/planner/plan/hydrated_base.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/json/json.h"
#include "common/status.h"
#include "services/planner/plan/input_values.h"

namespace kinora {
namespace {

absl::StatusOr<Digest> ParseHash(absl::string_view id, absl::string_view what,
                                 absl::string_view hex) {
  absl::StatusOr<Digest> digest = Digest::ParseHex(hex);
  if (digest.ok()) return digest;
  return absl::DataLossError(absl::StrCat(
      id, ": the ", what, " is malformed: ", digest.status().message()));
}

template <typename T>
absl::string_view BytesOf(absl::Span<const T> values) {
  return absl::string_view(reinterpret_cast<const char*>(values.data()),
                           values.size() * sizeof(T));
}

// A JSON string's text. Never fails: it was checked when it was read.
std::string TextOfJson(absl::string_view json) {
  absl::StatusOr<JsonValue> value = ParseJson(json);
  return value.ok() && value->is_string() ? value->string_value()
                                          : std::string();
}

}  // namespace

absl::StatusOr<Digest> HashOf(absl::string_view id,
                              const v1::Content& content) {
  const std::string& hex = ContentHash(content);
  if (hex.empty() && content.has_inline_()) {
    return Sha256Of(content.inline_().data());
  }
  return ParseHash(id, "hash of its value", hex);
}

absl::StatusOr<HydratedBase> HydratedBase::Of(const v1::Manifest& manifest,
                                              const Graph& graph) {
  HydratedBaseBuilder builder(graph);
  for (const auto& [id, artefact] : manifest.artefacts()) {
    const int64_t number = builder.Find(id);
    if (number < 0) continue;
    const auto at = static_cast<uint32_t>(number);
    const v1::Content& content = artefact.content();
    KINORA_ASSIGN_OR_RETURN(const Digest hash, HashOf(id, content));
    if (content.has_blob()) {
      builder.SetBlob(at, hash, content.blob().digest().size_bytes(),
                      content.blob().mime_type());
    } else {
      builder.SetInline(at, hash, BaseValue::kBytes, content.inline_().data(),
                        content.inline_().mime_type());
    }
    if (artefact.inputs_hash().empty()) continue;
    KINORA_ASSIGN_OR_RETURN(
        const Digest inputs_hash,
        ParseHash(id, "inputs hash", artefact.inputs_hash()));
    builder.SetInputsHash(at, inputs_hash);
  }
  for (const auto& [id, input] : manifest.inputs()) {
    KINORA_ASSIGN_OR_RETURN(const Digest hash, HashOf(id, input.content()));
    builder.AddInput(id, hash);
    if (id == kBlueprintInputId) builder.SetBlueprint(input.content());
  }
  builder.SetHead(manifest);
  return builder.Finish();
}

v1::Content HydratedBase::ContentOf(uint32_t artefact) const {
  const BaseEntry& entry = entries_[artefact];
  const std::string hash = content_hashes_[artefact].Hex();
  const std::string& mime_type = mime_types_[entry.mime_type];
  v1::Content content;
  if (entry.value == BaseValue::kBlob) {
    v1::BlobRef& blob = *content.mutable_blob();
    blob.mutable_digest()->set_hash(hash);
    blob.mutable_digest()->set_size_bytes(static_cast<int64_t>(entry.place));
    blob.set_mime_type(mime_type);
    return content;
  }
  v1::InlineValue& value = *content.mutable_inline_();
  value.set_hash(hash);
  value.set_mime_type(mime_type);
  const absl::string_view bytes = inline_.substr(entry.place, entry.length);
  if (entry.value == BaseValue::kJsonText) {
    value.set_data(TextOfJson(bytes));
  } else if (entry.value == BaseValue::kJsonBase64) {
    absl::Base64Unescape(TextOfJson(bytes), value.mutable_data());
  } else {
    value.set_data(std::string(bytes));
  }
  return content;
}

std::vector<absl::string_view> HydratedBase::Arrays() const {
  return {BytesOf(entries_), BytesOf(content_hashes_), BytesOf(inputs_hashes_),
          inline_};
}

v1::Manifest HydratedBase::Head() const {
  v1::Manifest head;
  head.set_revision(revision_);
  head.set_base_revision(base_revision_);
  for (const auto& [name, node] : nodes_) (*head.mutable_nodes())[name] = node;
  for (const auto& [id, hash] : inputs_) {
    (*head.mutable_inputs())[id]
        .mutable_content()
        ->mutable_blob()
        ->mutable_digest()
        ->set_hash(hash.Hex());
  }
  const std::string blueprint(kBlueprintInputId);
  if (inputs_.contains(blueprint)) {
    *(*head.mutable_inputs())[blueprint].mutable_content() = blueprint_;
  }
  return head;
}

absl::Status HydratedBase::TakeHead(const v1::Manifest& head) {
  revision_ = head.revision();
  base_revision_ = head.base_revision();
  for (const auto& [name, node] : head.nodes()) nodes_[name] = node;
  for (const auto& [id, input] : head.inputs()) {
    KINORA_ASSIGN_OR_RETURN(inputs_[id], HashOf(id, input.content()));
    if (id == kBlueprintInputId) blueprint_ = input.content();
  }
  return absl::OkStatus();
}

HydratedBaseBuilder::HydratedBaseBuilder(const Graph& graph)
    : graph_(graph), data_(std::make_shared<Data>()) {
  data_->entries.resize(graph.num_artefacts());
  data_->content_hashes.resize(graph.num_artefacts());
  data_->inputs_hashes.resize(graph.num_artefacts());
  base_.mime_types_.emplace_back();
}

bool HydratedBaseBuilder::ChooseSpelling(absl::string_view id) {
  constexpr absl::string_view kPrefix = "Artifact:";
  if (!absl::StartsWith(id, kPrefix)) return false;
  const absl::string_view name =
      id.substr(kPrefix.size(), id.find('[') == absl::string_view::npos
                                    ? absl::string_view::npos
                                    : id.find('[') - kPrefix.size());
  spelling_ = Spelling();
  spelling_.output = graph_.blueprint().FindOutput(name);
  if (spelling_.output < 0) return false;
  spelling_.head = absl::StrCat(kPrefix, name);
  const Blueprint& blueprint = graph_.blueprint();
  const std::vector<int>& dimensions =
      blueprint.outputs[spelling_.output].dimensions;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const std::string& dimension = blueprint.dimensions[dimensions[i]].name;
    if (i == 0) {
      absl::StrAppend(&spelling_.head, "[", dimension, "=");
    } else {
      spelling_.between.push_back(absl::StrCat("][", dimension, "="));
    }
  }
  point_.resize(dimensions.size());
  return true;
}

int64_t HydratedBaseBuilder::Find(absl::string_view id) {
  const auto fits = [&] {
    return spelling_.output >= 0 && absl::StartsWith(id, spelling_.head) &&
           (!point_.empty() || id.size() == spelling_.head.size());
  };
  const auto remove = [&] {
    base_.removed_.emplace_back(id);
    return -1;
  };
  if (!fits() && !(ChooseSpelling(id) && fits())) return remove();
  const char* at = id.data() + spelling_.head.size();
  const char* const end = id.data() + id.size();
  for (size_t i = 0; i < point_.size(); ++i) {
    const auto [rest, error] = std::from_chars(at, end, point_[i]);
    // An id has exactly one spelling: no zero in front.
    if (error != std::errc() || (*at == '0' && rest - at > 1)) return remove();
    at = rest;
    const absl::string_view next = i + 1 < point_.size()
                                       ? absl::string_view(spelling_.between[i])
                                       : absl::string_view("]");
    if (!absl::StartsWith(absl::string_view(at, end - at), next)) {
      return remove();
    }
    at += next.size();
  }
  if (at != end) return remove();
  const std::optional<Graph::Element> element =
      graph_.ArtefactAt(spelling_.output, point_);
  if (!element.has_value()) return remove();
  return *element - graph_.num_inputs();
}

uint16_t HydratedBaseBuilder::MimeType(absl::string_view mime_type) {
  std::vector<std::string>& table = base_.mime_types_;
  if (table[latest_mime_type_] == mime_type) return latest_mime_type_;
  auto found = std::find(table.begin(), table.end(), mime_type);
  if (found == table.end()) {
    found = table.insert(table.end(), std::string(mime_type));
  }
  latest_mime_type_ = static_cast<uint16_t>(found - table.begin());
  return latest_mime_type_;
}

void HydratedBaseBuilder::SetBlob(uint32_t artefact, const Digest& content,
                                  int64_t size_bytes,
                                  absl::string_view mime_type) {
  BaseEntry& entry = data_->entries[artefact];
  entry.value = BaseValue::kBlob;
  entry.place = static_cast<uint64_t>(size_bytes);
  entry.mime_type = MimeType(mime_type);
  data_->content_hashes[artefact] = content;
}

void HydratedBaseBuilder::SetInline(uint32_t artefact, const Digest& content,
                                    BaseValue value, absl::string_view bytes,
                                    absl::string_view mime_type) {
  BaseEntry& entry = data_->entries[artefact];
  entry.value = value;
  entry.place = data_->inline_bytes.size();
  entry.length = static_cast<uint32_t>(bytes.size());
  entry.mime_type = MimeType(mime_type);
  data_->inline_bytes.append(bytes.data(), bytes.size());
  data_->content_hashes[artefact] = content;
}

void HydratedBaseBuilder::SetHead(const v1::Manifest& manifest) {
  base_.revision_ = manifest.revision();
  base_.base_revision_ = manifest.base_revision();
  base_.nodes_.clear();
  for (const auto& [name, node] : manifest.nodes()) base_.nodes_[name] = node;
}

absl::StatusOr<HydratedBase> HydratedBaseBuilder::Finish() {
  if (base_.mime_types_.size() > size_t{UINT16_MAX} + 1) {
    return absl::ResourceExhaustedError(
        absl::StrCat("manifest ", base_.revision_, " names ",
                     base_.mime_types_.size() - 1, " media types"));
  }
  std::sort(base_.removed_.begin(), base_.removed_.end());
  data_->inline_bytes.shrink_to_fit();
  base_.entries_ = data_->entries;
  base_.content_hashes_ = data_->content_hashes;
  base_.inputs_hashes_ = data_->inputs_hashes;
  base_.inline_ = data_->inline_bytes;
  base_.storage_ = std::move(data_);
  return std::move(base_);
}

}  // namespace kinora
