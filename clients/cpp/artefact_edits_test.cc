#include "clients/cpp/artefact_edits.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/planner/store_planner.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/counting_event_store.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kStory[] = R"(blueprint: story
dimensions: {shot: {size: 2}}
nodes:
  Writer:
    producer: writer
    outputs:
      Plan:
        type: application/json
        leaves:
          Title: {at: /title, type: text/plain}
          Prompt: {at: "/shots/{shot}", over: [shot], type: text/plain}
          Mood: /mood
)";
constexpr char kPlan[] = "Artifact:Plan";
constexpr char kFirst[] =
    R"({"mood":1,"shots":["a storm","a calm"],"title":"Sea"})";

class ArtefactEditorTest : public CoreFixture {
 protected:
  // A movie whose first revision holds the document and its leaves.
  ArtefactEditorTest() {
    v1::CreateMovieRequest create;
    create.set_movie_id("film");
    create.set_blueprint(kStory);
    EXPECT_OK(store().movies.Create(create));
    const v1::LeaseToken lease = TakeFilmLease(store());
    Make(kPlan, "application/json", kFirst, lease);
    Make("Artifact:Title", "text/plain", "Sea", lease);
    Make("Artifact:Prompt[shot=0]", "text/plain", "a storm", lease);
    Make("Artifact:Prompt[shot=1]", "text/plain", "a calm", lease);
    Make("Artifact:Mood", "application/json", "1", lease);
    EXPECT_OK(
        store().manifests.Commit(CommitOf(lease, kRun1, "rev-0001", "", 1)));
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease;
    EXPECT_OK(store().leases.Release(release));
  }

  void Make(const std::string& id, const std::string& mime_type,
            const std::string& bytes, const v1::LeaseToken& lease) {
    v1::AppendEventsRequest request = ArtefactMade(id, 'a', bytes, lease);
    request.mutable_events(0)
        ->mutable_artefact()
        ->mutable_output()
        ->mutable_inline_()
        ->set_mime_type(mime_type);
    ASSERT_OK(store().events.Append(request));
  }

  ArtefactEditor Editor() {
    return ArtefactEditor(store(), planner_, "film", "test");
  }

  // What was appended, each as `id=value`; or the error.
  static std::vector<std::string> Told(
      const absl::StatusOr<std::vector<v1::Event>>& events) {
    if (!events.ok()) return {std::string(events.status().message())};
    std::vector<std::string> told;
    for (const v1::Event& event : *events) {
      const v1::ArtefactEvent& edit = event.artefact();
      EXPECT_EQ(edit.produced_by().edited_by(), v1::EDITED_BY_USER);
      EXPECT_EQ(edit.inputs_hash(), kinora::HashOf('a'));
      EXPECT_EQ(event.revision(), "rev-0002");
      told.push_back(absl::StrCat(edit.artefact_id(), "=",
                                  edit.output().inline_().data()));
    }
    return told;
  }
  std::vector<std::string> Replace(const std::string& id,
                                   const std::string& bytes) {
    return Told(Editor().Replace(
        id, [&](const std::string& mime_type) -> absl::StatusOr<v1::Content> {
          v1::Content content;
          content.mutable_inline_()->set_mime_type(mime_type);
          content.mutable_inline_()->set_hash(Sha256Of(bytes).Hex());
          content.mutable_inline_()->set_data(bytes);
          return content;
        }));
  }
  std::vector<std::string> Restore(const std::string& id,
                                   std::optional<int64_t> to = std::nullopt) {
    return Told(Editor().Restore(id, to));
  }
  int64_t LastSequence() {
    v1::GetLogStatusRequest request;
    request.mutable_log()->set_movie_id("film");
    request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    return store().events.GetLogStatus(request)->last_sequence();
  }

  StorePlanner planner_{store()};
};

// F: B-3, B-6
TEST_F(ArtefactEditorTest, DocumentTakesItsLeavesAlong) {
  constexpr char kEdited[] =
      R"({"mood":[2],"shots":["a storm","a whale"],"title":"Sea"})";
  EXPECT_THAT(
      Replace(kPlan, kEdited),
      ElementsAre(absl::StrCat("Artifact:Plan=", kEdited),
                  "Artifact:Prompt[shot=1]=a whale", "Artifact:Mood=[2]"));
  // The next one is compared with what the leaves are by now.
  EXPECT_THAT(Replace(kPlan, kFirst),
              ElementsAre(absl::StrCat("Artifact:Plan=", kFirst),
                          "Artifact:Prompt[shot=1]=a calm", "Artifact:Mood=1"));
  // They are events of their own, one after another.
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::Event> mood,
                       ReadArtefactHistory(store(), "film", "Artifact:Mood"));
  ASSERT_EQ(mood.size(), 3u);
  EXPECT_EQ(mood[2].sequence(), LastSequence());
  EXPECT_EQ(mood[2].artefact().produced_by().node(), "Writer");
}

// F: B-6
TEST_F(ArtefactEditorTest, RestoringADocumentBringsItsLeavesBack) {
  Replace(kPlan, R"({"mood":1,"shots":["a dog","a whale"],"title":"Sea"})");
  EXPECT_THAT(Restore(kPlan),
              ElementsAre(absl::StrCat("Artifact:Plan=", kFirst),
                          "Artifact:Prompt[shot=0]=a storm",
                          "Artifact:Prompt[shot=1]=a calm"));
  // As with the document, there is nothing before what was made.
  EXPECT_THAT(Restore("Artifact:Prompt[shot=0]"),
              ElementsAre(HasSubstr("no other value")));
  ASSERT_OK_AND_ASSIGN(
      const std::vector<v1::Event> prompt,
      ReadArtefactHistory(store(), "film", "Artifact:Prompt[shot=0]"));
  EXPECT_EQ(prompt.back().artefact().reused_sequence(), prompt[0].sequence());
}

