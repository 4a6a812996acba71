#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/files/percent_escapes.h"
#include "common/json/canonical_json.h"
#include "common/json/json_pointer.h"
#include "common/json/json_schema.h"
#include "common/json/json_schema_keywords.h"
#include "common/json/json_schema_nodes.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr absl::string_view kDraft =
    "https://json-schema.org/draft/2020-12/schema";

// A schema of depth 100 is no longer read by people.
constexpr int kMaxSchemaDepth = 100;

// What one pattern may take, compiled.
constexpr int64_t kMaxPatternBytes = 256 * 1024;

// They would decide what fits; to ignore them would let through what does not.
constexpr absl::string_view kNotChecked[] = {
    "unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef",
    "additionalItems",  "dependencies",          "divisibleBy", "disallow",
    "extends"};

// How much there is to compare with.
int64_t SizeOf(const JsonValue& value) {
  int64_t size = 1;
  if (value.is_string()) {
    size += static_cast<int64_t>(value.string_value().size() / 64);
  } else if (value.is_array()) {
    for (const JsonValue& element : value.array()) size += SizeOf(element);
  } else if (value.is_object()) {
    for (const JsonMember& member : value.object()) {
      size += 1 + SizeOf(member.value);
    }
  }
  return size;
}

class Compiler {
 public:
  explicit Compiler(const JsonValue& document) : document_(document) {}

  absl::StatusOr<std::unique_ptr<const JsonSchemaNodes>> Compile() {
    KINORA_RETURN_IF_ERROR(Add(document_, "").status());
    // References may lead to what only they name, such as `#/components/x`.
    for (size_t i = 0; i < references_.size(); ++i) {
      const Reference reference = references_[i];  // there may come more
      KINORA_RETURN_IF_ERROR(Resolve(reference));
    }
    KINORA_RETURN_IF_ERROR(RefuseCircles());
    auto compiled = std::make_unique<JsonSchemaNodes>();
    compiled->nodes = std::move(nodes_);
    return compiled;
  }

 private:
  struct Reference {
    SchemaNodeIndex from;
    std::string place;
    std::string target;
  };
  using Node = SchemaNodeIndex;

  // Compiles the schema that stands at `place`.
  absl::StatusOr<Node> Add(const JsonValue& schema, const std::string& place) {
    if (!schema.is_object() && !schema.is_bool()) {
      return InvalidSchema(place, schema,
                           "expected a schema: an object or a bool");
    }
    if (nodes_.size() == kMaxSubschemas) {
      return absl::InvalidArgumentError(absl::StrCat(
          place, ": the schema has more than ", kMaxSubschemas, " parts"));
    }
    if (place.size() > kMaxJsonPointerBytes) {
      return InvalidField("the schema", place, "a place in it is too long");
    }
    const Node node = static_cast<Node>(nodes_.size());
    nodes_.emplace_back();
    places_.push_back(place);
    by_place_[place] = node;
    if (schema.is_bool()) {
      nodes_.back().forbids_all = !schema.bool_value();
      return node;
    }
    SchemaNode made;  // nodes_ grows meanwhile
    for (const JsonMember& member : schema.object()) {
      KINORA_RETURN_IF_ERROR(
          TakeKeyword(node, member.key, member.value,
                      absl::StrCat(place, JsonPointerStep(member.key)), &made));
    }
    nodes_[node] = std::move(made);
    return node;
  }

  absl::Status TakeKeyword(Node node, const std::string& key,
                           const JsonValue& value, const std::string& place,
                           SchemaNode* made) {
    for (absl::string_view refused : kNotChecked) {
      if (key != refused) continue;
      return InvalidSchema(
          place, value,
          absl::StrCat("the keyword ", key,
                       " cannot be checked here; draft 2020-12 "
                       "without it is expected"));
    }
    if (absl::StartsWith(key, "$")) {
      return TakeCore(node, key, value, place);
    }
    if (std::optional<double>* numbers = NumberKeyword(key, made);
        numbers != nullptr) {
      return ReadSchemaNumber(key, value, place, numbers);
    }
    if (Node* one = SchemaKeyword(key, made); one != nullptr) {
      KINORA_ASSIGN_OR_RETURN(*one, Add(value, place));
      return absl::OkStatus();
    }
    if (std::vector<Node>* list = SchemaListKeyword(key, made);
        list != nullptr) {
      return TakeList(value, place, list);
    }
    return TakeOther(key, value, place, made);
  }

