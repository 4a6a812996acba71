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

#include "common/json.h"
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

// F: S2-1, S2-2, S2-7, S2-10, S2-14 to S2-25, S2-27 to S2-65, S2-67 to S2-69,
// S2-71, S2-73, S2-74, S2-79 to S2-93
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
