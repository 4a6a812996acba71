#include "services/store/retention/retention_record.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"

namespace kinora {
namespace {

using Names = std::set<std::string, std::less<>>;

JsonArray ToJson(const Names& names) {
  JsonArray array;
  for (const std::string& name : names) array.emplace_back(name);
  return array;
}

absl::Status ReadNames(const std::string& key, const JsonValue& json,
                       absl::string_view member, Names* names) {
  const JsonValue* array = json.Find(member);
  if (array == nullptr || !array->is_array()) {
    return DataCorrupt(key, absl::StrCat(member, " must be an array"));
  }
  for (const JsonValue& name : array->array()) {
    if (!name.is_string()) {
      return DataCorrupt(key, absl::StrCat(member, " must hold strings"));
    }
    names->insert(name.string_value());
  }
  return absl::OkStatus();
}

absl::Status ReadNumber(const std::string& key, const JsonValue& json,
                        absl::string_view member, int64_t* number) {
  const JsonValue* value = json.Find(member);
  if (value == nullptr || value->integer_value().value_or(-1) < 0) {
    return DataCorrupt(key, absl::StrCat(member, " must be a number"));
  }
  *number = *value->integer_value();
  return absl::OkStatus();
}

absl::Status ReadTakes(const std::string& key, const JsonValue& json,
                       std::vector<TakesRule>* takes) {
  const JsonValue* array = json.Find("takes");
  if (array == nullptr || !array->is_array()) {
    return DataCorrupt(key, "takes must be an array");
  }
  for (const JsonValue& item : array->array()) {
    TakesRule& rule = takes->emplace_back();
    KINORA_RETURN_IF_ERROR(ReadNumber(key, item, "keep", &rule.keep));
    KINORA_RETURN_IF_ERROR(ReadNumber(key, item, "through", &rule.through));
  }
  return absl::OkStatus();
}

}  // namespace

void RetentionRecord::AddTakesRule(const TakesRule& rule) {
  const auto implied = [&rule](const TakesRule& old) {
    return rule.keep <= old.keep && rule.through >= old.through;
  };
  takes.erase(std::remove_if(takes.begin(), takes.end(), implied), takes.end());
  takes.push_back(rule);
}

absl::StatusOr<RetentionRecord> LoadRetention(ObjectStorage& storage,
                                              absl::string_view movie_id) {
  const std::string key = RetentionKey(movie_id);
  RetentionRecord record;
  absl::StatusOr<std::string> bytes = ReadObject(storage, key);
  if (absl::IsNotFound(bytes.status())) return record;
  KINORA_RETURN_IF_ERROR(bytes.status());
  absl::StatusOr<JsonValue> json =
      ParseCheckedJson(*bytes, {"prunedRevisions", "removingRuns", "takes"});
  if (!json.ok()) return DataCorrupt(key, json.status().message());
  KINORA_RETURN_IF_ERROR(
      ReadNames(key, *json, "prunedRevisions", &record.pruned_revisions));
  KINORA_RETURN_IF_ERROR(
      ReadNames(key, *json, "removingRuns", &record.removing_runs));
  KINORA_RETURN_IF_ERROR(ReadTakes(key, *json, &record.takes));
  record.bytes = *std::move(bytes);
  return record;
}

std::string RetentionText(const RetentionRecord& record) {
  JsonObject json;
  json.Add("prunedRevisions", ToJson(record.pruned_revisions));
  json.Add("removingRuns", ToJson(record.removing_runs));
  JsonArray takes;
  for (const TakesRule& rule : record.takes) {
    JsonObject item;
    item.Add("keep", rule.keep);
    item.Add("through", rule.through);
    takes.emplace_back(std::move(item));
  }
  json.Add("takes", std::move(takes));
  return WithChecksum(CanonicalJson(std::move(json)));
}

absl::Status SaveRetention(ObjectStorage& storage, absl::string_view movie_id,
                           RetentionRecord* record) {
  std::string bytes = RetentionText(*record);
  KINORA_RETURN_IF_ERROR(
      storage.CompareAndSwap(RetentionKey(movie_id), record->bytes, bytes));
  record->bytes = std::move(bytes);
  return absl::OkStatus();
}

}  // namespace kinora
