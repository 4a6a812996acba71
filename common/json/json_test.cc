#include "common/json/json.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/json_writer.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The text parsed and written again, or the error.
std::string Parsed(absl::string_view text) {
  const absl::StatusOr<JsonValue> value = ParseJson(text);
  return value.ok() ? ToJson(*value) : value.status().ToString();
}

void ExpectRefused(absl::string_view text, const std::string& message) {
  EXPECT_THAT(ParseJson(text),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)))
      << text;
}

TEST(JsonParserTest, ReadsEveryKindOfValue) {
  EXPECT_EQ(Parsed(" {\"a\" : [ null,true , false,\n\t-1.5e2,\"x\"], "
                   "\"b\":{},\"c\":[]}\r\n"),
            "{\"a\":[null,true,false,-150,\"x\"],\"b\":{},\"c\":[]}");
  EXPECT_EQ(Parsed("0"), "0");
  EXPECT_EQ(Parsed("\"\""), "\"\"");
}

TEST(JsonParserTest, KeepsTheOrderOfMembers) {
  EXPECT_EQ(Parsed("{\"z\":1,\"a\":2,\"m\":3}"), "{\"z\":1,\"a\":2,\"m\":3}");
}

TEST(JsonParserTest, DecodesEscapes) {
  ASSERT_OK_AND_ASSIGN(
      const JsonValue value,
      ParseJson(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\uDE00\u0000")"));
  EXPECT_EQ(value.string_value(),
            std::string("\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
                        "\0",
                        19));
}

