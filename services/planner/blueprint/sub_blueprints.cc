#include "services/planner/blueprint/sub_blueprints.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "services/planner/blueprint/reference.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {
namespace {

constexpr size_t kMaxUseDepth = 8;
// As many as a blueprint may declare: uses of uses multiply.
constexpr size_t kMaxExpanded = 2000;

// Where the declarations of one use end up.
struct Scope {
  std::string prefix;             // before names; empty for the whole
  std::vector<std::string> over;  // dimensions before their own
  std::vector<const YamlNode*> when;
  std::map<std::string, const YamlNode*> bound;  // inputs, by their own name
  const YamlNode* document = nullptr;
  size_t depth = 0;
};

class Expander {
 public:
  Expander(absl::string_view file,
           const std::vector<const YamlNode*>& documents,
           std::deque<YamlNode>* made)
      : file_(file), documents_(documents), made_(*made) {}

  absl::StatusOr<const YamlNode*> Expand() {
    KINORA_RETURN_IF_ERROR(IndexDocuments());
    const YamlNode& whole = *documents_[0];
    root_ = Make(YamlNode::Kind::kMap, whole.line);
    inputs_ = Make(YamlNode::Kind::kMap, whole.line);
    dimensions_ = Make(YamlNode::Kind::kMap, whole.line);
    nodes_ = Make(YamlNode::Kind::kMap, whole.line);
    Scope scope;
    scope.document = &whole;
    KINORA_RETURN_IF_ERROR(AddDocument(scope));
    KINORA_RETURN_IF_ERROR(CheckAllAreUsed());
    for (const YamlEntry& entry : whole.entries) {
      bool is_ours = entry.key == "inputs" || entry.key == "dimensions" ||
                     entry.key == "nodes";
      if (!is_ours) root_->entries.push_back(entry);
    }
    Put(root_, "inputs", whole.line, inputs_);
    Put(root_, "dimensions", whole.line, dimensions_);
    Put(root_, "nodes", whole.line, nodes_);
    return root_;
  }

 private:
  absl::Status Error(int line, absl::string_view path,
                     absl::string_view what) const {
    return BlueprintError(file_, line,
                          absl::StrCat(ClipValue(path), ": ", what));
  }

  absl::Status TooMany(int line, absl::string_view path,
                       absl::string_view what) const {
    return Error(line, path,
                 absl::StrCat("the blueprint has more than ", kMaxExpanded, " ",
                              what, " with those it uses"));
  }

  YamlNode* Make(YamlNode::Kind kind, int line) {
    YamlNode& node = made_.emplace_back();
    node.kind = kind;
    node.line = line;
    return &node;
  }
  const YamlNode* MakeText(std::string text, int line) {
    YamlNode* node = Make(YamlNode::Kind::kScalar, line);
    node->scalar = std::move(text);
    return node;
  }
  static void Put(YamlNode* map, std::string key, int line,
                  const YamlNode* value) {
    YamlEntry& entry = map->entries.emplace_back();
    entry.key = std::move(key);
    entry.line = line;
    entry.value = value;
  }

  absl::Status IndexDocuments() {
    for (const YamlNode* document : documents_) {
      KINORA_RETURN_IF_ERROR(CheckDocument(*document));
      const YamlNode* name = document->Find("blueprint");
      auto [earlier, inserted] = by_name_.emplace(name->scalar, document);
      if (inserted) continue;
      return Error(name->line, "blueprint",
                   absl::StrCat("\"", ClipValue(name->scalar),
                                "\" is in the file twice, first in line ",
                                earlier->second->line));
    }
    return absl::OkStatus();
  }

