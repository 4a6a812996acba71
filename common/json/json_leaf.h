// Leaves: parts of a JSON document that are artefacts of their own. Whatever
// takes them out does it here: what a producer made and what a person put in
// its place are split alike.

#ifndef KINORA_COMMON_JSON_JSON_LEAF_H_
#define KINORA_COMMON_JSON_JSON_LEAF_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"

namespace kinora {

// A larger document is not split.
inline constexpr int64_t kMaxSplitBytes = int64_t{64} << 20;

// A leaf, what it is a part of and where in that it stands.
struct JsonLeaf {
  std::string artefact_id;
  std::string leaf_of;
  std::string json_pointer;
  std::string mime_type;
};

// Reads the document that artefact `id` is. INVALID_ARGUMENT names it if it is
// no JSON.
absl::StatusOr<JsonValue> ParseSplitDocument(absl::string_view id,
                                             absl::string_view text);

// OK for the size of a document that can be split, else INVALID_ARGUMENT.
absl::Status CheckSplitSize(absl::string_view id, int64_t bytes);

// The bytes of a leaf: the text of a JSON string for a text type, canonical
// JSON for any other. INVALID_ARGUMENT names leaf, document, pointer and value
// if there is no such value or one of another type.
absl::StatusOr<std::string> BytesOfLeaf(const JsonValue& document,
                                        const JsonLeaf& leaf);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_JSON_LEAF_H_
