#include "services/planner/plan/manifest_scanner.h"

#include <array>
#include <cstdint>

#include "absl/strings/str_cat.h"

#include "common/json/json_scanner.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/planner/plan/input_values.h"

namespace kinora {
namespace {

constexpr uint8_t kNoDigit = 16;

constexpr std::array<uint8_t, 256> MakeHexDigits() {
  std::array<uint8_t, 256> digits = {};
  for (uint8_t& digit : digits) digit = kNoDigit;
  for (int i = 0; i < 10; ++i) digits['0' + i] = static_cast<uint8_t>(i);
  for (int i = 0; i < 6; ++i) digits['a' + i] = static_cast<uint8_t>(10 + i);
  return digits;
}
constexpr std::array<uint8_t, 256> kHexDigits = MakeHexDigits();

// Before the inputs there are only revisions and a number.
constexpr size_t kMaxHeadBytes = 200;
// An entry that is larger was not understood: inline values are small.
constexpr size_t kMaxEntryBytes = 8 << 20;

struct Value {
  Digest hash;
  absl::string_view mime_type;
  bool is_blob = false;
  int64_t blob_bytes = 0;
  BaseValue form = BaseValue::kNone;
  absl::string_view bytes;  // of an inline value, in that form
};

bool ReadHash(JsonScanner* json, Digest* out) {
  const absl::string_view text = json->Rest();
  if (text.size() < 66 || text[0] != '"' || text[65] != '"') return false;
  uint8_t bad = 0;
  for (size_t i = 0; i < Digest::kSize; ++i) {
    const uint8_t high = kHexDigits[static_cast<uint8_t>(text[1 + 2 * i])];
    const uint8_t low = kHexDigits[static_cast<uint8_t>(text[2 + 2 * i])];
    bad |= high | low;
    out->bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  json->Skip(66);
  return (bad & kNoDigit) == 0;
}

bool ReadMimeType(JsonScanner* json, Value* value) {
  return !json->Take(",\"mimeType\":") || json->PlainText(&value->mime_type);
}

bool ReadBlob(JsonScanner* json, Value* value) {
  value->is_blob = true;
  if (!ReadHash(json, &value->hash) || !ReadMimeType(json, value) ||
      (json->Take(",\"size\":") && !json->Integer(&value->blob_bytes))) {
    return false;
  }
  return value->blob_bytes >= 0 && json->Take("}}");
}

bool ReadInline(JsonScanner* json, Value* value) {
  if (json->Take("\"base64\":")) {
    value->form = BaseValue::kJsonBase64;
    if (!json->RawString(&value->bytes) || !json->Take(",")) return false;
  }
  if (!json->Take("\"hash\":") || !ReadHash(json, &value->hash)) return false;
  if (json->Take(",\"json\":")) {
    value->form = BaseValue::kJson;
    if (!json->RawValue(&value->bytes)) return false;
  }
  if (!ReadMimeType(json, value)) return false;
  if (json->Take(",\"text\":")) {
    value->form = BaseValue::kJsonText;
    if (!json->RawString(&value->bytes)) return false;
  }
  return json->Take("}}") && value->form != BaseValue::kNone;
}

bool ReadContent(JsonScanner* json, Value* value) {
  if (json->Take("{\"blob\":{\"hash\":")) return ReadBlob(json, value);
  return json->Take("{\"inline\":{") && ReadInline(json, value);
}

// Past the end of an entry: true if another one of its map follows, false with
// the next member of the manifest or its end. Nullopt if the text ends before.
std::optional<bool> EndEntry(JsonScanner* json) {
  if (json->Take(',')) return true;
  if (!json->Take('}') || json->AtEnd()) return std::nullopt;
  if (json->Take(',') || json->Rest()[0] == '}') return false;
  return std::nullopt;
}

}  // namespace

void ManifestScanner::Add(absl::string_view piece) {
  if (part_ == Part::kFailed) return;
  if (left_.empty()) {
    left_ = std::string(Scan(piece, false));
  } else {
    absl::StrAppend(&left_, piece);
    left_.erase(0, left_.size() - Scan(left_, false).size());
  }
  if (left_.size() > kMaxEntryBytes) part_ = Part::kFailed;
}

bool ManifestScanner::Finish() {
  if (part_ == Part::kFailed || !Scan(left_, true).empty() ||
      part_ != Part::kRest)
    return false;
  v1::Manifest manifest;
  if (!ParseDocument(rest_, &manifest).ok()) return false;
  builder_.SetHead(manifest);
  return manifest.artefacts_size() == 0 && manifest.inputs_size() == 0;
}

absl::string_view ManifestScanner::Scan(absl::string_view text, bool is_end) {
  for (;;) {
    std::optional<Part> next;
    switch (part_) {
      case Part::kBegin:
        next = Begin(is_end, &text);
        break;
      case Part::kArtefacts:
        next = Artefact(&text);
        break;
      case Part::kMiddle:
        next = Middle(is_end, &text);
        break;
      case Part::kInputs:
        next = Input(&text);
        break;
      case Part::kRest:
        absl::StrAppend(&rest_, text);
        return "";
      case Part::kFailed:
        return text;
    }
    if (!next.has_value()) return text;
    part_ = *next;
  }
}

std::optional<ManifestScanner::Part> ManifestScanner::Begin(
    bool is_end, absl::string_view* text) {
  constexpr absl::string_view kArtefacts = "{\"artefacts\":{";
  if (text->size() < kArtefacts.size() && !is_end) return std::nullopt;
  if (text->substr(0, kArtefacts.size()) == kArtefacts) {
    text->remove_prefix(kArtefacts.size());
    return Part::kArtefacts;
  }
  if (text->empty() || (*text)[0] != '{') return std::nullopt;
  text->remove_prefix(1);
  return Part::kMiddle;
}

std::optional<ManifestScanner::Part> ManifestScanner::Artefact(
    absl::string_view* text) {
  JsonScanner json(*text);
  absl::string_view id;
  absl::string_view node;
  Value value;
  Digest inputs_hash;
  if (!json.PlainText(&id) || !json.Take(":{\"content\":") ||
      !ReadContent(&json, &value) ||
      (json.Take(",\"inputsHash\":") && !ReadHash(&json, &inputs_hash)) ||
      (json.Take(",\"node\":") && !json.PlainText(&node)) ||
      (json.Take(",\"readablePath\":") && !json.SkipString()) ||
      !json.Take('}')) {
    return std::nullopt;
  }
  const std::optional<bool> more = EndEntry(&json);
  if (!more.has_value()) return std::nullopt;
  *text = json.Rest();
  const int64_t found = builder_.Find(id);
  if (found >= 0) {
    const auto number = static_cast<uint32_t>(found);
    if (value.is_blob) {
      builder_.SetBlob(number, value.hash, value.blob_bytes, value.mime_type);
    } else {
      builder_.SetInline(number, value.hash, value.form, value.bytes,
                         value.mime_type);
    }
    builder_.SetInputsHash(number, inputs_hash);
  }
  return *more ? Part::kArtefacts : Part::kMiddle;
}

std::optional<ManifestScanner::Part> ManifestScanner::Middle(
    bool is_end, absl::string_view* text) {
  if (text->size() < kMaxHeadBytes && !is_end) return std::nullopt;
  constexpr absl::string_view kInputs = "\"inputs\":{";
  const absl::string_view head = text->substr(0, kMaxHeadBytes);
  const size_t inputs = head.find(kInputs);
  if (inputs == absl::string_view::npos) return Part::kRest;
  absl::StrAppend(&rest_, head.substr(0, inputs));
  text->remove_prefix(inputs + kInputs.size());
  return Part::kInputs;
}

std::optional<ManifestScanner::Part> ManifestScanner::Input(
    absl::string_view* text) {
  JsonScanner json(*text);
  absl::string_view id;
  if (!json.PlainText(&id) || !json.Take(":{\"content\":")) return std::nullopt;
  const absl::string_view content = json.Rest();
  Value value;
  if (!ReadContent(&json, &value) || !json.Take('}')) return std::nullopt;
  const size_t length = content.size() - json.Rest().size() - 1;
  const std::optional<bool> more = EndEntry(&json);
  if (!more.has_value()) return std::nullopt;
  if (id == kBlueprintInputId) {
    v1::Content blueprint;
    if (!ParseDocument(content.substr(0, length), &blueprint).ok()) {
      return std::nullopt;
    }
    builder_.SetBlueprint(blueprint);
  }
  builder_.AddInput(id, value.hash);
  *text = json.Rest();
  return *more ? Part::kInputs : Part::kRest;
}

absl::StatusOr<HydratedBase> HydrateManifest(absl::string_view json,
                                             const Graph& graph) {
  HydratedBaseBuilder builder(graph);
  ManifestScanner scanner(&builder);
  scanner.Add(json);
  if (scanner.Finish()) return builder.Finish();
  v1::Manifest manifest;
  KINORA_RETURN_IF_ERROR(ParseDocument(json, &manifest));
  return HydratedBase::Of(manifest, graph);
}

}  // namespace kinora
