// What the declarations of a used blueprint are in the whole: with their names
// after that of the use, over its dimensions, and with what its inputs are
// bound to. See sub_blueprints.h.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_USE_REWRITER_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_USE_REWRITER_H_

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/planner/blueprint/yaml_tree.h"

namespace kinora {

// Where the declarations of one use end up.
struct UseScope {
  std::string prefix;             // before names; empty for the whole
  std::vector<std::string> over;  // dimensions before their own
  std::vector<const YamlNode*> when;
  std::map<std::string, const YamlNode*> bound;  // inputs, by their own name
  const YamlNode* document = nullptr;
  size_t depth = 0;
};

// Adds a member to a map.
void Put(YamlNode* map, std::string key, int line, const YamlNode* value);

// Gives a part of the document of a scope, or of what uses it, as it is in the
// whole: the part itself where nothing changes, else a copy. What is malformed
// stays as it is: the parser says what is wrong with it.
class UseRewriter {
 public:
  // `made` keeps the nodes that are made; both MUST outlive this.
  UseRewriter(absl::string_view file, std::deque<YamlNode>* made)
      : file_(file), made_(*made) {}

  YamlNode* Make(YamlNode::Kind kind, int line);

  // Names of dimensions.
  static std::vector<std::string> Names(const UseScope& scope,
                                        const YamlNode* list);

  // Declarations.
  const YamlNode* Input(const UseScope& scope, const YamlNode& input);
  absl::StatusOr<const YamlNode*> Dimension(const UseScope& scope,
                                            const YamlNode& dimension);
  absl::StatusOr<const YamlNode*> Node(const UseScope& scope,
                                       const YamlEntry& entry);

  // The conditions of a use or node, after those around it.
  std::vector<const YamlNode*> Conditions(const UseScope& scope,
                                          const YamlNode* when);

  // What an input is bound to.
  absl::StatusOr<const YamlNode*> Binding(const UseScope& scope,
                                          const YamlNode& binding);

 private:
  const YamlNode* MakeText(std::string text, int line);
  const YamlNode* Over(const UseScope& scope, const YamlNode* list, int line);
  const YamlNode* Reference(const UseScope& scope, const YamlNode& text);
  const YamlNode* Outputs(const UseScope& scope, const YamlNode& outputs);
  const YamlNode* Output(const UseScope& scope, const YamlNode& output);

  const absl::string_view file_;
  std::deque<YamlNode>& made_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_USE_REWRITER_H_