// F: B-6
TEST_F(ArtefactEditorTest, LeafReplacedAloneLastsUntilItsDocumentIs) {
  EXPECT_THAT(Replace("Artifact:Title", "Ahab"),
              ElementsAre("Artifact:Title=Ahab"));
  EXPECT_THAT(Replace("Artifact:Title", "Ishmael"),
              ElementsAre("Artifact:Title=Ishmael"));
  EXPECT_THAT(Restore("Artifact:Title"), ElementsAre("Artifact:Title=Ahab"));
  EXPECT_THAT(Replace(kPlan, kFirst),
              ElementsAre(absl::StrCat("Artifact:Plan=", kFirst),
                          "Artifact:Title=Sea"));
}

TEST_F(ArtefactEditorTest, DocumentThatLacksALeafIsRefusedWhole) {
  const int64_t before = LastSequence();
  EXPECT_THAT(
      Replace(kPlan, R"({"mood":1,"shots":["a storm"],"title":"Sky"})"),
      ElementsAre("Artifact:Prompt[shot=1]: Artifact:Plan has nothing at "
                  "/shots/1"));
  EXPECT_THAT(
      Replace(kPlan, R"({"mood":1,"shots":["a","b"],"title":7})"),
      ElementsAre("Artifact:Title: Artifact:Plan has number 7, not a string, "
                  "at /title"));
  EXPECT_THAT(Replace(kPlan, "Sky"), ElementsAre(HasSubstr("must be JSON")));
  EXPECT_EQ(LastSequence(), before);
}

// One that was killed holds the movie for seconds, and one that was only slow
// does not overwrite what came meanwhile.
TEST_F(ArtefactEditorTest, EditThatDoesNotGoOnKeepsNobodyForLong) {
  const auto give = [](const std::string& text) {
    v1::Content content;
    content.mutable_inline_()->set_mime_type("text/plain");
    content.mutable_inline_()->set_hash(Sha256Of(text).Hex());
    content.mutable_inline_()->set_data(text);
    return content;
  };
  const int64_t before = LastSequence();
  ArtefactEditor slow(store(), planner_, "film", "slow");
  ArtefactEditor next(store(), planner_, "film", "next");
  const auto edited = slow.Replace(
      "Artifact:Title", [&](const std::string&) -> absl::StatusOr<v1::Content> {
        const auto other = [&](const std::string&) { return give("Storm"); };
        EXPECT_THAT(next.Replace("Artifact:Title", other),
                    StatusIs(absl::StatusCode::kFailedPrecondition,
                             HasSubstr("edit by hand")));
        clock_.Advance(absl::Seconds(6));
        EXPECT_OK(next.Replace("Artifact:Title", other));
        return give("Calm");
      });
  EXPECT_THAT(edited, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(ReasonOf(edited.status()), "LEASE_LOST");
  EXPECT_EQ(LastSequence(), before + 1);
}

TEST_F(ArtefactEditorTest, UnknownArtefactNamesTheNearestOne) {
  EXPECT_THAT(Replace("Artifact:Promt[shot=1]", "x"),
              ElementsAre(AllOf(
                  HasSubstr("no artefact Artifact:Promt[shot=1] in rev-0001"),
                  HasSubstr("did you mean \"Artifact:Prompt[shot=1]\"?"))));
  EXPECT_THAT(
      Replace("Artifact:Prompt", "x"),
      ElementsAre(HasSubstr("did you mean \"Artifact:Prompt[shot=0]\"")));
  EXPECT_THAT(Replace("Artifact:Nothing", "x"),
              ElementsAre(Not(HasSubstr("did you mean"))));
}

// The log may hold a million events of others.
TEST_F(ArtefactEditorTest, HistoryIsReadWithoutTheEventsOfOthers) {
  const v1::LeaseToken lease = TakeFilmLease(store());
  Make("Artifact:Title", "text/plain", "Storm", lease);
  CountingEventStore counted(store().events);
  const Store seen = counted.Within(store());
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::Event> told,
                       ReadArtefactHistory(seen, "film", "Artifact:Title"));
  EXPECT_EQ(told.size(), 2U);
  EXPECT_EQ(counted.delivered(), 2);
}

TEST_F(ArtefactEditorTest, HistoryOfUnknownArtefactNamesTheNearestOne) {
  const absl::Status unknown =
      ReadArtefactHistory(store(), "film", "Artifact:Promt[shot=1]").status();
  EXPECT_THAT(unknown,
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("did you mean \"Artifact:Prompt[shot=1]\"?")));
  EXPECT_EQ(ReasonOf(unknown), "ARTEFACT_NOT_FOUND");
  // What no revision has, the log may tell of.
  const v1::LeaseToken lease = TakeFilmLease(store());
  Make("Artifact:Draft", "text/plain", "a draft", lease);
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::Event> told,
                       ReadArtefactHistory(store(), "film", "Artifact:Draft"));
  EXPECT_EQ(told.size(), 1U);
}

}  // namespace
}  // namespace kinora
