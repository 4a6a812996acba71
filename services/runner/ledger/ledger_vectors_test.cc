// The shared vectors of the ledger's rules, tests/vectors/run-ledger.jsonl. The
// rules decide; the vectors are what many implementations are held to.

#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/json.h"
#include "common/testing/status_matchers.h"
#include "services/runner/ledger/ledger_question.h"

namespace kinora {
namespace {

// `value` without members that are null: a missing field and null are the same.
JsonValue WithoutNulls(const JsonValue& value) {
  if (value.is_array()) {
    JsonArray items;
    for (const JsonValue& item : value.array()) {
      items.push_back(WithoutNulls(item));
    }
    return JsonValue(std::move(items));
  }
  if (!value.is_object()) return value;
  JsonObject members;
  for (const JsonMember& member : value.object()) {
    if (member.value.is_null()) continue;
    members.Add(member.key, WithoutNulls(member.value));
  }
  return JsonValue(std::move(members));
}

// F: S2-1, S2-2, S2-3, S2-4, S2-6, S2-7, S2-10, S2-11, S2-12, S2-13, S2-14,
// S2-15, S2-16, S2-17, S2-18, S2-19, S2-20, S2-21, S2-22, S2-23, S2-24, S2-25,
// S2-27, S2-28, S2-29, S2-30, S2-32, S2-33, S2-34, S2-35, S2-36, S2-38, S2-39,
// S2-40, S2-41, S2-42, S2-43, S2-44, S2-45, S2-46, S2-47, S2-48, S2-49, S2-50,
// S2-52, S2-53, S2-54, S2-55, S2-56, S2-57, S2-58, S2-59, S2-60, S2-61, S2-62,
// S2-63, S2-65, S2-66, S2-67, S2-68, S2-69, S2-71, S2-73, S2-74, S2-79, S2-81,
// S2-82, S2-83, S2-84, S2-85, S2-86, S2-87, S2-88, S2-90, S2-91, S2-92, S2-93
TEST(LedgerVectorsTest, EveryVectorIsAnsweredAsExpected) {
  std::ifstream in("tests/vectors/run-ledger.jsonl");
  std::map<std::string, int> answered;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    SCOPED_TRACE(absl::StrCat("line ", ++number));
    ASSERT_OK_AND_ASSIGN(const JsonValue vector, ParseJson(line));
    const std::string& kind = vector.Find("kind")->string_value();
    ASSERT_OK_AND_ASSIGN(const std::string answer,
                         AnswerLedgerQuestion(kind, vector));
    ASSERT_OK_AND_ASSIGN(const JsonValue got, ParseJson(answer));
    EXPECT_TRUE(WithoutNulls(got) == WithoutNulls(*vector.Find("expected")))
        << line << "\ngot " << answer;
    ++answered[kind];
  }
  EXPECT_EQ(
      answered,
      (std::map<std::string, int>{
          {"normalize", 60}, {"patch", 60}, {"reduce", 150}, {"slice", 30}}));
}

}  // namespace
}  // namespace kinora
