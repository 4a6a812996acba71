// What is read of the logs, and what artefacts and inputs resolve to.

#include <optional>
#include <string>

#include "common/testing/status_matchers.h"
#include "services/store/event/log_event_store.h"
#include "services/store/event/log_event_store_fixture.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// A reader with a bookmark of another log would wait for ever, and miss all.
TEST_F(LogEventStoreTest, AReadFromPastTheEndIsOutOfRange) {
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  read.set_after_sequence(1);
  EXPECT_OK(store().events.ReadPage(read));  // the end
  read.set_after_sequence(2);
  const absl::Status past = store().events.ReadPage(read).status();
  EXPECT_THAT(past, StatusIs(absl::StatusCode::kOutOfRange,
                             HasSubstr("after_sequence: 2 is past the end")));
  EXPECT_EQ(MetadataOf(past)["current"], "1");
}

// F: F3
TEST_F(LogEventStoreTest, FollowersShareThePagesOfALog) {
  ASSERT_OK(Append(InputEdit("Input:Tone", "dry")));  // 2
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  ASSERT_OK_AND_ASSIGN(const EventPagePtr first,
                       store().events.ReadShared(read));
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse own,
                       store().events.ReadPage(read));
  EXPECT_EQ(first->page().SerializeAsString(), own.SerializeAsString());
  EXPECT_EQ(first->through(), 2);
  ASSERT_OK(Append(InputEdit("Input:Tone", "wet")));  // 3
  EXPECT_THAT(store().events.ReadShared(read), IsOkAndHolds(first));
  read.set_after_sequence(2);
  ASSERT_OK_AND_ASSIGN(const EventPagePtr next,
                       store().events.ReadShared(read));
  ASSERT_EQ(next->page().events_size(), 1);
  EXPECT_EQ(next->page().events(0).sequence(), 3);
  // The end, and what is past it, as ReadPage() has them.
  read.set_after_sequence(3);
  ASSERT_OK_AND_ASSIGN(const EventPagePtr end, store().events.ReadShared(read));
  EXPECT_EQ(end->page().events_size(), 0);
  EXPECT_EQ(end->through(), 3);
  read.set_after_sequence(4);
  EXPECT_EQ(ReasonOf(store().events.ReadShared(read).status()),
            "SEQUENCE_MISMATCH");
  // A part of a log is each reader's own.
  read.set_after_sequence(0);
  read.set_limit(1);
  ASSERT_OK_AND_ASSIGN(const EventPagePtr part,
                       store().events.ReadShared(read));
  EXPECT_EQ(part->page().events_size(), 1);
}

// What is kept of a log is given to nobody who could not read it there.
TEST_F(LogEventStoreTest, PagesOfWhatWasRemovedAreNotShared) {
  Publish();  // events 1 and 2
  Attempt("Artifact:Script", true, "rev-0002");
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  ASSERT_OK(store().events.ReadShared(read));
  ASSERT_OK(log_.Trim(ArtefactsLogKey("film"), 2));
  const absl::Status trimmed = store().events.ReadShared(read).status();
  EXPECT_EQ(ReasonOf(trimmed), "LOG_TRIMMED");
  EXPECT_EQ(MetadataOf(trimmed)["oldest"], "3");
  read.set_after_sequence(2);
  EXPECT_OK(store().events.ReadShared(read));
  read.mutable_log()->set_movie_id("other");
  EXPECT_THAT(store().events.ReadShared(read),
              StatusIs(absl::StatusCode::kNotFound));
}

// Its name may be that of another movie then.
TEST_F(LogEventStoreTest, PagesOfADeletedMovieAreNotShared) {
  ASSERT_OK(Append(InputEdit("Input:Tone", "dry")));  // 2
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  ASSERT_OK_AND_ASSIGN(const EventPagePtr old, store().events.ReadShared(read));
  EXPECT_EQ(old->page().events_size(), 2);
  v1::ReleaseLeaseRequest release;
  *release.mutable_token() = lease_;
  ASSERT_OK(store().leases.Release(release));
  v1::DeleteMovieRequest remove;
  remove.set_movie_id("film");
  ASSERT_OK(store().movies.Delete(remove));
  MakeFilm(store());
  ASSERT_OK_AND_ASSIGN(const EventPagePtr young,
                       store().events.ReadShared(read));
  EXPECT_EQ(young->page().events_size(), 1);
}

