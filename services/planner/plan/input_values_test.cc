#include "services/planner/plan/input_values.h"

#include <string>
#include <vector>

#include "common/content.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/graph_shape.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kYaml[] = R"(blueprint: film
inputs:
  Story: {type: text}
  Count: {type: integer, minimum: 0, maximum: 9000000}
  Ratio: {type: number, default: 1.5}
  Loud: {type: boolean, default: false}
  Style: {type: json, default: {a: 1}}
  Photo: {type: file}
  Prompt: {type: text, over: [segment], default: ""}
dimensions:
  segment: {size: Input:Count}
nodes:
  Script: {producer: p, outputs: {Text: text/plain}}
)";

v1::PendingEdit Edit(const std::string& id, const v1::Content& content) {
  v1::PendingEdit edit;
  edit.set_input_id(id);
  *edit.mutable_content() = content;
  return edit;
}
v1::PendingEdit Json(const std::string& id, const std::string& json) {
  return Edit(id, InlineContent("application/json", json));
}
v1::Content Blob(const std::string& mime_type) {
  v1::Content content;
  content.mutable_blob()->mutable_digest()->set_hash(Sha256Of("x").Hex());
  content.mutable_blob()->set_mime_type(mime_type);
  return content;
}

class InputValuesTest : public ::testing::Test {
 protected:
  InputValuesTest() : blueprint_(*ParseBlueprint("", kYaml)) {
    set_["Input:Count"] = InlineContent("application/json", "3");
  }

  absl::StatusOr<std::vector<v1::PendingEdit>> Check(
      const std::vector<v1::PendingEdit>& edits) {
    return CanonicalEdits(blueprint_, set_, "edits",
                          {edits.begin(), edits.end()});
  }
  // "mime data" of one edit's canonical form, or its error.
  std::string CheckOne(const v1::PendingEdit& edit) {
    absl::StatusOr<std::vector<v1::PendingEdit>> edits = Check({edit});
    if (!edits.ok()) {
      EXPECT_EQ(edits.status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_EQ(ReasonOf(edits.status()), "INVALID_FIELD");
      return std::string(edits.status().message());
    }
    const v1::Content& content = (*edits)[0].content();
    if (content.has_blob()) return content.blob().mime_type() + " blob";
    EXPECT_EQ(content.inline_().hash(),
              Sha256Of(content.inline_().data()).Hex());
    return content.inline_().mime_type() + " " + content.inline_().data();
  }

  const Blueprint blueprint_;
  InputMap set_;
};

TEST_F(InputValuesTest, ValuesGetTheirOneForm) {
  EXPECT_EQ(CheckOne(Json("Story", "\"a\\u0062\"")), "text/plain ab");
  EXPECT_EQ(CheckOne(Edit("Input:Story", InlineContent("text/plain", "ab"))),
            "text/plain ab");
  EXPECT_EQ(CheckOne(Edit("Story", Blob("text/markdown"))), "text/plain blob");
  EXPECT_EQ(CheckOne(Json("Count", " 3.0 ")), "application/json 3");
  EXPECT_EQ(CheckOne(Json("Ratio", "1e1")), "application/json 10");
  EXPECT_EQ(CheckOne(Json("Loud", "true")), "application/json true");
  EXPECT_EQ(CheckOne(Json("Style", "{\"b\": 1, \"a\": [ ]}")),
            "application/json {\"a\":[],\"b\":1}");
  EXPECT_EQ(CheckOne(Edit("Photo", Blob("image/png"))), "image/png blob");
  EXPECT_EQ(CheckOne(Edit("Photo", InlineContent("image/png", "\xff"))),
            "image/png \xff");
}

TEST_F(InputValuesTest, WrongValuesNameInputAndValue) {
  EXPECT_THAT(CheckOne(Json("Story", "12")),
              AllOf(HasSubstr("Input:Story"), HasSubstr("must be a text"),
                    HasSubstr("12")));
  EXPECT_THAT(CheckOne(Json("Story", "null")),
              AllOf(HasSubstr("must be a text, got null"),
                    ::testing::Not(HasSubstr("null null"))));
  EXPECT_THAT(CheckOne(Json("Count", "\"3\"")), HasSubstr("an integer"));
  EXPECT_THAT(CheckOne(Json("Count", "2.5")), HasSubstr("an integer"));
  EXPECT_THAT(CheckOne(Json("Count", "-1")), HasSubstr("at least 0"));
  EXPECT_THAT(CheckOne(Json("Loud", "1")), HasSubstr("a boolean"));
  EXPECT_THAT(CheckOne(Json("Loud", "tru")), HasSubstr("not JSON"));
  EXPECT_THAT(CheckOne(Json("Ratio", "9007199254740993")),
              AllOf(HasSubstr("Input:Ratio"), HasSubstr("9007199254740993"),
                    HasSubstr("is not exact in JSON; put it in quotes")));
  EXPECT_THAT(CheckOne(Json("Style", "{\"a\":[123456789012345678]}")),
              HasSubstr("the number 123456789012345678 is not exact in JSON"));
  EXPECT_EQ(CheckOne(Json("Ratio", "1e20")),
            "application/json 100000000000000000000");
  EXPECT_EQ(CheckOne(Json("Ratio", "100000000000000000000")),
            "application/json 100000000000000000000");
  EXPECT_THAT(CheckOne(Edit("Count", Blob("text/plain"))), HasSubstr("a file"));
  EXPECT_THAT(CheckOne(Edit("Count", InlineContent("text/plain", "3"))),
              HasSubstr("application/json"));
  EXPECT_THAT(CheckOne(Edit("Story", InlineContent("text/plain", "\xff"))),
              HasSubstr("UTF-8"));
  EXPECT_THAT(CheckOne(Edit("Style", Blob("text/plain"))), HasSubstr("JSON"));
  v1::Content large = Blob("application/json");
  large.mutable_blob()->mutable_digest()->set_size_bytes(kMaxJsonInputBytes);
  EXPECT_EQ(CheckOne(Edit("Style", large)), "application/json blob");
  large.mutable_blob()->mutable_digest()->set_size_bytes(kMaxJsonInputBytes +
                                                         1);
  EXPECT_THAT(CheckOne(Edit("Style", large)),
              HasSubstr("must have at most 16777216 bytes"));
  EXPECT_THAT(CheckOne(Edit("Story", v1::Content())), HasSubstr("no value"));
  v1::PendingEdit forged = Edit("Story", InlineContent("text/plain", "ab"));
  forged.mutable_content()->mutable_inline_()->set_data("ba");
  EXPECT_THAT(CheckOne(forged), HasSubstr("do not have the hash"));
}

TEST_F(InputValuesTest, WrongIdsNameWhatIsRight) {
  EXPECT_THAT(CheckOne(Json("Input:Stroy", "1")),
              HasSubstr("did you mean \"Story\"?"));
  EXPECT_THAT(CheckOne(Json("Artifact:Text", "1")), HasSubstr("only inputs"));
  EXPECT_THAT(CheckOne(Json("Input:Blueprint", "1")),
              HasSubstr("SetBlueprint"));
  EXPECT_THAT(CheckOne(Json("a/b", "1")), HasSubstr("a/b"));
  EXPECT_THAT(CheckOne(Json("Prompt", "\"x\"")),
              HasSubstr("Input:Prompt[segment=N]"));
  EXPECT_THAT(CheckOne(Json("Story[segment=0]", "\"x\"")),
              HasSubstr("its ids are Input:Story"));
  EXPECT_THAT(Check({Json("Story", "\"a\""), Json("Input:Story", "\"b\"")}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("edits[1]: Input:Story: it is given twice")));
}

TEST_F(InputValuesTest, ErrorsNameTheEditByPositionAndId) {
  const v1::PendingEdit good = Json("Story", "\"a\"");
  EXPECT_THAT(Check({good, Json("Loud", "1")}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("edits[1]: Input:Loud: "),
                             HasSubstr(", got "))));
  EXPECT_THAT(Check({good, Json("Prompt[segment=3]", "\"x\"")}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("edits[1]: Input:Prompt[segment=3]: ")));
  EXPECT_THAT(Check({good, Json("Count", "1000001")}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("edits[1]: Input:Count: ")));
  const absl::Status malformed = Check({good, Json("a/b", "1")}).status();
  EXPECT_THAT(malformed, StatusIs(absl::StatusCode::kInvalidArgument,
                                  AllOf(HasSubstr("edits[1]: "),
                                        HasSubstr("got \"a/b\""))));
  EXPECT_EQ(ReasonOf(malformed), "INVALID_FIELD");
}

