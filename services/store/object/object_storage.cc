#include "services/store/object/object_storage.h"

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kMaxKeyBytes = 1024;
constexpr size_t kMaxPartBytes = 255;

bool IsKeyCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '_' || c == '%' || c == '-';
}

// What is wrong with one part of a key; empty if nothing is.
absl::string_view PartProblem(absl::string_view part) {
  if (part.empty()) return "has an empty part";
  if (part == "." || part == "..") return "has a part that is . or ..";
  if (part.size() > kMaxPartBytes) return "has a part of more than 255 bytes";
  for (const char c : part) {
    if (!IsKeyCharacter(c)) return "may hold only [A-Za-z0-9._%-] and '/'";
  }
  return "";
}

absl::Status ValidatePath(absl::string_view field, absl::string_view value,
                          absl::string_view path) {
  if (path.size() > kMaxKeyBytes) {
    return InvalidField(field, value, "is longer than 1024 bytes");
  }
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    const absl::string_view problem = PartProblem(part);
    if (!problem.empty()) return InvalidField(field, value, problem);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadObject(ObjectStorage& storage,
                                       absl::string_view key) {
  return storage.Read(key, 0, std::numeric_limits<int64_t>::max());
}

absl::Status ValidateObjectKey(absl::string_view key) {
  return ValidatePath("key", key, key);
}

absl::Status ValidateObjectPrefix(absl::string_view prefix) {
  if (prefix.empty() || prefix.back() != '/') {
    return InvalidField("prefix", prefix, "must end in '/'");
  }
  return ValidatePath("prefix", prefix, prefix.substr(0, prefix.size() - 1));
}

absl::Status ValidateObjectPage(absl::string_view prefix, int page_size) {
  if (page_size <= 0) {
    return InvalidField("page_size", absl::StrCat(page_size),
                        "must be positive");
  }
  return ValidateObjectPrefix(prefix);
}

absl::Status ValidateObjectRange(absl::string_view key, int64_t offset,
                                 int64_t limit) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  if (offset < 0) {
    return InvalidField("offset", absl::StrCat(offset), "is negative");
  }
  if (limit < 0) {
    return InvalidField("limit", absl::StrCat(limit), "is negative");
  }
  return absl::OkStatus();
}

absl::Status PastObjectEnd(absl::string_view key, int64_t offset,
                           int64_t size_bytes) {
  return absl::OutOfRangeError(absl::StrCat("read \"", key, "\": offset ",
                                            offset, " is past its ", size_bytes,
                                            " bytes"));
}

}  // namespace kinora
