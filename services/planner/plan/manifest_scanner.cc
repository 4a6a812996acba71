#include "services/planner/plan/manifest_scanner.h"

#include <array>

#include "absl/strings/str_cat.h"

#include "common/json_scanner.h"
#include "common/proto_json.h"
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

class ManifestScanner {
 public:
  ManifestScanner(absl::string_view json, HydratedBaseBuilder* builder)
      : json_(json), builder_(*builder) {}

  bool Scan() {
    // What stands between the two large maps and after them is collected and
    // parsed at the end; it is small.
    std::string rest = "{";
    if (!json_.Take("{")) return false;
    if (json_.Take("\"artefacts\":{") && !(ScanArtefacts() && EndOfMember())) {
      return false;
    }
    // Only revisions and a number come before the inputs.
    const absl::string_view head = json_.Rest().substr(0, kMaxHeadBytes);
    const size_t inputs = head.find("\"inputs\":{");
    if (inputs != absl::string_view::npos) {
      absl::StrAppend(&rest, head.substr(0, inputs));
      json_.Skip(inputs);
      if (!json_.Take("\"inputs\":{") || !ScanInputs() || !EndOfMember()) {
        return false;
      }
    }
    absl::StrAppend(&rest, json_.Rest());
    v1::Manifest manifest;
    if (!ParseDocument(rest, &manifest).ok()) return false;
    builder_.SetHead(manifest);
    return manifest.artefacts_size() == 0 && manifest.inputs_size() == 0;
  }

 private:
  static constexpr size_t kMaxHeadBytes = 200;

  // Past the comma to the next member, or before the end of the object.
  bool EndOfMember() {
    return json_.Take(',') || (!json_.AtEnd() && json_.Rest()[0] == '}');
  }

  bool ScanArtefacts() {
    do {
      absl::string_view id;
      if (!json_.PlainText(&id) || !json_.Take(":{")) return false;
      const int64_t number = builder_.Find(id);
      Digest inputs_hash;
      absl::string_view node;
      if (!json_.Take("\"content\":") || !ScanContent(number, nullptr))
        return false;
      if (json_.Take(",\"inputsHash\":") && !Hash(&inputs_hash)) return false;
      if (json_.Take(",\"node\":") && !json_.PlainText(&node)) return false;
      if (json_.Take(",\"readablePath\":") && !json_.SkipString()) return false;
      if (!json_.Take("}")) return false;
      if (number >= 0) {
        builder_.SetInputsHash(static_cast<uint32_t>(number), inputs_hash);
      }
    } while (json_.Take(","));
    return json_.Take("}");
  }

  bool ScanInputs() {
    do {
      absl::string_view id;
      Digest hash;
      if (!json_.PlainText(&id) || !json_.Take(":{\"content\":")) return false;
      const absl::string_view content = json_.Rest();
      if (!ScanContent(-1, &hash) || !json_.Take("}")) return false;
      builder_.AddInput(id, hash);
      if (id != kBlueprintInputId) continue;
      v1::Content blueprint;
      const size_t length = content.size() - json_.Rest().size() - 1;
      if (!ParseDocument(content.substr(0, length), &blueprint).ok()) {
        return false;
      }
      builder_.SetBlueprint(blueprint);
    } while (json_.Take(","));
    return json_.Take("}");
  }

  // The value of an artefact, or with a negative number only its hash.
  bool ScanContent(int64_t number, Digest* hash_out) {
    Digest hash;
    absl::string_view mime_type;
    if (json_.Take("{\"blob\":{\"hash\":")) {
      int64_t size = 0;
      if (!Hash(&hash)) return false;
      if (json_.Take(",\"mimeType\":") && !json_.PlainText(&mime_type))
        return false;
      if (!json_.Take(",\"size\":") || !json_.Integer(&size) ||
          !json_.Take("}}"))
        return false;
      if (number >= 0) {
        builder_.SetBlob(static_cast<uint32_t>(number), hash, size, mime_type);
      }
    } else {
      if (!json_.Take("{\"inline\":{")) return false;
      BaseValue value = BaseValue::kNone;
      absl::string_view bytes;
      if (json_.Take("\"base64\":")) {
        value = BaseValue::kJsonBase64;
        if (!json_.RawString(&bytes) || !json_.Take(",")) return false;
      }
      if (!json_.Take("\"hash\":") || !Hash(&hash)) return false;
      if (json_.Take(",\"json\":")) {
        value = BaseValue::kJson;
        if (!json_.RawValue(&bytes)) return false;
      }
      if (json_.Take(",\"mimeType\":") && !json_.PlainText(&mime_type))
        return false;
      if (json_.Take(",\"text\":")) {
        value = BaseValue::kJsonText;
        if (!json_.RawString(&bytes)) return false;
      }
      if (!json_.Take("}}") || value == BaseValue::kNone) return false;
      if (number >= 0) {
        builder_.SetInline(static_cast<uint32_t>(number), hash, value, bytes,
                           mime_type);
      }
    }
    if (hash_out != nullptr) *hash_out = hash;
    return true;
  }

  bool Hash(Digest* out) {
    const absl::string_view text = json_.Rest();
    if (text.size() < 66 || text[0] != '"' || text[65] != '"') return false;
    uint8_t bad = 0;
    for (size_t i = 0; i < Digest::kSize; ++i) {
      const uint8_t high = kHexDigits[static_cast<uint8_t>(text[1 + 2 * i])];
      const uint8_t low = kHexDigits[static_cast<uint8_t>(text[2 + 2 * i])];
      bad |= high | low;
      out->bytes[i] = static_cast<uint8_t>(high << 4 | low);
    }
    json_.Skip(66);
    return (bad & kNoDigit) == 0;
  }

  JsonScanner json_;
  HydratedBaseBuilder& builder_;
};

}  // namespace

bool ScanManifest(absl::string_view json, HydratedBaseBuilder* builder) {
  return ManifestScanner(json, builder).Scan();
}

absl::StatusOr<HydratedBase> HydrateManifest(absl::string_view json,
                                             const Graph& graph) {
  HydratedBaseBuilder builder(graph);
  if (ScanManifest(json, &builder)) return builder.Finish();
  v1::Manifest manifest;
  KINORA_RETURN_IF_ERROR(ParseDocument(json, &manifest));
  return HydratedBase::Of(manifest, graph);
}

}  // namespace kinora
