#include "services/planner/blueprint/sub_blueprints.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/planner/blueprint/blueprint_parser.h"
#include "services/planner/blueprint/reference.h"
#include "services/planner/blueprint/suggest.h"
#include "services/planner/blueprint/use_rewriter.h"

namespace kinora {
namespace {

constexpr size_t kMaxUseDepth = 8;
// As many as a blueprint may declare: uses of uses multiply.
constexpr size_t kMaxExpanded = 2000;

class Expander {
 public:
  Expander(absl::string_view file,
           const std::vector<const YamlNode*>& documents, const YamlNode& root,
           std::deque<YamlNode>* made)
      : file_(file),
        documents_(documents),
        whole_(root),
        rewriter_(file, made) {}

  absl::StatusOr<WholeBlueprint> Expand() {
    KINORA_RETURN_IF_ERROR(IndexDocuments());
    const YamlNode& whole = whole_;
    root_ = rewriter_.Make(YamlNode::Kind::kMap, whole.line);
    inputs_ = rewriter_.Make(YamlNode::Kind::kMap, whole.line);
    dimensions_ = rewriter_.Make(YamlNode::Kind::kMap, whole.line);
    nodes_ = rewriter_.Make(YamlNode::Kind::kMap, whole.line);
    UseScope scope;
    scope.document = &whole;
    KINORA_RETURN_IF_ERROR(AddDocument(scope));
    if (&whole == documents_[0]) KINORA_RETURN_IF_ERROR(CheckAllAreUsed());
    for (const YamlEntry& entry : whole.entries) {
      bool is_ours = entry.key == "inputs" || entry.key == "dimensions" ||
                     entry.key == "nodes";
      if (!is_ours) root_->entries.push_back(entry);
    }
    Put(root_, "inputs", whole.line, inputs_);
    Put(root_, "dimensions", whole.line, dimensions_);
    Put(root_, "nodes", whole.line, nodes_);
    WholeBlueprint expanded;
    expanded.root = root_;
    expanded.bindings = std::move(bindings_);
    return expanded;
  }

 private:
  absl::Status Error(int line, absl::string_view path,
                     absl::string_view what) const {
    return BlueprintError(
        file_, line,
        absl::StrCat(ContextOf(documents_, line), ClipValue(path), ": ", what));
  }

