#include "common/json/json_writer.h"

#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/json/json.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

std::string Quoted(absl::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

// Short ones are written in another way than long ones.
TEST(JsonWriterTest, KeysAndStringsOfAnyLengthStandWhole) {
  for (size_t length = 0; length <= 300; ++length) {
    const std::string text(length, 'x');
    std::string line;
    JsonWriter json(&line);
    json.BeginObject();
    json.Key(text).String(text).Key(text).String(text);
    json.EndObject();
    const std::string member = absl::StrCat("\"", text, "\":\"", text, "\"");
    ASSERT_EQ(line, absl::StrCat("{", member, ",", member, "}"));
  }
}

// Wherever in it something is that does not stand as it is.
TEST(JsonWriterTest, KeysAndStringsOfAnyLengthAreEscaped) {
  for (size_t length = 1; length <= 300; ++length) {
    for (const size_t at : {size_t{0}, length / 2, length - 1}) {
      std::string text(length, 'x');
      std::string escaped = text;
      text.replace(at, 1, "\n\xc3\xa9\xff");
      escaped.replace(at, 1, "\\n\xc3\xa9\xef\xbf\xbd");
      std::string line;
      JsonWriter json(&line);
      json.BeginObject();
      json.Key(text).String(text).Key(text).String(text);
      json.EndObject();
      const std::string member =
          absl::StrCat("\"", escaped, "\":\"", escaped, "\"");
      ASSERT_EQ(line, absl::StrCat("{", member, ",", member, "}"));
    }
  }
}

TEST(JsonWriterTest, SetsCommasAtEveryDepth) {
  std::string line = "prefix ";
  JsonWriter json(&line);
  json.BeginObject();
  json.Key("a").Int(-1).Key("b").BeginArray();
  json.String("x").Null().Bool(true).BeginObject().EndObject();
  json.BeginArray().EndArray().Double(1.5).EndArray();
  json.Key("c").Raw("{\"raw\":1}").Key("d").BeginObject();
  json.Key("e").Uint(2).EndObject().Key("f").Bool(false).EndObject();
  EXPECT_EQ(line,
            "prefix {\"a\":-1,\"b\":[\"x\",null,true,{},[],1.5],"
            "\"c\":{\"raw\":1},\"d\":{\"e\":2},\"f\":false}");
}

TEST(JsonWriterTest, WritesAllDigitsOfIntegers) {
  std::string line;
  JsonWriter(&line)
      .BeginArray()
      .Int(std::numeric_limits<int64_t>::min())
      .Uint(std::numeric_limits<uint64_t>::max())
      .EndArray();
  EXPECT_EQ(line, "[-9223372036854775808,18446744073709551615]");
}

TEST(JsonWriterTest, WritesNullForWhatIsNoNumber) {
  std::string line;
  JsonWriter(&line).BeginArray().Double(NAN).Double(-HUGE_VAL).EndArray();
  EXPECT_EQ(line, "[null,null]");
}

TEST(JsonStringTest, EscapesWhatMustBeAndNothingElse) {
  EXPECT_EQ(Quoted("\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9\xf0\x9f\x98\x80"),
            "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9"
            "\xf0\x9f\x98\x80\"");
  EXPECT_EQ(Quoted(absl::string_view("\0", 1)), "\"\\u0000\"");
}

TEST(JsonStringTest, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(Quoted("a\xff"
                   "b\xe2\x82"),
            "\"a\xef\xbf\xbd"
            "b\xef\xbf\xbd\xef\xbf\xbd\"");
}

// Each of the 256 bytes between two others: always a text that parses.
TEST(JsonStringTest, AnyByteGivesJson) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = {'x', static_cast<char>(byte), 'y'};
    EXPECT_OK(ParseJson(Quoted(text))) << byte;
  }
}

TEST(JsonWriterTest, WritesATreeInItsOrder) {
  const std::string text =
      "{\"b\":[1,2.5,{\"x\":null}],\"a\":{\"z\":true,\"y\":\"\\n\"}}";
  ASSERT_OK_AND_ASSIGN(const JsonValue value, ParseJson(text));
  EXPECT_EQ(ToJson(value), text);
}

}  // namespace
}  // namespace kinora