TEST_F(InputValuesTest, AnErrorTellsTheValueOnce) {
  v1::PendingEdit edit = Json("Count", "");
  edit.mutable_content()->mutable_inline_()->set_data("notjson");
  edit.mutable_content()->mutable_inline_()->set_mime_type("text/plain");
  for (const std::string& error :
       {CheckOne(edit), CheckOne(Json("Count", "\"notjson\""))}) {
    EXPECT_THAT(error, HasSubstr(", got "));
    EXPECT_EQ(error.find(", got "), error.rfind(", got ")) << error;
  }
}

TEST_F(InputValuesTest, IndicesAreCheckedAgainstTheSizesToBe) {
  EXPECT_EQ(CheckOne(Json("Prompt[segment=2]", "\"x\"")), "text/plain x");
  EXPECT_THAT(
      CheckOne(Json("Prompt[segment=3]", "\"x\"")),
      HasSubstr("dimension segment has size 3, so its last index is 2"));
  EXPECT_OK(Check({Json("Prompt[segment=3]", "\"x\""), Json("Count", "4")}));
  EXPECT_THAT(Check({Json("Prompt[segment=2]", "\"x\""), Json("Count", "2")}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(InputValuesTest, SizeBeyondTheLimitIsRefused) {
  EXPECT_THAT(CheckOne(Json("Count", "1000001")),
              HasSubstr("size of dimension segment"));
}

TEST_F(InputValuesTest, MissingSizeIsAMissingInput) {
  set_.clear();
  absl::StatusOr<std::vector<DimensionExtent>> sizes =
      DimensionExtents(blueprint_, set_);
  EXPECT_THAT(sizes, StatusIs(absl::StatusCode::kFailedPrecondition,
                              AllOf(HasSubstr("Input:Count"),
                                    HasSubstr("dimension segment"))));
  EXPECT_EQ(ReasonOf(sizes.status()), "INPUT_MISSING");
  // Other inputs can be set before the size is.
  EXPECT_OK(Check({Json("Story", "\"x\"")}));
}

}  // namespace
}  // namespace kinora