  // $schema, $id, $ref, $anchor, $defs.
  absl::Status TakeCore(Node node, const std::string& key,
                        const JsonValue& value, const std::string& place) {
    if (key == "$defs") return TakeDefinitions(value, place);
    if (key != "$schema" && key != "$id" && key != "$ref" && key != "$anchor" &&
        key != "$dynamicAnchor") {
      return absl::OkStatus();  // a note
    }
    if (!value.is_string())
      return InvalidSchema(place, value, "expected a string");
    const std::string& text = value.string_value();
    if (key == "$schema") {
      if (absl::StripSuffix(text, "#") == kDraft) return absl::OkStatus();
      return InvalidSchema(place, value, absl::StrCat("expected ", kDraft));
    }
    if (key == "$id") {
      if (node != 0) {
        return InvalidSchema(place, value,
                             "only the whole schema may have an $id");
      }
      id_ = std::string(absl::StripSuffix(text, "#"));
    } else if (key == "$ref") {
      references_.push_back({node, place, text});
    } else if (!anchors_.emplace(text, node).second) {
      return InvalidSchema(place, value, "the anchor stands there twice");
    }
    return absl::OkStatus();
  }

  absl::Status TakeList(const JsonValue& value, const std::string& place,
                        std::vector<Node>* list) {
    if (!value.is_array() || value.array().empty()) {
      return InvalidSchema(place, value, "expected a list of schemas");
    }
    for (size_t i = 0; i < value.array().size(); ++i) {
      KINORA_ASSIGN_OR_RETURN(
          const Node node, Add(value.array()[i], absl::StrCat(place, "/", i)));
      list->push_back(node);
    }
    return absl::OkStatus();
  }

  absl::Status TakeOther(const std::string& key, const JsonValue& value,
                         const std::string& place, SchemaNode* made) {
    if (key == "type") return ReadSchemaTypes(value, place, &made->types);
    if (key == "enum") {
      if (!value.is_array())
        return InvalidSchema(place, value, "expected a list");
      made->values = value.array();
      made->values_size += SizeOf(value);
    } else if (key == "const") {
      made->constant = value;
      made->values_size += SizeOf(value);
    } else if (key == "uniqueItems") {
      if (!value.is_bool())
        return InvalidSchema(place, value, "expected a bool");
      made->unique_items = value.bool_value();
    } else if (key == "pattern") {
      if (!value.is_string())
        return InvalidSchema(place, value, "expected a string");
      KINORA_ASSIGN_OR_RETURN(made->pattern,
                              Pattern(value.string_value(), place));
    } else if (key == "required") {
      KINORA_ASSIGN_OR_RETURN(made->required, ReadSchemaNames(value, place));
    } else if (key == "definitions") {
      return TakeDefinitions(value, place);
    } else if (key == "properties" || key == "patternProperties" ||
               key == "dependentSchemas" || key == "dependentRequired") {
      if (!value.is_object()) {
        return InvalidSchema(place, value, "expected an object");
      }
      for (const JsonMember& member : value.object()) {
        KINORA_RETURN_IF_ERROR(
            TakeMember(key, member,
                       absl::StrCat(place, JsonPointerStep(member.key)), made));
      }
    }
    return absl::OkStatus();
  }

  absl::Status TakeMember(const std::string& key, const JsonMember& member,
                          const std::string& place, SchemaNode* made) {
    if (key == "dependentRequired") {
      KINORA_ASSIGN_OR_RETURN(std::vector<std::string> names,
                              ReadSchemaNames(member.value, place));
      made->dependent_required.emplace_back(member.key, std::move(names));
      return absl::OkStatus();
    }
    KINORA_ASSIGN_OR_RETURN(const Node node, Add(member.value, place));
    if (key == "properties") {
      made->properties[member.key] = node;
    } else if (key == "dependentSchemas") {
      made->dependent_schemas.emplace_back(member.key, node);
    } else {
      KINORA_ASSIGN_OR_RETURN(auto pattern, Pattern(member.key, place));
      made->pattern_properties.emplace_back(std::move(pattern), node);
    }
    return absl::OkStatus();
  }

  absl::Status TakeDefinitions(const JsonValue& value,
                               const std::string& place) {
    if (!value.is_object())
      return InvalidSchema(place, value, "expected an object");
    for (const JsonMember& member : value.object()) {
      KINORA_RETURN_IF_ERROR(
          Add(member.value, absl::StrCat(place, JsonPointerStep(member.key)))
              .status());
    }
    return absl::OkStatus();
  }

