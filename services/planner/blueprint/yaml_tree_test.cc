#include "services/planner/blueprint/yaml_tree.h"

#include <string>

#include "common/json/json_writer.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// The document as JSON, or the error.
std::string Json(const std::string& yaml) {
  absl::StatusOr<std::unique_ptr<YamlTree>> tree =
      YamlTree::Parse("f.yaml", yaml);
  if (!tree.ok()) return std::string(tree.status().message());
  absl::StatusOr<JsonValue> json = ToJson((*tree)->root());
  return json.ok() ? ToJson(*json) : std::string(json.status().message());
}

std::string Repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(YamlTreeTest, PlainScalarsAreWhatJsonSaysTheyAre) {
  EXPECT_EQ(Json("[1, -2.5, 1e3, true, false, null, ~]"),
            "[1,-2.5,1000,true,false,null,null]");
  EXPECT_EQ(Json("[yes, 0x10, 012, '1', \"true\", 1.2.3, .5, -]"),
            "[\"yes\",\"0x10\",\"012\",\"1\",\"true\",\"1.2.3\",\".5\",\"-\"]");
  EXPECT_THAT(Json("[12345678901234567890]"), HasSubstr("not exact"));
  EXPECT_THAT(Json("[9007199254740993]"), HasSubstr("not exact"));
  EXPECT_EQ(Json("[9007199254740992]"), "[9007199254740992]");
}

TEST(YamlTreeTest, KeepsLines) {
  ASSERT_OK_AND_ASSIGN(auto tree, YamlTree::Parse("", "a: 1\nb:\n  c: 2\n"));
  EXPECT_EQ(tree->root().entries[1].line, 2);
  EXPECT_EQ(tree->root().Find("b")->entries[0].line, 3);
}

TEST(YamlTreeTest, DocumentsKeepTheirLines) {
  ASSERT_OK_AND_ASSIGN(
      auto tree, YamlTree::Parse("", "---\na: &x 1\n---\n# none\n---\nb: 2\n"));
  ASSERT_EQ(tree->documents().size(), 2u);
  EXPECT_EQ(tree->documents()[1]->entries[0].line, 6);
  EXPECT_THAT(YamlTree::Parse("", "a: &x 1\n---\nb: *x\n"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(YamlTreeTest, DuplicateKeysNameBothLines) {
  EXPECT_EQ(Json("a: 1\nb: 2\na: 3\n"),
            "f.yaml:3: key \"a\" is given twice, first in line 1");
}

TEST(YamlTreeTest, AliasesShareTheirAnchor) {
  EXPECT_EQ(Json("a: &x {b: 1}\nc: *x\n"), "{\"a\":{\"b\":1},\"c\":{\"b\":1}}");
  EXPECT_THAT(Json("a: &x [1, *x]\n"), HasSubstr("within its own anchor"));
  EXPECT_THAT(Json("a: *nowhere\n"), HasSubstr("f.yaml:1: not YAML"));
}

// Each line doubles the last: ten more lines would be a thousand times as big.
TEST(YamlTreeTest, AliasBombIsRefusedQuickly) {
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 60; ++i) {
    std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last +
            ", " + last + "]\n";
  }
  EXPECT_THAT(Json(bomb), HasSubstr("more than"));
}

TEST(YamlTreeTest, RefusesWhatItDoesNotSupport) {
  EXPECT_THAT(Json("a: !!str 1\n"), HasSubstr("tags"));
  EXPECT_THAT(Json("a: !x {b: 1}\n"), HasSubstr("tags"));
  EXPECT_THAT(Json("b: &b {c: 1}\na: {<<: *b}\n"), HasSubstr("merge keys"));
  EXPECT_THAT(Json("? [a]\n: 1\n"), HasSubstr("cannot be a key"));
  EXPECT_THAT(Json("~: 1\n"), HasSubstr("a key is a text"));
  EXPECT_THAT(Json(""), HasSubstr("empty"));
  EXPECT_THAT(Json("# nothing\n"), HasSubstr("empty"));
  EXPECT_EQ(Json("a: 1\nb: \xff\n"), "f.yaml:2: not UTF-8 text");
  EXPECT_EQ(Json(std::string("a: \0", 4)), "f.yaml:1: not UTF-8 text");
  EXPECT_THAT(Json("a: [1\nb: 2"),
              AllOf(HasSubstr("f.yaml:"), HasSubstr("not YAML")));
}

TEST(YamlTreeTest, ATabThatIndentsIsNamed) {
  constexpr char kTab[] = "indentation is by spaces, not tabs";
  EXPECT_THAT(Json("a:\n\tb: 1\n"),
              AllOf(HasSubstr("f.yaml:2: "), HasSubstr(kTab)));
  EXPECT_THAT(Json("a:\n  b:\n  \tc: 1\n"),
              AllOf(HasSubstr("f.yaml:3: "), HasSubstr(kTab)));
  EXPECT_THAT(Json("\ta: 1\n"),
              AllOf(HasSubstr("f.yaml:1: "), HasSubstr(kTab)));
  // Where YAML allows one it stays.
  EXPECT_EQ(Json("a:\t1\n"), "{\"a\":1}");
}

// yaml-cpp recurses; depth must be bounded before the stack is.
TEST(YamlTreeTest, DeepNestingIsAnError) {
  for (const char* unit : {"[", "{a: ", "- ", "? ", "&a [", "!!x [", "*"}) {
    std::string text = Repeat(unit, 100000);
    EXPECT_FALSE(YamlTree::Parse("", text).ok()) << unit;
  }
  std::string indented;
  for (int i = 0; i < 500; ++i) indented += std::string(i, ' ') + "a:\n";
  EXPECT_FALSE(YamlTree::Parse("", indented).ok());
}

TEST(YamlTreeTest, ManyValuesAreAnError) {
  EXPECT_THAT(Json(Repeat("- 1\n", 150000)), HasSubstr("more than"));
}

}  // namespace
}  // namespace kinora
