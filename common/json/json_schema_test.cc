#include "common/json/json_schema.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/json/json.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

// What the schema says of the value; UNKNOWN if one of them is none.
absl::Status Check(const std::string& schema_json,
                   const std::string& value_json) {
  const auto schema = JsonSchema::Compile(schema_json);
  const auto value = ParseJson(value_json);
  if (!schema.ok()) return absl::UnknownError(schema.status().message());
  if (!value.ok()) return absl::UnknownError(value.status().message());
  return (*schema)->Check(*value);
}

absl::Status Compile(const std::string& schema_json) {
  return JsonSchema::Compile(schema_json).status();
}

std::string Repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(JsonSchemaTest, EachKeywordTellsWhatFits) {
  struct Case {
    const char* schema;
    std::vector<const char*> good;
    std::vector<const char*> bad;
  };
  const Case cases[] = {
      {"true", {"1", "null"}, {}},
      {"{}", {"1", "null"}, {}},
      {"false", {}, {"1", "null"}},
      {R"({"type":"integer"})", {"1", "1.0", "-3"}, {"1.5", "\"1\"", "null"}},
      {R"({"type":["string","null"]})", {"\"\"", "null"}, {"0", "[]"}},
      {R"({"enum":[1,"a",{"x":[]}]})", {"1", R"({"x":[]})"}, {"true", "{}"}},
      {R"({"const":false})", {"false"}, {"0", "null"}},
      {R"({"minimum":1,"exclusiveMaximum":3})", {"1", "2.9"}, {"0.9", "3"}},
      {R"({"exclusiveMinimum":1,"maximum":3})", {"3", "\"\""}, {"1", "3.1"}},
      {R"({"multipleOf":0.01})", {"19.99", "0"}, {"0.005"}},
      // Characters, not bytes.
      {R"({"minLength":2,"maxLength":2})", {"\"äö\""}, {"\"ä\"", "\"abc\""}},
      {R"({"pattern":"^[a-z]+$"})", {"\"abc\"", "7"}, {"\"aBc\"", "\"\""}},
      {R"({"minItems":1,"maxItems":2})", {"[1]", "{}"}, {"[]", "[1,2,3]"}},
      {R"({"uniqueItems":true})", {"[1,\"1\"]"}, {"[1,1.0]", "[{},{}]"}},
      {R"({"prefixItems":[{"type":"string"}],"items":{"type":"null"}})",
       {"[]", "[\"a\"]", "[\"a\",null]"},
       {"[1]", "[\"a\",1]"}},
      {R"({"contains":{"const":1}})", {"[0,1]"}, {"[]", "[0]"}},
      {R"({"contains":{"const":1},"minContains":0,"maxContains":1})",
       {"[]", "[1]"},
       {"[1,1]"}},
      {R"({"minProperties":1,"maxProperties":1})", {R"({"a":1})"}, {"{}"}},
      {R"({"required":["a"]})", {R"({"a":null})", "1"}, {"{}"}},
      {R"({"dependentRequired":{"a":["b"]}})",
       {"{}", R"({"a":1,"b":1})"},
       {R"({"a":1})"}},
      {R"({"properties":{"a":{"type":"null"}},
           "patternProperties":{"^x":{"type":"string"}},
           "additionalProperties":false})",
       {"{}", R"({"a":null,"xy":""})"},
       {R"({"a":1})", R"({"xy":1})", R"({"b":1})"}},
      {R"({"propertyNames":{"maxLength":2}})",
       {R"({"ab":1})"},
       {R"({"abc":1})"}},
      {R"({"allOf":[{"minimum":1},{"maximum":2}]})", {"1"}, {"0", "3"}},
      {R"({"anyOf":[{"minimum":5},{"maximum":2}]})", {"1", "5"}, {"3"}},
      {R"({"oneOf":[{"minimum":1},{"maximum":2}]})", {"0", "3"}, {"1"}},
      {R"({"not":{"type":"null"}})", {"1"}, {"null"}},
      {R"({"if":{"type":"string"},"then":{"minLength":1},
           "else":{"minimum":1}})",
       {"\"a\"", "1"},
       {"\"\"", "0"}},
      {R"({"dependentSchemas":{"a":{"required":["b"]}}})",
       {"{}"},
       {R"({"a":1})"}},
      // A tree; the reference has no effect on what stands beside it.
      {R"({"$defs":{"tree":{"type":"object","properties":{"children":
           {"type":"array","items":{"$ref":"#/$defs/tree"}}}}},
           "$ref":"#/$defs/tree","required":["children"]})",
       {R"({"children":[{},{"children":[{}]}]})"},
       {"{}", R"({"children":[{"children":[1]}]})"}},
      {R"({"$defs":{"a/b":{"$anchor":"here","const":1}},
           "anyOf":[{"$ref":"#here"},{"$ref":"#/$defs/a~1b"}]})",
       {"1"},
       {"2"}},
      // Notes.
      {R"({"format":"email","title":"x","x-y":1,"default":3,
           "$schema":"https://json-schema.org/draft/2020-12/schema"})",
       {"\"no address\""},
       {}},
  };
  for (const Case& c : cases) {
    for (const char* value : c.good) {
      EXPECT_OK(Check(c.schema, value)) << c.schema << " " << value;
    }
    for (const char* value : c.bad) {
      EXPECT_THAT(Check(c.schema, value), StatusIs(kInvalid, HasSubstr("at ")))
          << c.schema << " " << value;
    }
  }
}