  // RE2: linear in the text, and no recursion.
  absl::StatusOr<std::unique_ptr<const RE2>> Pattern(const std::string& text,
                                                     const std::string& place) {
    if (++patterns_ > kMaxSchemaPatterns) {
      return absl::InvalidArgumentError(
          absl::StrCat(place, ": the schema has more than ", kMaxSchemaPatterns,
                       " patterns"));
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMaxPatternBytes);
    auto pattern = std::make_unique<const RE2>(text, options);
    if (!pattern->ok()) {
      return InvalidField(
          place, text,
          absl::StrCat("expected a regular expression that RE2 knows: ",
                       ClipValue(pattern->error())));
    }
    return pattern;
  }

  absl::Status Resolve(const Reference& reference) {
    absl::string_view target = reference.target;
    if (!id_.empty()) absl::ConsumePrefix(&target, id_);
    const auto refused = [&reference](absl::string_view why) {
      return InvalidField(reference.place, reference.target, why);
    };
    if (!target.empty() && target[0] != '#') {
      return refused("references to other documents are not followed");
    }
    const std::string name = PercentDecoded(absl::StripPrefix(target, "#"));
    if (!name.empty() && name[0] != '/') {
      const auto anchor = anchors_.find(name);
      if (anchor == anchors_.end()) return refused("no such $anchor");
      nodes_[reference.from].ref = anchor->second;
      return absl::OkStatus();
    }
    const auto known = by_place_.find(name);
    if (known != by_place_.end()) {
      nodes_[reference.from].ref = known->second;
      return absl::OkStatus();
    }
    KINORA_RETURN_IF_ERROR(
        Annotate(ValidateJsonPointer(name), reference.place));
    const JsonValue* found = FindByPointer(document_, name);
    if (found == nullptr) return refused("there is nothing at that place");
    KINORA_ASSIGN_OR_RETURN(const Node node, Add(*found, name));
    nodes_[reference.from].ref = node;
    return absl::OkStatus();
  }

  // The nodes that are held against the same value as this one.
  static std::vector<Node> InPlace(const SchemaNode& node) {
    std::vector<Node> next = {node.ref, node.negated, node.condition, node.then,
                              node.otherwise};
    for (const std::vector<Node>* list :
         {&node.all_of, &node.any_of, &node.one_of}) {
      next.insert(next.end(), list->begin(), list->end());
    }
    for (const auto& dependent : node.dependent_schemas) {
      next.push_back(dependent.second);
    }
    next.erase(std::remove(next.begin(), next.end(), kNoNode), next.end());
    return next;
  }

  // Those that nothing leads to are taken away, until none is left.
  absl::Status RefuseCircles() const {
    std::vector<int> leads_to(nodes_.size());
    for (const SchemaNode& node : nodes_) {
      for (Node next : InPlace(node)) ++leads_to[next];
    }
    std::vector<Node> free;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (leads_to[i] == 0) free.push_back(static_cast<Node>(i));
    }
    for (size_t i = 0; i < free.size(); ++i) {
      for (Node next : InPlace(nodes_[free[i]])) {
        if (--leads_to[next] == 0) free.push_back(next);
      }
    }
    if (free.size() == nodes_.size()) return absl::OkStatus();
    const auto circle = std::find_if(leads_to.begin(), leads_to.end(),
                                     [](int count) { return count > 0; });
    const std::string& place = places_[circle - leads_to.begin()];
    return absl::InvalidArgumentError(
        absl::StrCat(place.empty() ? "the schema" : place,
                     ": refers to itself without going deeper"));
  }

  const JsonValue& document_;
  std::vector<SchemaNode> nodes_;
  std::vector<std::string> places_;  // of the nodes
  std::map<std::string, Node> by_place_;
  std::map<std::string, Node> anchors_;
  std::vector<Reference> references_;
  std::string id_;
  size_t patterns_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<const JsonSchemaNodes>> CompileSchemaNodes(
    absl::string_view schema_json) {
  if (schema_json.size() > kMaxJsonSchemaBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the schema has ", schema_json.size(), " bytes, at most ",
                     kMaxJsonSchemaBytes, " are allowed"));
  }
  KINORA_ASSIGN_OR_RETURN(
      const JsonValue document,
      ParseJson(schema_json, {.max_depth = kMaxSchemaDepth}));
  return Compiler(document).Compile();
}

}  // namespace kinora