  // The whole is checked by the parser; of the others only parts get there.
  absl::Status CheckDocument(const YamlNode& document) const {
    constexpr absl::string_view kKeys[] = {"blueprint", "inputs", "dimensions",
                                           "nodes", "outputs"};
    for (const YamlEntry& entry : document.entries) {
      if (std::find(std::begin(kKeys), std::end(kKeys), entry.key) !=
          std::end(kKeys)) {
        continue;
      }
      return BlueprintError(
          file_, entry.line,
          absl::StrCat(
              "unknown key \"", ClipValue(entry.key), "\"",
              DidYouMean(entry.key, {std::begin(kKeys), std::end(kKeys)})));
    }
    const YamlNode* name = document.Find("blueprint");
    if (name == nullptr || name->kind != YamlNode::Kind::kScalar) {
      return Error(document.line, "blueprint",
                   "is missing; it names the blueprint");
    }
    for (absl::string_view key : {"inputs", "dimensions", "nodes"}) {
      const YamlNode* map = document.Find(key);
      if (map == nullptr || map->kind == YamlNode::Kind::kNull ||
          map->kind == YamlNode::Kind::kMap) {
        continue;
      }
      return Error(map->line, key,
                   absl::StrCat("must be a map from name to declaration, got ",
                                YamlKindName(map->kind)));
    }
    return absl::OkStatus();
  }

  absl::Status CheckAllAreUsed() const {
    for (const auto& [name, document] : by_name_) {
      if (document == documents_[0] || used_.contains(document)) continue;
      return Error(document->line, "blueprint",
                   absl::StrCat("\"", ClipValue(name),
                                "\" is used by no other in the file"));
    }
    return absl::OkStatus();
  }

  absl::Status AddDocument(const Scope& scope) {
    const YamlNode& document = *scope.document;
    if (const YamlNode* inputs = document.Find("inputs")) {
      for (const YamlEntry& entry : inputs->entries) {
        if (scope.bound.contains(entry.key)) continue;
        Put(inputs_, scope.prefix + entry.key, entry.line,
            Input(scope, *entry.value));
        if (inputs_->entries.size() > kMaxExpanded) {
          return TooMany(entry.line, absl::StrCat("inputs.", entry.key),
                         "inputs");
        }
      }
    }
    if (const YamlNode* dimensions = document.Find("dimensions")) {
      for (const YamlEntry& entry : dimensions->entries) {
        KINORA_ASSIGN_OR_RETURN(const YamlNode* dimension,
                                Dimension(scope, *entry.value));
        Put(dimensions_, scope.prefix + entry.key, entry.line, dimension);
        if (dimensions_->entries.size() > kMaxExpanded) {
          return TooMany(entry.line, absl::StrCat("dimensions.", entry.key),
                         "dimensions");
        }
      }
    }
    const YamlNode* nodes = document.Find("nodes");
    if (nodes == nullptr) return absl::OkStatus();
    for (const YamlEntry& entry : nodes->entries) {
      // Uses count as well: uses of uses multiply, also without nodes.
      if (++count_ > kMaxExpanded) {
        return TooMany(entry.line, absl::StrCat("nodes.", entry.key), "nodes");
      }
      if (entry.value->Find("use") != nullptr) {
        KINORA_RETURN_IF_ERROR(AddUse(scope, entry));
        continue;
      }
      KINORA_ASSIGN_OR_RETURN(const YamlNode* node, Node(scope, entry));
      Put(nodes_, scope.prefix + entry.key, entry.line, node);
    }
    return absl::OkStatus();
  }

