#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/json/canonical_json.h"
#include "common/json/json_schema.h"
#include "common/json/json_schema_nodes.h"
#include "common/json/json_schema_words.h"
#include "common/status.h"

namespace kinora {
namespace {

// Schemas within each other, held against values within each other. For the
// stack's sake.
constexpr int kMaxDepth = 1000;

// What is wrong; the first ones are kept.
struct Violation {
  std::string pointer;
  std::string expected;
};
struct Violations {
  std::vector<Violation> kept;
  size_t more = 0;
};

class Checker {
 public:
  explicit Checker(const std::vector<SchemaNode>& nodes) : nodes_(nodes) {}

  bool gave_up() const { return gave_up_; }

  // True if the value fits. `found` may be null if nobody wants to know why.
  // Of one that gave up, the answer says nothing.
  bool Fits(SchemaNodeIndex index, const JsonValue& value, const JsonPath& path,
            Violations* found) {
    if (!Charge(1) || depth_ == kMaxDepth) {
      gave_up_ = true;
      return false;
    }
    ++depth_;
    const SchemaNode& node = nodes_[index];
    bool fits = CheckValue(node, value, path, found);
    if (fits || found != nullptr) {
      switch (value.type()) {
        case JsonValue::Type::kNumber:
          fits &= CheckNumber(node, value, path, found);
          break;
        case JsonValue::Type::kString:
          fits &= CheckText(node, value, path, found);
          break;
        case JsonValue::Type::kArray:
          fits &= CheckArray(node, value.array(), path, found);
          break;
        case JsonValue::Type::kObject:
          fits &= CheckObject(node, value.object(), path, found);
          break;
        default:
          break;
      }
    }
    if (fits || found != nullptr)
      fits &= CheckInPlace(node, value, path, found);
    --depth_;
    return fits;
  }

 private:
  bool Charge(int64_t steps) {
    steps_ += steps;
    if (steps_ > kMaxJsonSchemaSteps) gave_up_ = true;
    return !gave_up_;
  }

  // True, and counted, if nobody wants to know more.
  static bool IsEnough(Violations* found) {
    if (found == nullptr) return true;
    if (found->kept.size() < kMaxViolations) return false;
    ++found->more;
    return true;
  }

  bool Miss(const JsonPath& path, Violations* found,
            absl::string_view expected) {
    if (IsEnough(found)) return false;
    std::string pointer = JsonPointerTo(&path);
    Charge(static_cast<int64_t>(pointer.size() / 64));
    found->kept.push_back({std::move(pointer), std::string(expected)});
    return false;
  }

  bool Miss(const JsonPath& path, Violations* found, absl::string_view expected,
            absl::string_view seen) {
    return Miss(path, found,
                absl::StrCat("expected ", expected, ", got ", seen));
  }

  // A bound and what is held against it.
  bool Within(const std::optional<double>& bound, bool fits,
              absl::string_view words, absl::string_view unit, double seen,
              const JsonPath& path, Violations* found) {
    if (!bound.has_value() || fits) return true;
    return Miss(
        path, found,
        absl::StrCat(words, " ", CanonicalJson(JsonValue(*bound)), unit),
        CanonicalJson(JsonValue(seen)));
  }

  bool Count(const std::optional<double>& low,
             const std::optional<double>& high, double count,
             absl::string_view unit, const JsonPath& path, Violations* found) {
    bool fits = Within(low, low <= count, "at least", unit, count, path, found);
    fits &= Within(high, high >= count, "at most", unit, count, path, found);
    return fits;
  }

  bool CheckValue(const SchemaNode& node, const JsonValue& value,
                  const JsonPath& path, Violations* found) {
    if (node.forbids_all) return Miss(path, found, "expected nothing here");
    if (node.types != 0 && (node.types & SchemaTypesOf(value)) == 0) {
      if (IsEnough(found)) return false;
      return Miss(path, found, SchemaTypeNames(node.types), SeenJson(value));
    }
    if (!Charge(node.values_size)) return false;
    if (node.constant.has_value() && *node.constant != value) {
      if (IsEnough(found)) return false;
      return Miss(path, found, SeenJson(*node.constant), SeenJson(value));
    }
    if (node.values.has_value() &&
        std::find(node.values->begin(), node.values->end(), value) ==
            node.values->end()) {
      if (IsEnough(found)) return false;
      return Miss(path, found, OneOfJson(*node.values), SeenJson(value));
    }
    return true;
  }