TEST(JsonParserTest, RefusesWhatIsNotJson) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[",
                           "[1",
                           "[1,",
                           "[1,]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{1:1}",
                           "[1 2]",
                           "nul",
                           "nulll",
                           "True",
                           "01",
                           "-",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "1e+",
                           "--1",
                           "0x10",
                           "NaN",
                           "Infinity",
                           "'a'",
                           "\"a",
                           "\"\\",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u12g4\"",
                           "\"\t\"",
                           "// c\n1",
                           "1 1",
                           "]",
                           "\xef\xbb\xbf"
                           "1",
                           "-01",
                           "\"\\u-123\""}) {
    EXPECT_THAT(ParseJson(text), StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
  EXPECT_FALSE(ParseJson(absl::string_view("1\0", 2)).ok());
  EXPECT_FALSE(ParseJson(absl::string_view("\0", 1)).ok());
}

TEST(JsonParserTest, RefusesDuplicateKeysAlsoInLargeObjects) {
  ExpectRefused("{\"a\":1,\"b\":2,\"a\":3}", "stands twice");
  ExpectRefused("{\"a\":1,\"\\u0061\":3}", "stands twice");
  std::string text = "{";
  for (int i = 0; i < 100; ++i) text += "\"" + std::to_string(i) + "\":0,";
  ExpectRefused(text + "\"37\":0}", "stands twice");
  EXPECT_OK(ParseJson(text + "\"100\":0}"));
}

TEST(JsonParserTest, RefusesBadUtf8AndLoneSurrogates) {
  for (const char* text :
       {"\"\xff\"", "\"\xc3\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\"\xf5\x80\x80\x80\"",
        "\"\xe0\x80\x80\"", "\"\xf0\x80\x80\x80\"", "\"\x80\""}) {
    ExpectRefused(text, "valid UTF-8");
  }
  for (const char* text : {"\"\\ud800\"", "\"\\udc00\"", "\"\\ud800x\"",
                           "\"\\ud800\\n\"", "\"\\ud800\\ud800\""}) {
    ExpectRefused(text, "lone surrogate");
  }
}

TEST(JsonParserTest, ErrorNamesLineColumnAndByte) {
  EXPECT_THAT(
      ParseJson("{\n  \"a\": 1,\n  \"b\": oops\n}"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "JSON: expected a value at line 3, column 8 (byte 19), got "
               "\"oops\\n}\""));
  ExpectRefused("[1,", "(byte 3), got the end of the text");
}

TEST(JsonParserTest, NumbersAreTheNearestDoubles) {
  ASSERT_OK_AND_ASSIGN(
      const JsonValue value,
      ParseJson("[0.1, 1e-400, -0, 9007199254740993, 123456789012345678901,"
                " 5e-324, 1.7976931348623157e308, -12]"));
  EXPECT_EQ(value.array()[0].number_value(), 0.1);
  EXPECT_EQ(value.array()[1].number_value(), 0.0);
  EXPECT_TRUE(std::signbit(value.array()[2].number_value()));
  EXPECT_EQ(value.array()[3].number_value(), 9007199254740992.0);
  EXPECT_EQ(value.array()[4].number_value(), 123456789012345678901.0);
  EXPECT_EQ(value.array()[5].number_value(), 5e-324);
  EXPECT_EQ(value.array()[6].number_value(),
            std::numeric_limits<double>::max());
  EXPECT_EQ(value.array()[7].number_value(), -12.0);
  ExpectRefused("1e400", "out of range");
  ExpectRefused("-1e400", "out of range");
}

TEST(JsonParserTest, DeepTextIsRefusedAndNotACrash) {
  const std::string deep(1000000, '[');
  ExpectRefused(deep, "nested deeper than 200");
  EXPECT_FALSE(ParseJson(deep, {.max_depth = 1 << 30}).ok());
  EXPECT_OK(ParseJson(std::string(200, '[') + std::string(200, ']')));
  ExpectRefused(std::string(201, '[') + std::string(201, ']'), "(byte 200)");
  // Depth counts what is open, not what was opened.
  EXPECT_OK(ParseJson("[[],[],[]]", {.max_depth = 2}));
}

constexpr char kSample[] =
    "{\"id\":\"Artifact:A[s=0]\",\"n\":[-1.5e+3,0,12],\"t\":true,\"u\":null,"
    "\"e\":\"\\u00e9\\ud83d\\ude00 \xc3\xa9\",\"o\":{\"x\":{}}}";

// No prefix of an object is JSON: a torn line is never mistaken for a whole
// one.
TEST(JsonParserTest, EveryTruncationIsAnError) {
  const absl::string_view text = kSample;
  ASSERT_OK(ParseJson(text));
  for (size_t size = 0; size < text.size(); ++size) {
    // An exact copy, so that ASan sees a read beyond the end.
    const std::vector<char> copy(text.begin(), text.begin() + size);
    EXPECT_FALSE(ParseJson(absl::string_view(copy.data(), size)).ok()) << size;
  }
}

// Whatever comes in: no crash, and what is accepted reads back equal.
TEST(JsonParserTest, RandomBytesNeverCrash) {
  constexpr absl::string_view kAlphabet = "[]{}\":,\\u0018dDeE+-. tfn\xc3\xa9";
  SeededRandom random(2026);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    if (round % 2 == 0) {
      text = kSample;
      for (int edits = 0; edits < 3; ++edits) {
        text[UniformBelow(random, text.size())] =
            static_cast<char>(random.Next());
      }
    } else {
      const size_t size = UniformBelow(random, 12);
      for (size_t i = 0; i < size; ++i) {
        text += kAlphabet[UniformBelow(random, kAlphabet.size())];
      }
    }
    const absl::StatusOr<JsonValue> value = ParseJson(text);
    if (!value.ok()) continue;
    ++accepted;
    EXPECT_THAT(ParseJson(ToJson(*value)), IsOkAndHolds(*value)) << text;
  }
  EXPECT_GT(accepted, 100);
}

std::vector<std::string> KeysOf(const JsonObject& object) {
  std::vector<std::string> keys;
  for (const JsonMember& member : object) keys.push_back(member.key);
  return keys;
}

TEST(JsonObjectTest, AddSetRemoveFind) {
  JsonObject object;
  EXPECT_TRUE(object.Add("a", 1));
  EXPECT_TRUE(object.Add("b", "x"));
  EXPECT_FALSE(object.Add("a", 2));
  object.Set("a", 3);
  object.Set("c", nullptr);
  EXPECT_THAT(KeysOf(object), ElementsAre("a", "b", "c"));
  EXPECT_EQ(*object.Find("a"), JsonValue(3));
  EXPECT_EQ(object.Find("d"), nullptr);
  EXPECT_TRUE(object.Remove("b"));
  EXPECT_FALSE(object.Remove("b"));
  EXPECT_THAT(KeysOf(object), ElementsAre("a", "c"));
}