  absl::Status AddUse(const Scope& outer, const YamlEntry& entry) {
    std::string path = absl::StrCat("nodes.", entry.key);
    for (const YamlEntry& member : entry.value->entries) {
      constexpr absl::string_view kKeys[] = {"use", "inputs", "over", "when"};
      if (std::find(std::begin(kKeys), std::end(kKeys), member.key) !=
          std::end(kKeys)) {
        continue;
      }
      return Error(member.line, path,
                   absl::StrCat("unknown key \"", ClipValue(member.key),
                                "\"; a node that uses a blueprint has use, "
                                "inputs, over and when"));
    }
    const YamlNode& use = *entry.value->Find("use");
    auto found = by_name_.find(use.scalar);
    if (use.kind != YamlNode::Kind::kScalar || found == by_name_.end()) {
      std::vector<absl::string_view> names;
      for (const auto& [name, document] : by_name_) names.push_back(name);
      return Error(use.line, path + ".use",
                   absl::StrCat("unknown blueprint \"", ClipValue(use.scalar),
                                "\"", DidYouMean(use.scalar, names),
                                "; what is used stands in the same file, "
                                "after a line ---"));
    }
    if (outer.depth + 1 > kMaxUseDepth) {
      return Error(use.line, path + ".use",
                   absl::StrCat("blueprints use each other more than ",
                                kMaxUseDepth, " levels deep"));
    }
    used_.insert(found->second);
    Scope scope;
    scope.depth = outer.depth + 1;
    scope.document = found->second;
    scope.prefix = absl::StrCat(outer.prefix, entry.key, "_");
    scope.over = outer.over;
    const YamlNode* over = entry.value->Find("over");
    if (over != nullptr && over->kind != YamlNode::Kind::kList) {
      return Error(over->line, path + ".over",
                   absl::StrCat("must be a list of dimensions, such as "
                                "[segment], got ",
                                YamlKindName(over->kind)));
    }
    for (std::string& name : Names(outer, over)) {
      scope.over.push_back(std::move(name));
    }
    scope.when = Conditions(outer, entry.value->Find("when"));
    if (const YamlNode* inputs = entry.value->Find("inputs")) {
      KINORA_RETURN_IF_ERROR(Bind(outer, *inputs, path + ".inputs", &scope));
    }
    return AddDocument(scope);
  }

  absl::Status Bind(const Scope& outer, const YamlNode& inputs,
                    const std::string& path, Scope* scope) {
    if (inputs.kind != YamlNode::Kind::kMap) {
      return Error(inputs.line, path,
                   absl::StrCat("must be a map from name to reference, got ",
                                YamlKindName(inputs.kind)));
    }
    const YamlNode* declared = scope->document->Find("inputs");
    for (const YamlEntry& entry : inputs.entries) {
      const YamlNode* input =
          declared == nullptr ? nullptr : declared->Find(entry.key);
      std::string here = absl::StrCat(path, ".", entry.key);
      if (input == nullptr) {
        std::vector<absl::string_view> names;
        if (declared != nullptr) {
          for (const YamlEntry& e : declared->entries) names.push_back(e.key);
        }
        return Error(entry.line, here,
                     absl::StrCat("the blueprint used has no such input",
                                  DidYouMean(entry.key, names)));
      }
      if (input->Find("over") != nullptr) {
        return Error(entry.line, here,
                     "has dimensions of its own, so it cannot be bound; it is "
                     "an input of the whole");
      }
      KINORA_ASSIGN_OR_RETURN(scope->bound[entry.key],
                              Binding(outer, *entry.value));
    }
    return absl::OkStatus();
  }

  // Names of dimensions as the whole has them.
  static std::vector<std::string> Names(const Scope& scope,
                                        const YamlNode* list) {
    std::vector<std::string> names;
    if (list == nullptr) return names;
    for (const YamlNode* item : list->items) {
      names.push_back(scope.prefix + item->scalar);
    }
    return names;
  }

  // A list `over`: what is before, then the names of `list`.
  const YamlNode* Over(const Scope& scope, const YamlNode* list, int line) {
    // The parser says what is wrong with it.
    if (list != nullptr && list->kind != YamlNode::Kind::kList) return list;
    YamlNode* over = Make(YamlNode::Kind::kList, line);
    for (const std::string& name : scope.over) {
      over->items.push_back(MakeText(name, line));
    }
    for (std::string& name : Names(scope, list)) {
      over->items.push_back(MakeText(std::move(name), line));
    }
    return over;
  }

  const YamlNode* Input(const Scope& scope, const YamlNode& input) {
    const YamlNode* over = input.Find("over");
    if (scope.prefix.empty() || over == nullptr) return &input;
    YamlNode* copy = Make(input.kind, input.line);
    for (const YamlEntry& entry : input.entries) {
      Put(copy, entry.key, entry.line,
          entry.key == "over" ? Over(scope, over, entry.line) : entry.value);
    }
    return copy;
  }

