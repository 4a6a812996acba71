#include "services/planner/plan/manifest_scanner.h"

#include <array>
#include <charconv>
#include <cstring>

#include "absl/strings/str_cat.h"

#include "common/json_text.h"
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
      : at_(json.data()), end_(json.data() + json.size()), builder_(*builder) {}

  bool Scan() {
    // What stands between the two large maps and after them is collected and
    // parsed at the end; it is small.
    std::string rest = "{";
    if (!Take("{")) return false;
    if (Take("\"artefacts\":{") && !(ScanArtefacts() && EndOfMember())) {
      return false;
    }
    // Only revisions and a number come before the inputs.
    const absl::string_view head = Left().substr(0, kMaxHeadBytes);
    const size_t inputs = head.find("\"inputs\":{");
    if (inputs != absl::string_view::npos) {
      absl::StrAppend(&rest, head.substr(0, inputs));
      at_ += inputs;
      if (!Take("\"inputs\":{") || !ScanInputs() || !EndOfMember()) {
        return false;
      }
    }
    absl::StrAppend(&rest, Left());
    v1::Manifest manifest;
    if (!ParseDocument(rest, &manifest).ok()) return false;
    builder_.SetHead(manifest);
    return manifest.artefacts_size() == 0 && manifest.inputs_size() == 0;
  }

 private:
  static constexpr size_t kMaxHeadBytes = 200;

  absl::string_view Left() const {
    return absl::string_view(at_, static_cast<size_t>(end_ - at_));
  }

  template <size_t kSize>
  bool Take(const char (&text)[kSize]) {
    constexpr size_t kLength = kSize - 1;
    if (static_cast<size_t>(end_ - at_) < kLength ||
        std::memcmp(at_, text, kLength) != 0) {
      return false;
    }
    at_ += kLength;
    return true;
  }

  // Past the comma to the next member, or before the end of the object.
  bool EndOfMember() { return Take(",") || (at_ != end_ && *at_ == '}'); }

  bool ScanArtefacts() {
    do {
      absl::string_view id;
      if (!PlainString(&id) || !Take(":{")) return false;
      const int64_t number = builder_.Find(id);
      Digest inputs_hash;
      absl::string_view node;
      if (!Take("\"content\":") || !ScanContent(number, nullptr)) return false;
      if (Take(",\"inputsHash\":") && !Hash(&inputs_hash)) return false;
      if (Take(",\"node\":") && !PlainString(&node)) return false;
      if (Take(",\"readablePath\":") && !SkipString()) return false;
      if (!Take("}")) return false;
      if (number >= 0) {
        builder_.SetInputsHash(static_cast<uint32_t>(number), inputs_hash);
      }
    } while (Take(","));
    return Take("}");
  }

  bool ScanInputs() {
    do {
      absl::string_view id;
      Digest hash;
      if (!PlainString(&id) || !Take(":{\"content\":")) return false;
      const char* const begin = at_;
      if (!ScanContent(-1, &hash) || !Take("}")) return false;
      builder_.AddInput(id, hash);
      if (id != kBlueprintInputId) continue;
      v1::Content blueprint;
      const size_t length = static_cast<size_t>(at_ - begin) - 1;
      if (!ParseDocument({begin, length}, &blueprint).ok()) return false;
      builder_.SetBlueprint(blueprint);
    } while (Take(","));
    return Take("}");
  }

  // The value of an artefact, or with a negative number only its hash.
  bool ScanContent(int64_t number, Digest* hash_out) {
    Digest hash;
    absl::string_view mime_type;
    if (Take("{\"blob\":{\"hash\":")) {
      int64_t size = 0;
      if (!Hash(&hash)) return false;
      if (Take(",\"mimeType\":") && !PlainString(&mime_type)) return false;
      if (!Take(",\"size\":") || !Integer(&size) || !Take("}}")) return false;
      if (number >= 0) {
        builder_.SetBlob(static_cast<uint32_t>(number), hash, size, mime_type);
      }
    } else {
      if (!Take("{\"inline\":{")) return false;
      BaseValue value = BaseValue::kNone;
      absl::string_view bytes;
      if (Take("\"base64\":")) {
        value = BaseValue::kJsonBase64;
        if (!String(&bytes) || !Take(",")) return false;
      }
      if (!Take("\"hash\":") || !Hash(&hash)) return false;
      if (Take(",\"json\":")) {
        value = BaseValue::kJson;
        if (!Value(&bytes)) return false;
      }
      if (Take(",\"mimeType\":") && !PlainString(&mime_type)) return false;
      if (Take(",\"text\":")) {
        value = BaseValue::kJsonText;
        if (!String(&bytes)) return false;
      }
      if (!Take("}}") || value == BaseValue::kNone) return false;
      if (number >= 0) {
        builder_.SetInline(static_cast<uint32_t>(number), hash, value, bytes,
                           mime_type);
      }
    }
    if (hash_out != nullptr) *hash_out = hash;
    return true;
  }

  bool Hash(Digest* out) {
    if (end_ - at_ < 66 || at_[0] != '"' || at_[65] != '"') return false;
    uint8_t bad = 0;
    for (size_t i = 0; i < Digest::kSize; ++i) {
      const uint8_t high = kHexDigits[static_cast<uint8_t>(at_[1 + 2 * i])];
      const uint8_t low = kHexDigits[static_cast<uint8_t>(at_[2 + 2 * i])];
      bad |= high | low;
      out->bytes[i] = static_cast<uint8_t>(high << 4 | low);
    }
    at_ += 66;
    return (bad & kNoDigit) == 0;
  }

  // A string without an escape.
  bool PlainString(absl::string_view* out) {
    if (!Take("\"")) return false;
    *out = Left().substr(0, PlainJsonTextPrefix(Left()));
    at_ += out->size();
    return Take("\"");
  }

  // A string as it stands, with its quotes.
  bool String(absl::string_view* out) {
    const char* const begin = at_;
    if (!SkipString()) return false;
    *out = absl::string_view(begin, static_cast<size_t>(at_ - begin));
    return true;
  }

  bool SkipString() {
    if (!Take("\"")) return false;
    while (at_ != end_) {
      at_ += PlainJsonTextPrefix(Left());
      if (at_ == end_) return false;
      if (Take("\"")) return true;
      // An escape, or a byte of a longer character.
      at_ += *at_ == '\\' && at_ + 1 != end_ ? 2 : 1;
    }
    return false;
  }

  // Any value as it stands.
  bool Value(absl::string_view* out) {
    const char* const begin = at_;
    int depth = 0;
    while (at_ != end_) {
      const char c = *at_;
      if (c == '"') {
        if (!SkipString()) return false;
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}')) break;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    }
    *out = absl::string_view(begin, static_cast<size_t>(at_ - begin));
    return !out->empty();
  }

  bool Integer(int64_t* out) {
    const auto [rest, error] = std::from_chars(at_, end_, *out);
    if (error != std::errc()) return false;
    at_ = rest;
    return true;
  }

  const char* at_;
  const char* const end_;
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