  bool CheckNumber(const SchemaNode& node, const JsonValue& value,
                   const JsonPath& path, Violations* found) {
    const double number = value.number_value();
    bool fits = Within(node.minimum, node.minimum <= number, "at least", "",
                       number, path, found);
    fits &= Within(node.maximum, node.maximum >= number, "at most", "", number,
                   path, found);
    fits &= Within(node.exclusive_minimum, node.exclusive_minimum < number,
                   "more than", "", number, path, found);
    fits &= Within(node.exclusive_maximum, node.exclusive_maximum > number,
                   "less than", "", number, path, found);
    fits &= Within(node.multiple_of,
                   IsMultiple(number, node.multiple_of.value_or(1)),
                   "a multiple of", "", number, path, found);
    return fits;
  }

  bool CheckText(const SchemaNode& node, const JsonValue& value,
                 const JsonPath& path, Violations* found) {
    const std::string& text = value.string_value();
    bool fits = true;
    if (node.min_length.has_value() || node.max_length.has_value()) {
      Charge(static_cast<int64_t>(text.size() / 64));
      fits = Count(node.min_length, node.max_length, CharactersOf(text),
                   " characters", path, found);
    }
    if (node.pattern != nullptr && !Matches(*node.pattern, text)) {
      fits = Miss(path, found,
                  absl::StrCat("text that matches ",
                               ClipValue(node.pattern->pattern())),
                  SeenJson(value));
    }
    return fits;
  }

  // At worst, RE2 takes as many operations as that for each 64 bytes.
  bool Matches(const RE2& pattern, const std::string& text) {
    const int64_t size = static_cast<int64_t>(text.size());
    return Charge(1 + size * pattern.ProgramSize() / 64) &&
           RE2::PartialMatch(text, pattern);
  }

  bool CheckArray(const SchemaNode& node, const JsonArray& array,
                  const JsonPath& path, Violations* found) {
    bool fits =
        Count(node.min_items, node.max_items, static_cast<double>(array.size()),
              " elements", path, found);
    for (size_t i = 0; i < array.size() && !gave_up_; ++i) {
      const SchemaNodeIndex schema =
          i < node.prefix_items.size() ? node.prefix_items[i] : node.items;
      if (schema == kNoNode) break;
      fits &= Fits(schema, array[i], {&path, nullptr, i}, found);
    }
    if (node.contains != kNoNode) {
      size_t count = 0;
      for (size_t i = 0; i < array.size() && !gave_up_; ++i) {
        if (Fits(node.contains, array[i], {&path, nullptr, i}, nullptr))
          ++count;
      }
      fits &= Count(node.min_contains.value_or(1), node.max_contains,
                    static_cast<double>(count),
                    " elements that fit \"contains\"", path, found);
    }
    if (node.unique_items) fits &= CheckUnique(array, path, found);
    return fits;
  }

  bool CheckUnique(const JsonArray& array, const JsonPath& path,
                   Violations* found) {
    std::set<std::string> seen;
    for (size_t i = 0; i < array.size(); ++i) {
      std::string text = CanonicalJson(array[i]);
      if (!Charge(1 + static_cast<int64_t>(text.size() / 64))) return false;
      if (!seen.insert(std::move(text)).second) {
        return Miss({&path, nullptr, i}, found,
                    "an element that was not there before", SeenJson(array[i]));
      }
    }
    return true;
  }

  bool CheckObject(const SchemaNode& node, const JsonObject& object,
                   const JsonPath& path, Violations* found) {
    bool fits =
        Count(node.min_properties, node.max_properties,
              static_cast<double>(object.size()), " members", path, found);
    fits &= HasAll(node.required, object, path, found);
    for (const auto& dependent : node.dependent_required) {
      if (object.Find(dependent.first) == nullptr) continue;
      fits &= HasAll(dependent.second, object, path, found);
    }
    if (node.properties.empty() && node.pattern_properties.empty() &&
        node.additional_properties == kNoNode &&
        node.property_names == kNoNode) {
      return fits;
    }
    for (const JsonMember& member : object) {
      if (gave_up_ || (!fits && found == nullptr)) return false;
      fits &= CheckMember(node, member, {&path, &member.key, 0}, found);
    }
    return fits;
  }

  bool HasAll(const std::vector<std::string>& names, const JsonObject& object,
              const JsonPath& path, Violations* found) {
    if (!Charge(static_cast<int64_t>(names.size()))) return false;
    bool fits = true;
    for (const std::string& name : names) {
      if (object.Find(name) != nullptr) continue;
      fits = Miss(path, found,
                  absl::StrCat("expected a member \"", ClipValue(name), "\""));
    }
    return fits;
  }

  bool CheckMember(const SchemaNode& node, const JsonMember& member,
                   const JsonPath& path, Violations* found) {
    bool fits = true;
    bool named = false;
    const auto property = node.properties.find(member.key);
    if (property != node.properties.end()) {
      named = true;
      fits &= Fits(property->second, member.value, path, found);
    }
    for (const auto& pattern : node.pattern_properties) {
      if (!Matches(*pattern.first, member.key)) continue;
      named = true;
      fits &= Fits(pattern.second, member.value, path, found);
    }
    if (!named && node.additional_properties != kNoNode) {
      fits &= Fits(node.additional_properties, member.value, path, found);
    }
    if (node.property_names != kNoNode) {
      fits &= Fits(node.property_names, JsonValue(member.key), path, found);
    }
    return fits;
  }

