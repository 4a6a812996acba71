// A YamlTree is a YAML text, of one or more documents, as trees that is safe to
// walk, whatever the document is. It is the only place that knows yaml-cpp,
// whose exceptions end here.
//
// Stricter than YAML: text is UTF-8 without NUL, keys are plain texts and
// distinct, there are no tags and no merge keys. An alias
// shares the node of its anchor, so the tree is as small as the text; a walk
// that copies it must count what it copies (ToJson() does). An alias within its
// own anchor is refused, so the tree has no cycles.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_YAML_TREE_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_YAML_TREE_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"

namespace kinora {

struct YamlNode;

// One member of a map.
struct YamlEntry {
  std::string key;
  int line = 0;  // of the key, counted from 1
  const YamlNode* value = nullptr;
};

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  bool plain = false;  // a scalar without quotes, which may be a number
  int line = 0;        // counted from 1
  std::string scalar;
  std::vector<const YamlNode*> items;
  std::vector<YamlEntry> entries;

  // The value of a key; null if there is none or this is not a map.
  const YamlNode* Find(absl::string_view key) const;
};

// "a text", "a list", ...; for error messages.
absl::string_view YamlKindName(YamlNode::Kind kind);

// Immutable, hence thread-safe.
class YamlTree {
 public:
  // INVALID_ARGUMENT (BLUEPRINT_INVALID) `file:line: what`.
  static absl::StatusOr<std::unique_ptr<YamlTree>> Parse(
      absl::string_view file, absl::string_view text);

  // The documents that hold anything, in order; at least one.
  const std::vector<const YamlNode*>& documents() const { return documents_; }
  const YamlNode& root() const { return *documents_[0]; }

 private:
  friend class YamlTreeBuilder;

  std::deque<YamlNode> nodes_;
  std::vector<const YamlNode*> documents_;
};

// The node as JSON. A plain scalar is null, true, false or a number if it is
// spelled as JSON spells them, else text; `yes`, `0x10` and `012` are texts.
// INVALID_ARGUMENT, without a place, for an integer that a double does not
// hold exactly, for more than 100,000 values (with shared nodes counted as
// often as they occur) and for more than 64 levels.
absl::StatusOr<JsonValue> ToJson(const YamlNode& node);

// INVALID_ARGUMENT (BLUEPRINT_INVALID) `file:line: what`; "line 12: what" for
// a file without a name. The line is in the metadata, too.
absl::Status BlueprintError(absl::string_view file, int line,
                            absl::string_view what);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_YAML_TREE_H_
