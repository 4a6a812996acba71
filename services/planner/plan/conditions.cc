#include "services/planner/plan/conditions.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/json/json.h"
#include "common/status.h"
#include "services/planner/plan/input_values.h"

namespace kinora {
namespace {

bool IsAmong(const Condition& condition, const std::string& hash) {
  const bool found = std::find(condition.hashes.begin(), condition.hashes.end(),
                               hash) != condition.hashes.end();
  return found != condition.negated;
}

bool IsWithin(const Condition& condition, double number) {
  const bool below =
      condition.at_least.has_value() && number < *condition.at_least;
  const bool above =
      condition.at_most.has_value() && number > *condition.at_most;
  return !below && !above;
}

}  // namespace

absl::StatusOr<bool> InputHolds(const Condition& condition,
                                const InputDeclaration& input,
                                absl::string_view id,
                                const v1::Content* value) {
  if (value == nullptr) {
    return InputMissing(input, id,
                        "has neither a value nor a default, and decides "
                        "whether jobs are active");
  }
  if (!condition.hashes.empty()) return IsAmong(condition, ContentHash(*value));
  const std::string& text = value->inline_().data();
  const absl::StatusOr<JsonValue> json = ParseJson(text);
  if (!json.ok() || !json->is_number()) {
    return InputMissing(input, id,
                        absl::StrCat("must be a number, but its value is \"",
                                     ClipValue(text), "\""));
  }
  return IsWithin(condition, json->number_value());
}

absl::StatusOr<bool> ArtefactHolds(const Condition& condition,
                                   absl::string_view id,
                                   const DecidingValue& value) {
  if (!condition.hashes.empty()) {
    if (!value.hash.empty()) return IsAmong(condition, value.hash);
    return DecisionInvalid(
        id, absl::StrCat("decides whether jobs are active, but is no JSON: \"",
                         value.shown, "\""));
  }
  if (value.number.has_value()) return IsWithin(condition, *value.number);
  return DecisionInvalid(
      id, absl::StrCat(
              "decides whether jobs are active, so it must be a number, but it "
              "is \"",
              value.shown, "\""));
}

}  // namespace kinora