  bool CheckInPlace(const SchemaNode& node, const JsonValue& value,
                    const JsonPath& path, Violations* found) {
    bool fits = true;
    const auto all = [&](SchemaNodeIndex index) {
      if (index != kNoNode && (fits || found != nullptr)) {
        fits &= Fits(index, value, path, found);
      }
    };
    all(node.ref);
    for (SchemaNodeIndex index : node.all_of) all(index);
    if (value.is_object()) {
      for (const auto& dependent : node.dependent_schemas) {
        if (value.object().Find(dependent.first) != nullptr) {
          all(dependent.second);
        }
      }
    }
    if (node.condition != kNoNode) {
      all(Fits(node.condition, value, path, nullptr) ? node.then
                                                     : node.otherwise);
    }
    if (!fits && found == nullptr) return false;
    if (node.negated != kNoNode && Fits(node.negated, value, path, nullptr)) {
      fits = Miss(path, found, "expected what does not fit \"not\"");
    }
    if (!node.any_of.empty()) {
      fits &= CheckAlternatives(node.any_of, false, value, path, found);
    }
    if (!node.one_of.empty()) {
      fits &= CheckAlternatives(node.one_of, true, value, path, found);
    }
    return fits;
  }

  // Of what fits none, the complaint of the alternative that came deepest is
  // told: most likely it is the one that was meant.
  bool CheckAlternatives(const std::vector<SchemaNodeIndex>& alternatives,
                         bool only_one, const JsonValue& value,
                         const JsonPath& path, Violations* found) {
    size_t fitting = 0;
    size_t deepest = 0;
    std::optional<Violation> nearest;
    for (SchemaNodeIndex index : alternatives) {
      Violations why;
      if (Fits(index, value, path, found == nullptr ? nullptr : &why)) {
        if (!only_one) return true;
        ++fitting;
      }
      if (gave_up_) return false;
      for (Violation& violation : why.kept) {
        if (nearest.has_value() && violation.pointer.size() <= deepest)
          continue;
        deepest = violation.pointer.size();
        nearest = std::move(violation);
      }
    }
    if (fitting == 1) return true;
    if (IsEnough(found)) return false;
    if (fitting > 1) {
      return Miss(path, found,
                  absl::StrCat("expected exactly one of ", alternatives.size(),
                               " alternatives to fit, ", fitting, " do"));
    }
    if (alternatives.size() > 1) {
      absl::StrAppend(&nearest->expected, " (fits none of ",
                      alternatives.size(), " alternatives, this the nearest)");
    }
    found->kept.push_back(*std::move(nearest));
    return false;
  }

  const std::vector<SchemaNode>& nodes_;
  int64_t steps_ = 0;
  int depth_ = 0;
  bool gave_up_ = false;
};

}  // namespace

JsonSchema::JsonSchema(std::unique_ptr<const JsonSchemaNodes> nodes)
    : nodes_(std::move(nodes)) {}

JsonSchema::~JsonSchema() = default;

absl::StatusOr<std::shared_ptr<const JsonSchema>> JsonSchema::Compile(
    absl::string_view schema_json) {
  KINORA_ASSIGN_OR_RETURN(auto nodes, CompileSchemaNodes(schema_json));
  return std::shared_ptr<const JsonSchema>(new JsonSchema(std::move(nodes)));
}

absl::Status JsonSchema::Check(const JsonValue& value) const {
  Checker checker(nodes_->nodes);
  Violations found;
  const bool fits = checker.Fits(0, value, JsonPath(), &found);
  if (checker.gave_up()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "to check it against the schema takes more than ", kMaxJsonSchemaSteps,
        " steps, or goes deeper than ", kMaxDepth));
  }
  if (fits) return absl::OkStatus();
  std::string text;
  size_t named = 0;
  for (const Violation& violation : found.kept) {
    const std::string where =
        violation.pointer.empty()
            ? "at the top"
            : absl::StrCat("at ", ClipValue(violation.pointer));
    const std::string line =
        absl::StrCat(named == 0 ? "" : "; ", where, ": ", violation.expected);
    if (named > 0 && text.size() + line.size() > kMaxViolationsBytes) break;
    absl::StrAppend(&text, line);
    ++named;
  }
  const size_t more = found.more + found.kept.size() - named;
  if (more > 0) absl::StrAppend(&text, "; and ", more, " more");
  return absl::InvalidArgumentError(text);
}

}  // namespace kinora