  absl::Status TooMany(int line, absl::string_view path,
                       absl::string_view what) const {
    return Error(line, path,
                 absl::StrCat("the blueprint has more than ", kMaxExpanded, " ",
                              what, " with those it uses"));
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
              ContextOf(documents_, entry.line), "unknown key \"",
              ClipValue(entry.key), "\"",
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

  absl::Status AddDocument(const UseScope& scope) {
    const YamlNode& document = *scope.document;
    if (const YamlNode* inputs = document.Find("inputs")) {
      for (const YamlEntry& entry : inputs->entries) {
        if (scope.bound.contains(entry.key)) continue;
        KINORA_RETURN_IF_ERROR(Declare(scope, "inputs", entry, inputs_,
                                       rewriter_.Input(scope, *entry.value)));
        if (inputs_->entries.size() > kMaxExpanded) {
          return TooMany(entry.line, absl::StrCat("inputs.", entry.key),
                         "inputs");
        }
      }
    }
    if (const YamlNode* dimensions = document.Find("dimensions")) {
      for (const YamlEntry& entry : dimensions->entries) {
        KINORA_ASSIGN_OR_RETURN(const YamlNode* dimension,
                                rewriter_.Dimension(scope, *entry.value));
        KINORA_RETURN_IF_ERROR(
            Declare(scope, "dimensions", entry, dimensions_, dimension));
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
      KINORA_ASSIGN_OR_RETURN(const YamlNode* node,
                              rewriter_.Node(scope, entry));
      KINORA_RETURN_IF_ERROR(Declare(scope, "nodes", entry, nodes_, node));
    }
    return absl::OkStatus();
  }

  // What a use brings has the use's name before its own, which may be the name
  // of something else.
  absl::Status Declare(const UseScope& scope, absl::string_view kind,
                       const YamlEntry& entry, YamlNode* map,
                       const YamlNode* value) {
    const std::string name = scope.prefix + entry.key;
    const auto [earlier, is_new] =
        declared_.emplace(absl::StrCat(kind, ".", name), entry.line);
    if (!is_new) {
      return Error(
          entry.line, absl::StrCat(kind, ".", entry.key),
          absl::StrCat("is \"", ClipValue(name),
                       "\" once the uses are put in, and so is what "
                       "line ",
                       earlier->second, " declares; give one another name"));
    }
    Put(map, name, entry.line, value);
    return absl::OkStatus();
  }

  absl::Status AddUse(const UseScope& outer, const YamlEntry& entry) {
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
    UseScope scope;
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
    for (std::string& name : UseRewriter::Names(outer, over)) {
      scope.over.push_back(std::move(name));
    }
    scope.when = rewriter_.Conditions(outer, entry.value->Find("when"));
    if (const YamlNode* inputs = entry.value->Find("inputs")) {
      KINORA_RETURN_IF_ERROR(Bind(outer, *inputs, path + ".inputs", &scope));
    }
    return AddDocument(scope);
  }

  absl::Status Bind(const UseScope& outer, const YamlNode& inputs,
                    const std::string& path, UseScope* scope) {
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
      const YamlNode*& bound = scope->bound[entry.key];
      KINORA_ASSIGN_OR_RETURN(bound, rewriter_.Binding(outer, *entry.value));
      UseBinding binding;
      binding.input = entry.key;
      binding.blueprint = scope->document->Find("blueprint")->scalar;
      KINORA_ASSIGN_OR_RETURN(
          binding.rule,
          RuleOf(*scope->document, {entry.key, input->line, input}));
      KINORA_RETURN_IF_ERROR(
          CheckBound(outer, *entry.value, *bound, here, std::move(binding)));
    }
    return absl::OkStatus();
  }

  // The input is not one of the whole, so nobody else looks at it.
  absl::StatusOr<InputRule> RuleOf(const YamlNode& document,
                                   const YamlEntry& input) {
    const auto known = rules_.find(input.value);
    if (known != rules_.end()) return known->second;
    KINORA_ASSIGN_OR_RETURN(
        const InputRule rule,
        BlueprintParser(file_, document, ContextOf(documents_, input.line))
            .RuleOfInput(input));
    rules_[input.value] = rule;
    return rule;
  }

  // Each reference of what an input is bound to, as it is written and as it is
  // in the whole.
  absl::Status CheckBound(const UseScope& outer, const YamlNode& written,
                          const YamlNode& in_whole, const std::string& path,
                          UseBinding binding) {
    if (written.kind == YamlNode::Kind::kScalar) {
      binding.spelled = written.scalar;
      binding.path = path;
      return CheckReference(outer, written, in_whole, std::move(binding));
    }
    for (absl::string_view key : {"all", "from", "else"}) {
      const YamlNode* part = written.Find(key);
      const YamlNode* whole = in_whole.Find(key);
      if (part == nullptr || whole == nullptr ||
          part->kind != YamlNode::Kind::kScalar) {
        continue;
      }
      UseBinding one = binding;
      one.spelled = part->scalar;
      one.path = key == "else" ? absl::StrCat(path, ".else") : path;
      KINORA_RETURN_IF_ERROR(
          CheckReference(outer, *part, *whole, std::move(one)));
    }
    return absl::OkStatus();
  }

  // An input that the using blueprint declares has its type there, whatever
  // that is bound to in turn; of all else the type is known in the whole.
  absl::Status CheckReference(const UseScope& outer, const YamlNode& written,
                              const YamlNode& in_whole, UseBinding binding) {
    const absl::StatusOr<SpelledReference> spelled =
        ParseReference(written.scalar);
    const YamlNode* inputs = outer.document->Find("inputs");
    const YamlNode* input =
        spelled.ok() && spelled->is_input && inputs != nullptr
            ? inputs->Find(spelled->name)
            : nullptr;
    const YamlNode* type = input == nullptr ? nullptr : input->Find("type");
    const std::optional<InputType> declared =
        type == nullptr ? std::nullopt : ParseInputType(type->scalar);
    if (declared.has_value()) {
      return CheckDeclaredType(file_, documents_, binding, written.line,
                               *declared);
    }
    binding.reference = in_whole.kind == YamlNode::Kind::kScalar
                            ? &in_whole
                            : in_whole.Find("all");
    if (binding.reference != nullptr) bindings_.push_back(std::move(binding));
    return absl::OkStatus();
  }

  const absl::string_view file_;
  const std::vector<const YamlNode*>& documents_;
  const YamlNode& whole_;
  UseRewriter rewriter_;
  std::map<std::string, const YamlNode*> by_name_;
  std::vector<UseBinding> bindings_;
  std::map<const YamlNode*, InputRule> rules_;  // by declaration
  std::set<const YamlNode*> used_;
  std::map<std::string, int> declared_;  // lines, by kind and whole name
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

absl::StatusOr<WholeBlueprint> ExpandSubBlueprints(
    absl::string_view file, const std::vector<const YamlNode*>& documents,
    const YamlNode& root, std::deque<YamlNode>* made) {
  // A blueprint by itself is read as it stands, whatever is wrong with it.
  if (!UsesOthers(root)) {
    if (documents.size() > 1 && &root == documents[0]) {
      return BlueprintError(file, documents[1]->line,
                            "a second YAML document, but the first blueprint "
                            "uses no other");
    }
    WholeBlueprint alone;
    alone.root = &root;
    return alone;
  }
  return Expander(file, documents, root, made).Expand();
}

}  // namespace kinora