// Crosses the size at which an index is kept, upwards, by copy and downwards.
TEST(JsonObjectTest, LargeObjectsBehaveAsSmallOnes) {
  JsonObject object;
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(object.Add(std::to_string(i), i));
  EXPECT_FALSE(object.Add("20", 0));
  JsonObject copy = object;
  EXPECT_TRUE(object.Remove("0"));
  EXPECT_EQ(object.Find("0"), nullptr);
  for (int i = 1; i < 40; ++i) {
    ASSERT_NE(object.Find(std::to_string(i)), nullptr);
    EXPECT_EQ(*object.Find(std::to_string(i)), JsonValue(i));
  }
  EXPECT_EQ(*copy.Find("0"), JsonValue(0));
  for (int i = 1; i < 39; ++i) EXPECT_TRUE(object.Remove(std::to_string(i)));
  EXPECT_THAT(KeysOf(object), ElementsAre("39"));
}

TEST(JsonValueTest, EqualityIgnoresTheOrderOfMembersOnly) {
  const auto value = [](absl::string_view text) {
    return ParseJson(text).value();
  };
  EXPECT_EQ(value("{\"a\":1,\"b\":[1,2]}"), value("{\"b\":[1,2],\"a\":1}"));
  EXPECT_NE(value("{\"a\":1,\"b\":[1,2]}"), value("{\"b\":[2,1],\"a\":1}"));
  EXPECT_NE(value("{\"a\":1}"), value("{\"a\":1,\"b\":null}"));
  EXPECT_NE(value("{\"a\":1}"), value("{\"b\":1}"));
  EXPECT_NE(value("0"), value("false"));
}

TEST(JsonValueTest, IntegersAreExactOrRefused) {
  EXPECT_EQ(JsonValue(kMaxJsonInteger).integer_value(), kMaxJsonInteger);
  EXPECT_EQ(JsonValue(-kMaxJsonInteger).integer_value(), -kMaxJsonInteger);
  EXPECT_EQ(JsonValue(uint32_t{4294967295}).integer_value(), 4294967295);
  EXPECT_EQ(JsonValue(-7).integer_value(), -7);
  EXPECT_EQ(JsonValue(1.5).integer_value(), std::nullopt);
  EXPECT_EQ(JsonValue(1e300).integer_value(), std::nullopt);
  EXPECT_EQ(JsonValue("1").integer_value(), std::nullopt);
  EXPECT_THAT(
      JsonValue::FromInteger(kMaxJsonInteger + 1),
      StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("9007199254740993")));
  EXPECT_FALSE(
      JsonValue::FromInteger(std::numeric_limits<int64_t>::min()).ok());
  EXPECT_THAT(JsonValue::FromDouble(std::nan("")),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(JsonValue::FromDouble(HUGE_VAL),
              StatusIs(absl::StatusCode::kOutOfRange));
}

TEST(JsonValueTest, WholeNumbersThatWouldChangeAreRefusedIfAsked) {
  const JsonLimits exact = {.exact_integers = true};
  for (absl::string_view text :
       {"9007199254740993", "-9007199254740993", "123456789012345678",
        "[1, {\"a\": 12345678901234567890}]", "99999999999999999999"}) {
    EXPECT_OK(ParseJson(text)) << text;
    EXPECT_THAT(ParseJson(text, exact),
                StatusIs(absl::StatusCode::kOutOfRange,
                         HasSubstr("is not exact in JSON; put it in quotes")))
        << text;
  }
  EXPECT_THAT(ParseJson("[9007199254740993]", exact).status().message(),
              HasSubstr("the number 9007199254740993 is"));
  // What is kept as it is, or as near as fractions are.
  for (absl::string_view text :
       {"9007199254740992", "-9007199254740992", "123456789012345680",
        "100000000000000000000", "1000000000000000000000000", "1e300",
        "3.14159265358979323846", "0", "-0"}) {
    ASSERT_OK_AND_ASSIGN(const JsonValue value, ParseJson(text, exact));
    EXPECT_THAT(ParseJson(ToJson(value), exact), IsOkAndHolds(value)) << text;
  }
  // Of what is wrong in two ways, the first is told.
  EXPECT_THAT(ParseJson("[x, 9007199254740993]", exact),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(JsonValueTest, ImplicitValuesHaveTheirTypes) {
  EXPECT_TRUE(JsonValue(true).is_bool());
  EXPECT_TRUE(JsonValue(0).is_number());
  EXPECT_TRUE(JsonValue("x").is_string());
  EXPECT_TRUE(JsonValue(nullptr).is_null());
  EXPECT_TRUE(JsonValue(JsonArray{1, "two"}).is_array());
  EXPECT_EQ(JsonValue(1).Find("a"), nullptr);
  EXPECT_EQ(JsonTypeName(JsonValue(JsonObject()).type()), "object");
}

}  // namespace
}  // namespace kinora
