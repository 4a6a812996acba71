#include "clients/cli/content_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

#include "clients/cpp/import/media_type.h"
#include "common/digest.h"
#include "common/element_id.h"
#include "common/files/file_system.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/status.h"
#include "common/utf8.h"
#include "services/planner/blueprint/input_type.h"

namespace kinora {
namespace {

// Longer values are cut in listings.
constexpr size_t kShownBytes = 60;

// Read in one piece to be hashed; a larger file is rather an artefact.
constexpr uint64_t kMaxInputFileBytes = uint64_t{1} << 30;

std::string Beginning(absl::string_view text) {
  std::string line(
      text.substr(0, ValidUtf8Prefix(text.substr(0, kShownBytes))));
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  if (line.size() < text.size()) line += "...";
  return line;
}

// Where the `=` behind the name is: the first one outside of brackets, as in
// `Prompt[segment=1]="a = b"`.
size_t EndOfName(absl::string_view text) {
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') inside = true;
    if (text[i] == ']') inside = false;
    if (text[i] == '=' && !inside) return i;
  }
  return absl::string_view::npos;
}

// The media type that the name tells, if the bytes can be of it.
std::string TypeOfFile(absl::string_view path, absl::string_view bytes,
                       bool is_text) {
  std::string type = MediaTypeOf(path, is_text);
  const bool is_sound =
      type == "application/json"
          ? bytes.size() > kMaxJsonInputBytes || ParseJson(bytes).ok()
          : type != "text/plain" || is_text;
  if (is_sound) return type;
  return is_text ? "text/plain" : "application/octet-stream";
}

}  // namespace

std::string DescribeContent(const v1::Content& content) {
  if (content.has_blob()) {
    const v1::BlobRef& blob = content.blob();
    return absl::StrFormat("%s  %9d bytes  %s",
                           blob.digest().hash().substr(0, 12),
                           blob.digest().size_bytes(), blob.mime_type());
  }
  const v1::InlineValue& value = content.inline_();
  std::string text =
      absl::StrFormat("%s  %9d bytes  %s", value.hash().substr(0, 12),
                      value.data().size(), value.mime_type());
  if (IsValidUtf8(value.data())) {
    absl::StrAppend(&text, "  ", Beginning(value.data()));
  }
  return text;
}

std::string ShowValue(const v1::Content& content) {
  if (content.has_blob()) {
    return absl::StrCat(content.blob().digest().hash().substr(0, 12), " (",
                        content.blob().digest().size_bytes(), " bytes)");
  }
  const v1::InlineValue& value = content.inline_();
  if (!IsValidUtf8(value.data())) return value.hash().substr(0, 12);
  // JSON text has its own quotes.
  if (value.mime_type() == "application/json") return Beginning(value.data());
  return absl::StrCat("\"", Beginning(value.data()), "\"");
}

absl::StatusOr<InputAssignment> ParseAssignment(absl::string_view text) {
  const size_t equals = EndOfName(text);
  if (equals == absl::string_view::npos || equals == 0) {
    return InvalidField("input", text,
                        "expected NAME=JSON, NAME=@FILE or NAME=file:PATH");
  }
  InputAssignment assignment;
  const absl::string_view name = text.substr(0, equals);
  KINORA_ASSIGN_OR_RETURN(const ElementId id,
                          ElementId::Parse(name, ElementId::Kind::kInput));
  if (id.kind != ElementId::Kind::kInput) {
    return InvalidField("input", name, "names an artefact, not an input");
  }
  assignment.edit.set_input_id(id.ToString());

  absl::string_view value = text.substr(equals + 1);
  if (absl::ConsumePrefix(&value, "file:")) {
    assignment.upload_path = std::string(value);
    KINORA_ASSIGN_OR_RETURN(
        const std::string bytes,
        ReadFile(PosixFileSystem(), value, kMaxInputFileBytes));
    v1::BlobRef& blob = *assignment.edit.mutable_content()->mutable_blob();
    blob.mutable_digest()->set_hash(Sha256Of(bytes).Hex());
    blob.mutable_digest()->set_size_bytes(static_cast<int64_t>(bytes.size()));
    assignment.is_text = IsValidUtf8(bytes);
    blob.set_mime_type(TypeOfFile(value, bytes, assignment.is_text));
    return assignment;
  }
  std::string json(value);
  if (absl::ConsumePrefix(&value, "@")) {
    KINORA_ASSIGN_OR_RETURN(
        json, ReadFile(PosixFileSystem(), value, kMaxInputFileBytes));
  }
  absl::StatusOr<JsonValue> parsed = ParseJson(json, {.exact_integers = true});
  if (absl::IsOutOfRange(parsed.status())) {
    return InvalidField(id.ToString(), json, parsed.status().message());
  }
  if (!parsed.ok()) {
    // The parser says where it stopped and what it got there.
    return absl::InvalidArgumentError(absl::StrCat(
        id.ToString(), ": is not JSON (text needs quotes within the value, as ",
        "in ", name, "='\"text\"'): ", parsed.status().message()));
  }
  v1::InlineValue& inline_value =
      *assignment.edit.mutable_content()->mutable_inline_();
  inline_value.set_mime_type("application/json");
  inline_value.set_data(CanonicalJson(*parsed));
  inline_value.set_hash(Sha256Of(inline_value.data()).Hex());
  return assignment;
}

}  // namespace kinora