// F: S0-3
TEST_F(LogEventStoreTest, SinceRevisionIsStrictlyGreaterAndByNumber) {
  for (const char* revision : {"rev-0002", "rev-9999", "rev-10000"}) {
    // As of a movie with as many revisions.
    ASSERT_OK(core().events.AppendOwn(
        InputsLogKey("film"),
        InputEdit("Input:A", revision, revision).events(0), std::nullopt));
  }
  v1::ReadEventsResponse page = Page(v1::LOG_KIND_INPUTS, 0, "rev-0002");
  ASSERT_EQ(page.events_size(), 2);
  EXPECT_EQ(page.events(0).revision(), "rev-9999");
  EXPECT_EQ(page.events(1).revision(), "rev-10000");
  // Nothing left, but not the end until the bookmark stays.
  page = Page(v1::LOG_KIND_INPUTS, 0, "rev-10000");
  EXPECT_EQ(page.events_size(), 0);
  EXPECT_EQ(page.bookmark().sequence(), 4);
}

// F: S0-3, S0-24
TEST_F(LogEventStoreTest, AReadOfOneArtefactHasAllItsAttemptsAndNoOthers) {
  Attempt("Artifact:Script", false);
  Attempt("Artifact:Image", true);
  Publish();  // events 3 and 4
  Attempt("Artifact:Script", true, "rev-0002");
  Attempt("Artifact:Image", false, "rev-0002");
  Attempt("Artifact:Script", false, "rev-0002");
  v1::ReadEventsRequest request = AttemptsAt("Artifact:Script");
  EXPECT_EQ(ReadOf(request), "1 3 5 7 | 7");
  Attempt("Artifact:Image", true, "rev-0002");
  EXPECT_EQ(ReadOf(request), "1 3 5 7 | 8");
  Restart();
  EXPECT_EQ(ReadOf(request), "1 3 5 7 | 8");
  request.set_limit(2);
  EXPECT_EQ(ReadOf(request), "1 3 | 3");
  request.set_after_sequence(3);
  EXPECT_EQ(ReadOf(request), "5 7 | 7");
  request.set_after_sequence(7);
  EXPECT_EQ(ReadOf(request), "| 8");
  request.set_after_sequence(8);
  EXPECT_EQ(ReadOf(request), "| 8");
  request.set_after_sequence(9);
  EXPECT_EQ(ReadOf(request), "SEQUENCE_MISMATCH");
  request = AttemptsAt("Artifact:Script");
  request.set_since_revision("rev-0001");
  EXPECT_EQ(ReadOf(request), "5 7 | 8");
  EXPECT_EQ(ReadOf(AttemptsAt("Artifact:Never")), "| 8");
}

// A commit is no attempt, and archiving what it took hides nothing.
TEST_F(LogEventStoreTest, AttemptsAreReadAfterACommitAndWhereTheyWereTrimmed) {
  Attempt("Artifact:Script", false);
  Publish();  // events 2 and 3
  Attempt("Artifact:Script", false, "rev-0002");
  EXPECT_EQ(ReadOf(AttemptsAt("Artifact:Script")), "1 2 4 | 4");
  ASSERT_OK(log_.Trim(ArtefactsLogKey("film"), 3));
  EXPECT_EQ(ReadOf(AttemptsAt("Artifact:Script")), "LOG_TRIMMED");
  v1::ReadEventsRequest rest = AttemptsAt("Artifact:Script");
  rest.set_after_sequence(3);
  EXPECT_EQ(ReadOf(rest), "4 | 4");
}

TEST_F(LogEventStoreTest, OnlyTheLogOfArtefactsIsReadByArtefact) {
  v1::ReadEventsRequest request = AttemptsAt("Artifact:Script");
  request.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  EXPECT_THAT(core().events.ReadPage(request),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("artefact_id: must be empty")));
  request.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  request.mutable_log()->set_run_id(std::string(kRun1));
  EXPECT_THAT(
      core().events.ReadPage(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("artefact_id")));
  EXPECT_THAT(core().events.ReadPage(AttemptsAt("Input:Topic")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("must be the id of an artefact")));
}