TEST(JsonSchemaTest, WhatIsWrongIsNamedWithItsPlace) {
  const std::string schema = R"({"type":"object","required":["title"],
      "properties":{"shots":{"type":"array","items":{"type":"object",
        "properties":{"a/b":{"type":"string","minLength":3},
                      "mood":{"enum":["calm","wild"]}}}}}})";
  EXPECT_THAT(
      Check(schema, R"({"shots":[{"a/b":"long"},{"a/b":7,"mood":"odd"}]})"),
      StatusIs(kInvalid, R"(at the top: expected a member "title"; )"
                         R"(at /shots/1/a~1b: expected a string, got 7; )"
                         R"(at /shots/1/mood: expected one of "calm", "wild", )"
                         R"(got "odd")"));
  // Of alternatives, the one that was meant.
  EXPECT_THAT(Check(R"({"anyOf":[{"type":"null"},{"properties":
                        {"seconds":{"maximum":5}}}]})",
                    R"({"seconds":6})"),
              StatusIs(kInvalid, HasSubstr("at /seconds: expected at most 5, "
                                           "got 6")));
}

TEST(JsonSchemaTest, ErrorsAreFewAndShort) {
  const absl::Status many =
      Check(R"({"items":{"type":"null"}})",
            absl::StrCat("[0", Repeated(",0", 1000), "]"));
  EXPECT_THAT(many, StatusIs(kInvalid, HasSubstr("; and 996 more")));
  const std::string name(100'000, 'n');
  const absl::Status lengthy =
      Check(R"({"additionalProperties":{"items":{"maxLength":3}}})",
            absl::StrCat("{\"", name, "\":[\"", name, "\"]}"));
  EXPECT_THAT(lengthy, StatusIs(kInvalid, HasSubstr("3 characters")));
  EXPECT_LT(lengthy.message().size(), size_t{3000});
}

TEST(JsonSchemaTest, WhatIsNoSchemaIsRefusedAndNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "JSON"},
      {"{", "JSON"},
      {"[]", "the schema"},
      {R"({"type":"text"})", "/type: expected null"},
      {R"({"type":[]})", "/type"},
      {R"({"properties":{"a":{"minLength":-1}}})", "/properties/a/minLength"},
      {R"({"minItems":1.5})", "/minItems"},
      {R"({"multipleOf":0})", "/multipleOf"},
      {R"({"exclusiveMinimum":true})", "/exclusiveMinimum"},
      {R"({"required":true})", "/required"},
      {R"({"required":[1]})", "/required"},
      {R"({"properties":[]})", "/properties"},
      {R"({"items":[{}]})", "/items: expected a schema"},
      {R"({"anyOf":[]})", "/anyOf"},
      {R"({"allOf":[7]})", "/allOf/0"},
      {R"({"enum":1})", "/enum"},
      // Other drafts, and what would be ignored at one's peril.
      {R"({"$schema":"http://json-schema.org/draft-07/schema#"})", "/$schema"},
      {R"({"additionalItems":false})", "additionalItems cannot be checked"},
      {R"({"unevaluatedProperties":false})", "/unevaluatedProperties"},
      {R"({"$defs":{"a":{"$id":"b"}}})", "/$defs/a/$id"},
      {R"({"$ref":"https://example.com/x"})", "other documents"},
      {R"({"$ref":"#/$defs/x"})", "/$ref: there is nothing"},
      {R"({"$ref":"#x"})", "/$ref: no such $anchor"},
      {R"({"$ref":"#/title","title":"x"})", "/title: expected a schema"},
      {R"({"$ref":7})", "/$ref"},
  };
  for (const auto& [schema, why] : cases) {
    EXPECT_THAT(Compile(schema), StatusIs(kInvalid, HasSubstr(why))) << schema;
  }
}

// A schema comes from whoever writes producers.
TEST(JsonSchemaTest, HostileSchemasAreRefused) {
  const auto refused = [](const std::string& schema, const std::string& why) {
    const absl::Status status = Compile(schema);
    EXPECT_THAT(status, StatusIs(kInvalid, HasSubstr(why)));
    EXPECT_LT(status.message().size(), size_t{3000});
  };
  refused(
      absl::StrCat(Repeated(R"({"not":)", 50'000), "{}", Repeated("}", 50'000)),
      "bytes");
  refused(
      absl::StrCat(Repeated(R"({"not":)", 5'000), "{}", Repeated("}", 5'000)),
      "nested deeper");
  refused(absl::StrCat(R"({"anyOf":[{})", Repeated(",{}", 20'000), "]}"),
          "more than 10000 parts");
  refused(absl::StrCat(R"({"title":")", std::string(300'000, 'x'), "\"}"),
          "bytes");
  refused(absl::StrCat(R"({"properties":{")", std::string(50'000, 'x'),
                       R"(":{"anyOf":[{}]}}})"),
          "too long");
  refused(R"({"$ref":"#"})", "refers to itself");
  refused(R"({"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},
              "b":{"not":{"$ref":"#/$defs/a"}}}})",
          "refers to itself");
  for (const char* pattern :
       {"[", "(?=a)", "(a)\\\\1", "((a{100}){100}){100}"}) {
    refused(absl::StrCat("{\"pattern\":\"", pattern, "\"}"), "/pattern");
  }
  refused("{\"patternProperties\":{\"(\":{}}}", "/patternProperties/(");
  refused(absl::StrCat(R"({"anyOf":[{"pattern":"a"})",
                       Repeated(R"(,{"pattern":"a"})", 100), "]}"),
          "patterns");
}

