#include "common/json/canonical_json.h"

#include <cmath>
#include <cstring>
#include <string>

#include "gtest/gtest.h"

#include "common/json/json.h"
#include "common/json/json_writer.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

std::string Canonical(absl::string_view text) {
  const absl::StatusOr<JsonValue> value = ParseJson(text);
  return value.ok() ? CanonicalJson(*value) : value.status().ToString();
}

std::string NumberOfBits(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return CanonicalJson(JsonValue(value));
}

// RFC 8785, 3.2.2 and 3.2.4.
TEST(CanonicalJsonTest, ExampleOfTheRfc) {
  EXPECT_EQ(Canonical(R"({
              "numbers": [333333333.33333329, 1E30, 4.50,
                          2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            })"),
            "{\"literals\":[null,true,false],"
            "\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

// RFC 8785, 3.2.3: the order of UTF-16 code units, in which the emoji (a pair
// of surrogates) stands before U+FB33.
TEST(CanonicalJsonTest, KeyOrderOfTheRfc) {
  EXPECT_EQ(Canonical(R"({"\u20ac":"Euro Sign","\r":"Carriage Return",
                          "\ufb33":"Hebrew Letter Dalet With Dagesh",
                          "1":"One","\ud83d\ude00":"Emoji: Grinning Face",
                          "\u0080":"Control",
                          "\u00f6":"Latin Small Letter O With Diaeresis"})"),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\","
            "\"\xc2\x80\":\"Control\","
            "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\","
            "\"\xe2\x82\xac\":\"Euro Sign\","
            "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
            "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

// RFC 8785, appendix B.
TEST(CanonicalJsonTest, NumbersOfTheRfc) {
  const struct {
    uint64_t bits;
    const char* text;
  } kVectors[] = {
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& vector : kVectors) {
    EXPECT_EQ(NumberOfBits(vector.bits), vector.text);
  }
}

TEST(CanonicalJsonTest, EveryDoubleReadsBackTheSame) {
  SeededRandom random(5);
  for (int i = 0; i < 20000; ++i) {
    const uint64_t bits = random.Next();
    double value;
    std::memcpy(&value, &bits, sizeof(value));
    if (!std::isfinite(value)) continue;
    const std::string text = NumberOfBits(bits);
    ASSERT_OK_AND_ASSIGN(const JsonValue parsed, ParseJson(text));
    EXPECT_EQ(parsed.number_value(), value) << text;
    EXPECT_EQ(CanonicalJson(parsed), text);
  }
}

TEST(CanonicalJsonTest, SortsAtEveryDepthAndKeepsArrays) {
  EXPECT_EQ(Canonical("[{\"b\":[3,1],\"a\":{\"d\":1,\"c\":2}},{\"\":0}]"),
            "[{\"a\":{\"c\":2,\"d\":1},\"b\":[3,1]},{\"\":0}]");
}

TEST(CanonicalJsonTest, AKeyStandsBeforeItsExtensions) {
  EXPECT_EQ(Canonical("{\"ab\":1,\"a\":2,\"b\":3,\"aa\":4}"),
            "{\"a\":2,\"aa\":4,\"ab\":1,\"b\":3}");
}

TEST(CanonicalJsonTest, KnowsCanonicalText) {
  for (const char* text :
       {"null", "true", "0", "-7", "123456789012345", "\"\"", "\"sea\"",
        "\"\xc3\xa9\"", "[]", "{}", "[1,[2],{}]",
        "{\"\":1,\"a\":{\"b\":[],\"c\":0},\"ab\":null}", "1e+21", "0.5",
        "\"\\n\\u0001\\\"\"", "9007199254740992",
        "{\"\xc3\xa9\":1,\"\xf0\x9f\x98\x80\":2,\"\xef\xac\x81\":3}"}) {
    EXPECT_TRUE(IsCanonicalJson(text)) << text;
  }
  for (const char* text : {"",
                           " 1",
                           "1 ",
                           "01",
                           "-0",
                           "1.0",
                           "1e3",
                           "+1",
                           "tru",
                           "truex",
                           "[1,]",
                           "[1",
                           "{\"b\":1,\"a\":2}",
                           "{\"a\":1,\"a\":2}",
                           "{\"a\" :1}",
                           "{\"a\"}",
                           "{\"a\":1",
                           "\"\x01\"",
                           "\"\xff\"",
                           "\"\\u0041\"",
                           "\"\\/\"",
                           "\"a",
                           "1234567890123456789",
                           "{a:1}",
                           "[1]]"}) {
    EXPECT_FALSE(IsCanonicalJson(text)) << text;
  }
  std::string deep(300, '[');
  EXPECT_FALSE(IsCanonicalJson(deep + std::string(300, ']')));
  deep.resize(100);
  EXPECT_TRUE(IsCanonicalJson(deep + std::string(100, ']')));
}

}  // namespace
}  // namespace kinora