// F: S0-9, S0-10, S0-11; S0-14 (what is missing has an answer, too)
TEST_F(LogEventStoreTest, AnArtefactResolvesToItsLatestSucceededEvent) {
  EXPECT_EQ(Resolved("Artifact:Script"), "-");
  ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'a', "one", lease_)));
  ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'b', "two", lease_)));
  ASSERT_OK(Append(ArtefactMade("Artifact:Other", 'c', "other", lease_)));
  v1::AppendEventsRequest failed =
      ArtefactMade("Artifact:Script", 'd', "", lease_);
  v1::ArtefactEvent& event = *failed.mutable_events(0)->mutable_artefact();
  event.clear_output();
  event.set_status(v1::ARTEFACT_STATUS_FAILED);
  event.mutable_failure()->set_message("no");
  ASSERT_OK(Append(failed));
  EXPECT_EQ(Resolved("Artifact:Script"), "two");
  Restart();
  EXPECT_EQ(Resolved("Artifact:Script"), "two");
}

// After A, B and back to A the latest event is B's, but A's is wanted.
// F: S0-11, B-13
TEST_F(LogEventStoreTest, AfterAnUndoTheExpectedResultIsFoundByItsHash) {
  ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'a', "A", lease_)));
  ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'b', "B", lease_)));
  EXPECT_EQ(Resolved("Artifact:Script", HashOf('a')), "A");
  EXPECT_EQ(Resolved("Artifact:Script", HashOf('b')), "B");
  EXPECT_EQ(Resolved("Artifact:Script", HashOf('c')), "-");
}

TEST_F(LogEventStoreTest, AReuseNamesAnEventThatExists) {
  ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'a', "A", lease_)));
  v1::AppendEventsRequest reuse =
      ArtefactMade("Artifact:Script", 'a', "A", lease_, kRun2);
  reuse.mutable_events(0)->mutable_artefact()->set_reused_sequence(2);
  EXPECT_THAT(Append(reuse), StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("the log ends at 1")));
  reuse.mutable_events(0)->mutable_artefact()->set_reused_sequence(1);
  EXPECT_OK(Append(reuse));
}

// F: S1-22
TEST_F(LogEventStoreTest, AnInputGoesBackToAnEventOfItsOwn) {
  ASSERT_OK(Append(InputEdit("Input:Topic", "a")));  // 2
  ASSERT_OK(Append(InputEdit("Input:Tone", "b")));   // 3
  v1::AppendEventsRequest undo = InputEdit("Input:Topic", "a");
  v1::InputEvent& input = *undo.mutable_events(0)->mutable_input();
  for (const int64_t wrong : {3, 4, 9999}) {
    input.set_restored_sequence(wrong);
    const absl::Status refused = Append(undo).status();
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument,
                                  HasSubstr("input.restored_sequence")));
    EXPECT_THAT(refused.message(),
                HasSubstr("\"" + std::to_string(wrong) + "\""));
  }
  input.set_restored_sequence(2);
  EXPECT_OK(Append(undo));
  // To before its first edit.
  input.clear_content();
  input.set_cleared(true);
  input.set_restored_sequence(1);
  EXPECT_OK(Append(undo));
}

TEST_F(LogEventStoreTest, InputsAreThoseInEffectAtASequence) {
  ASSERT_OK(Append(InputEdit("Input:Topic", "first")));   // 2
  ASSERT_OK(Append(InputEdit("Input:Tone", "dry")));      // 3
  ASSERT_OK(Append(InputEdit("Input:Topic", "second")));  // 4
  v1::ListInputsRequest request;
  request.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(v1::ListInputsResponse all,
                       core().events.ListInputs(request));
  ASSERT_EQ(all.inputs_size(), 3);
  EXPECT_EQ(all.inputs(0).input().input_id(), "Input:Blueprint");
  EXPECT_EQ(all.inputs(1).input().input_id(), "Input:Tone");
  EXPECT_EQ(all.inputs(2).input().content().inline_().data(), "second");
  EXPECT_EQ(all.through_sequence(), 4);

  request.set_through_sequence(2);
  ASSERT_OK_AND_ASSIGN(v1::ListInputsResponse early,
                       core().events.ListInputs(request));
  ASSERT_EQ(early.inputs_size(), 2);
  EXPECT_EQ(early.inputs(1).input().content().inline_().data(), "first");
  EXPECT_EQ(early.through_sequence(), 2);
}

}  // namespace
}  // namespace kinora
