#include "clients/cpp/sim/sim_output.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"

namespace kinora {
namespace {

// SplitMix64 of a counter: any word of the content can be made on its own.
uint64_t WordAt(uint64_t seed, uint64_t position) {
  uint64_t z = seed + (position + 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::string DescribeAsText(const SimSettings& settings,
                           const v1::JobHeader& header,
                           absl::string_view output_id) {
  std::string text = absl::StrCat(output_id, "\nmade by ", header.producer(),
                                  " in ", header.job_id(), "\n");
  for (const v1::InputBinding& binding : header.inputs()) {
    for (const v1::InputElement& element : binding.elements()) {
      absl::StrAppend(&text, binding.name(), " = ", element.source_id(), " ",
                      element.content().digest().hash(), "\n");
    }
  }
  for (const v1::Answer& answer : header.answers()) {
    absl::StrAppend(&text, "answer = ", answer.value_json(), "\n");
  }
  if (header.draw() > 0) absl::StrAppend(&text, "draw = ", header.draw(), "\n");
  if (!settings.salt.empty()) {
    absl::StrAppend(&text, "salt = ", settings.salt, "\n");
  }
  return text;
}

}  // namespace

SimOutput::SimOutput(const SimSettings& settings, const v1::JobHeader& header,
                     absl::string_view output_id, absl::string_view mime_type) {
  text_ = settings.text.has_value()
              ? *settings.text
              : DescribeAsText(settings, header, output_id);
  if (settings.bytes.has_value()) {
    random_ = true;
    std::memcpy(&seed_, Sha256Of(text_).bytes.data(), sizeof(seed_));
    size_ = *settings.bytes;
    return;
  }
  if (mime_type == "application/json" && !settings.text.has_value()) {
    JsonObject object;
    object.Add("simulated", text_);
    text_ = CanonicalJson(object);
  }
  size_ = static_cast<int64_t>(text_.size());
}

std::string SimOutput::Next(int64_t max_bytes) {
  const int64_t length = std::min(max_bytes, size_ - offset_);
  if (!random_) {
    std::string piece = text_.substr(offset_, length);
    offset_ += length;
    return piece;
  }
  std::string piece(length, '\0');
  for (int64_t i = 0; i < length;) {
    const uint64_t position = offset_ + i;
    const uint64_t word = WordAt(seed_, position / sizeof(uint64_t));
    const size_t skip = position % sizeof(word);
    const size_t count =
        std::min<size_t>(sizeof(word) - skip, static_cast<size_t>(length - i));
    std::memcpy(piece.data() + i, reinterpret_cast<const char*>(&word) + skip,
                count);
    i += static_cast<int64_t>(count);
  }
  offset_ += length;
  return piece;
}

}  // namespace kinora
