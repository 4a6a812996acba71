#include "services/planner/blueprint/use_rewriter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "services/planner/blueprint/reference.h"

namespace kinora {
namespace {

// `{shot}` as `{Intro_shot}`.
std::string WithPrefixes(const UseScope& scope, const std::string& text) {
  std::string result;
  for (char c : text) {
    result += c;
    if (c == '{') result += scope.prefix;
  }
  return result;
}

}  // namespace

YamlNode* UseRewriter::Make(YamlNode::Kind kind, int line) {
  YamlNode& node = made_.emplace_back();
  node.kind = kind;
  node.line = line;
  return &node;
}

const YamlNode* UseRewriter::MakeText(std::string text, int line) {
  YamlNode* node = Make(YamlNode::Kind::kScalar, line);
  node->scalar = std::move(text);
  return node;
}

void Put(YamlNode* map, std::string key, int line, const YamlNode* value) {
  YamlEntry& entry = map->entries.emplace_back();
  entry.key = std::move(key);
  entry.line = line;
  entry.value = value;
}

std::vector<std::string> UseRewriter::Names(const UseScope& scope,
                                            const YamlNode* list) {
  std::vector<std::string> names;
  if (list == nullptr) return names;
  for (const YamlNode* item : list->items) {
    names.push_back(scope.prefix + item->scalar);
  }
  return names;
}

// A list `over`: what is before, then the names of `list`.
const YamlNode* UseRewriter::Over(const UseScope& scope, const YamlNode* list,
                                  int line) {
  // The parser says what is wrong with it.
  if (list != nullptr && list->kind != YamlNode::Kind::kList) return list;
  YamlNode* over = Make(YamlNode::Kind::kList, line);
  for (const std::string& name : scope.over) {
    over->items.push_back(MakeText(name, line));
  }
  if (list == nullptr) return over;
  for (const YamlNode* item : list->items) {
    over->items.push_back(MakeText(scope.prefix + item->scalar, item->line));
  }
  return over;
}

const YamlNode* UseRewriter::Input(const UseScope& scope,
                                   const YamlNode& input) {
  const YamlNode* over = input.Find("over");
  if (scope.prefix.empty() || over == nullptr) return &input;
  YamlNode* copy = Make(input.kind, input.line);
  for (const YamlEntry& entry : input.entries) {
    Put(copy, entry.key, entry.line,
        entry.key == "over" ? Over(scope, over, entry.line) : entry.value);
  }
  return copy;
}

absl::StatusOr<const YamlNode*> UseRewriter::Dimension(
    const UseScope& scope, const YamlNode& dimension) {
  if (scope.prefix.empty()) return &dimension;
  YamlNode* copy = Make(dimension.kind, dimension.line);
  for (const YamlEntry& entry : dimension.entries) {
    const YamlNode* value = entry.value;
    if (entry.key == "within") {
      value = MakeText(scope.prefix + value->scalar, value->line);
    } else if (entry.key == "size" && value->kind == YamlNode::Kind::kScalar) {
      KINORA_ASSIGN_OR_RETURN(value, Binding(scope, *value));
      // A size for each index of what the use is over.
      if (value->scalar.find('[') != std::string::npos &&
          dimension.Find("within") == nullptr && !scope.over.empty()) {
        Put(copy, "within", entry.line,
            MakeText(scope.over.back(), entry.line));
      }
    }
    Put(copy, entry.key, entry.line, value);
  }
  return copy;
}

absl::StatusOr<const YamlNode*> UseRewriter::Node(const UseScope& scope,
                                                  const YamlEntry& entry) {
  const YamlNode& node = *entry.value;
  if (scope.prefix.empty() || node.kind != YamlNode::Kind::kMap) return &node;
  YamlNode* copy = Make(YamlNode::Kind::kMap, node.line);
  for (const YamlEntry& member : node.entries) {
    const YamlNode* value = member.value;
    if (member.key == "over" || member.key == "when") continue;
    if (member.key == "outputs") value = Outputs(scope, *value);
    if (member.key == "inputs") {
      YamlNode* inputs = Make(value->kind, value->line);
      inputs->scalar = value->scalar;
      for (const YamlEntry& input : value->entries) {
        KINORA_ASSIGN_OR_RETURN(const YamlNode* binding,
                                Binding(scope, *input.value));
        Put(inputs, input.key, input.line, binding);
      }
      value = inputs;
    }
    Put(copy, member.key, member.line, value);
  }
  Put(copy, "over", entry.line, Over(scope, node.Find("over"), entry.line));
  std::vector<const YamlNode*> when = Conditions(scope, node.Find("when"));
  if (!when.empty()) {
    YamlNode* list = Make(YamlNode::Kind::kList, entry.line);
    list->items = std::move(when);
    Put(copy, "when", entry.line, list);
  }
  return copy;
}

std::vector<const YamlNode*> UseRewriter::Conditions(const UseScope& scope,
                                                     const YamlNode* when) {
  std::vector<const YamlNode*> all = scope.when;
  if (when == nullptr) return all;
  std::vector<const YamlNode*> own = {when};
  if (when->kind == YamlNode::Kind::kList) own = when->items;
  for (const YamlNode* condition : own) {
    if (condition->kind != YamlNode::Kind::kMap) {
      all.push_back(Reference(scope, *condition));
      continue;
    }
    YamlNode* copy = Make(YamlNode::Kind::kMap, condition->line);
    for (const YamlEntry& entry : condition->entries) {
      Put(copy, entry.key, entry.line,
          entry.key == "value" ? Reference(scope, *entry.value) : entry.value);
    }
    all.push_back(copy);
  }
  return all;
}

absl::StatusOr<const YamlNode*> UseRewriter::Binding(const UseScope& scope,
                                                     const YamlNode& binding) {
  if (scope.prefix.empty()) return &binding;
  if (binding.kind != YamlNode::Kind::kMap) return Reference(scope, binding);
  YamlNode* copy = Make(YamlNode::Kind::kMap, binding.line);
  for (const YamlEntry& entry : binding.entries) {
    const YamlNode* value = entry.value;
    if (entry.key == "group") {
      value = MakeText(scope.prefix + value->scalar, value->line);
    } else if (entry.key == "order") {
      YamlNode* order = Make(value->kind, value->line);
      order->scalar = value->scalar;
      for (const YamlNode* item : value->items) {
        absl::string_view name = item->scalar;
        bool descending = absl::ConsumePrefix(&name, "-");
        order->items.push_back(
            MakeText(absl::StrCat(descending ? "-" : "", scope.prefix, name),
                     item->line));
      }
      value = order;
    } else {
      value = Reference(scope, *value);
      if (value->kind == YamlNode::Kind::kMap) {
        return BlueprintError(
            file_, entry.line,
            absl::StrCat("blueprint ",
                         ClipValue(scope.document->Find("blueprint")->scalar),
                         ": \"", ClipValue(entry.value->scalar),
                         "\" is bound to a fan-in, which stands only where "
                         "it is read by itself"));
      }
    }
    Put(copy, entry.key, entry.line, value);
  }
  return copy;
}

// What a reference of a used blueprint is in the whole. One that cannot be
// read stays as it is: the parser says what is wrong with it.
const YamlNode* UseRewriter::Reference(const UseScope& scope,
                                       const YamlNode& text) {
  if (scope.prefix.empty() || text.kind != YamlNode::Kind::kScalar) {
    return &text;
  }
  absl::StatusOr<SpelledReference> spelled = ParseReference(text.scalar);
  if (!spelled.ok()) return &text;
  bool has_indices = true;
  if (spelled->is_input) {
    auto bound = scope.bound.find(spelled->name);
    if (bound != scope.bound.end() && spelled->indices.empty()) {
      return bound->second;
    }
    has_indices = !spelled->indices.empty();
  }
  std::string whole = absl::StrCat(spelled->is_input ? "Input:" : "",
                                   scope.prefix, spelled->name);
  if (has_indices) {
    for (const std::string& name : scope.over) {
      absl::StrAppend(&whole, "[", name, "]");
    }
  }
  for (const SpelledIndex& index : spelled->indices) {
    std::string name =
        index.dimension.empty() ? "" : scope.prefix + index.dimension;
    absl::StrAppend(&whole, "[", name);
    if (index.is_constant) {
      absl::StrAppend(&whole, name.empty() ? "" : "=", index.constant);
    } else if (index.offset != 0) {
      absl::StrAppend(&whole, index.offset > 0 ? "+" : "", index.offset);
    }
    whole += "]";
  }
  return MakeText(std::move(whole), text.line);
}

const YamlNode* UseRewriter::Outputs(const UseScope& scope,
                                     const YamlNode& outputs) {
  YamlNode* copy = Make(outputs.kind, outputs.line);
  copy->scalar = outputs.scalar;
  for (const YamlEntry& entry : outputs.entries) {
    Put(copy, scope.prefix + entry.key, entry.line,
        Output(scope, *entry.value));
  }
  return copy;
}

// An output or a leaf.
const YamlNode* UseRewriter::Output(const UseScope& scope,
                                    const YamlNode& output) {
  if (output.kind != YamlNode::Kind::kMap) return &output;
  YamlNode* copy = Make(YamlNode::Kind::kMap, output.line);
  for (const YamlEntry& entry : output.entries) {
    const YamlNode* value = entry.value;
    if (entry.key == "over" && value->kind == YamlNode::Kind::kList) {
      YamlNode* over = Make(YamlNode::Kind::kList, value->line);
      for (const YamlNode* item : value->items) {
        over->items.push_back(
            MakeText(scope.prefix + item->scalar, item->line));
      }
      value = over;
    } else if (entry.key == "leaves") {
      value = Outputs(scope, *value);
    } else if (entry.key == "at") {
      value = MakeText(WithPrefixes(scope, value->scalar), value->line);
    } else if (entry.key == "readable") {
      // In a directory of the use, and of each index it is over.
      std::string path = scope.prefix.substr(0, scope.prefix.size() - 1);
      for (const std::string& name : scope.over) {
        absl::StrAppend(&path, "/{", name, "}");
      }
      value =
          MakeText(absl::StrCat(path, "/", WithPrefixes(scope, value->scalar)),
                   value->line);
    }
    Put(copy, entry.key, entry.line, value);
  }
  return copy;
}

}  // namespace kinora