TEST(JsonSchemaTest, PatternsTakeLinearTime) {
  const std::string text(1'000'000, 'a');
  EXPECT_THAT(Check(R"({"pattern":"^(a+)+$"})", "\"" + text + "b\""),
              StatusIs(kInvalid, HasSubstr("matches")));
  EXPECT_OK(Check(R"({"pattern":"^(a|aa)*$"})", "\"" + text + "\""));
}

TEST(JsonSchemaTest, WhatTakesTooLongIsGivenUp) {
  // Each part is held against the value twice by the one before.
  std::string doubled = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 40; ++i) {
    const std::string next =
        absl::StrCat(R"({"$ref":"#/$defs/d)", i + 1, "\"}");
    absl::StrAppend(&doubled, "\"d", i, R"(":{"allOf":[)", next, ",", next,
                    "]},");
  }
  absl::StrAppend(&doubled, R"("d40":{}}})");
  EXPECT_THAT(
      Check(doubled, "1"),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("steps")));
  // As many references in a row.
  std::string chain = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 2000; ++i) {
    absl::StrAppend(&chain, "\"d", i, R"(":{"$ref":"#/$defs/d)", i + 1, "\"},");
  }
  absl::StrAppend(&chain, R"("d2000":{}}})");
  EXPECT_THAT(Check(chain, "1"), StatusIs(absl::StatusCode::kResourceExhausted,
                                          HasSubstr("deeper")));
}

TEST(JsonSchemaTest, DeepValuesAreChecked) {
  const std::string tree = R"({"type":"array","items":{"$ref":"#"}})";
  EXPECT_OK(Check(tree, Repeated("[", 200) + Repeated("]", 200)));
  EXPECT_THAT(Check(tree, Repeated("[", 199) + "1" + Repeated("]", 199)),
              StatusIs(kInvalid, HasSubstr("expected an array, got 1")));
}

}  // namespace
}  // namespace kinora