  absl::StatusOr<const YamlNode*> Dimension(const Scope& scope,
                                            const YamlNode& dimension) {
    if (scope.prefix.empty()) return &dimension;
    YamlNode* copy = Make(dimension.kind, dimension.line);
    for (const YamlEntry& entry : dimension.entries) {
      const YamlNode* value = entry.value;
      if (entry.key == "within") {
        value = MakeText(scope.prefix + value->scalar, value->line);
      } else if (entry.key == "size" &&
                 value->kind == YamlNode::Kind::kScalar) {
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

  absl::StatusOr<const YamlNode*> Node(const Scope& scope,
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

  // The conditions of a use or node, after those around it.
  std::vector<const YamlNode*> Conditions(const Scope& scope,
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
            entry.key == "value" ? Reference(scope, *entry.value)
                                 : entry.value);
      }
      all.push_back(copy);
    }
    return all;
  }

  absl::StatusOr<const YamlNode*> Binding(const Scope& scope,
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
          return Error(entry.line, scope.prefix,
                       absl::StrCat("\"", ClipValue(entry.value->scalar),
                                    "\" is bound to a fan-in, which stands "
                                    "only where it is read by itself"));
        }
      }
      Put(copy, entry.key, entry.line, value);
    }
    return copy;
  }

  // What a reference of a used blueprint is in the whole. One that cannot be
  // read stays as it is: the parser says what is wrong with it.
  const YamlNode* Reference(const Scope& scope, const YamlNode& text) {
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

  const YamlNode* Outputs(const Scope& scope, const YamlNode& outputs) {
    YamlNode* copy = Make(outputs.kind, outputs.line);
    copy->scalar = outputs.scalar;
    for (const YamlEntry& entry : outputs.entries) {
      Put(copy, scope.prefix + entry.key, entry.line,
          Output(scope, *entry.value));
    }
    return copy;
  }

  // An output or a leaf.
  const YamlNode* Output(const Scope& scope, const YamlNode& output) {
    if (output.kind != YamlNode::Kind::kMap) return &output;
    YamlNode* copy = Make(YamlNode::Kind::kMap, output.line);
    for (const YamlEntry& entry : output.entries) {
      const YamlNode* value = entry.value;
      if (entry.key == "over" && value->kind == YamlNode::Kind::kList) {
        YamlNode* over = Make(YamlNode::Kind::kList, value->line);
        for (std::string& name : Names(scope, value)) {
          over->items.push_back(MakeText(std::move(name), value->line));
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
        value = MakeText(
            absl::StrCat(path, "/", WithPrefixes(scope, value->scalar)),
            value->line);
      }
      Put(copy, entry.key, entry.line, value);
    }
    return copy;
  }

  // `{shot}` as `{Intro_shot}`.
  static std::string WithPrefixes(const Scope& scope, const std::string& text) {
    std::string result;
    for (char c : text) {
      result += c;
      if (c == '{') result += scope.prefix;
    }
    return result;
  }

  const absl::string_view file_;
  const std::vector<const YamlNode*>& documents_;
  std::deque<YamlNode>& made_;
  std::map<std::string, const YamlNode*> by_name_;
  std::set<const YamlNode*> used_;
  YamlNode* root_ = nullptr;
  YamlNode* inputs_ = nullptr;
  YamlNode* dimensions_ = nullptr;
  YamlNode* nodes_ = nullptr;
  size_t count_ = 0;
};

bool UsesOthers(const YamlNode& document) {
  const YamlNode* nodes = document.Find("nodes");
  if (nodes == nullptr) return false;
  for (const YamlEntry& entry : nodes->entries) {
    if (entry.value->Find("use") != nullptr) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<const YamlNode*> ExpandSubBlueprints(
    absl::string_view file, const std::vector<const YamlNode*>& documents,
    std::deque<YamlNode>* made) {
  // A blueprint by itself is read as it stands, whatever is wrong with it.
  if (!UsesOthers(*documents[0])) {
    if (documents.size() == 1) return documents[0];
    return BlueprintError(file, documents[1]->line,
                          "a second YAML document, but the first blueprint "
                          "uses no other");
  }
  return Expander(file, documents, made).Expand();
}

}  // namespace kinora
