#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/local_store.h"
#include "services/store/readable/readable_scan_fixture.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// F: S1-7
TEST_F(ReadableScanTest, ATextIsInItsFileOnceItsEventIsAcknowledged) {
  ASSERT_OK(store().events.Append(Prompt("a stormy sea")));
  EXPECT_EQ(FileText(kImage), "a stormy sea");
  ASSERT_OK(store().events.Append(Prompt("a calm sea", 'b')));
  EXPECT_EQ(FileText(kImage), "a calm sea");
}

// F: S1-8
TEST_F(ReadableScanTest, TextBeyondTheInlineLimitIsMirrored) {
  const std::string text(5000, 'x');
  v1::AppendEventsRequest request =
      ArtefactMade("Artifact:Script[segment=0]", 'a', "", lease_);
  v1::Content* output =
      request.mutable_events(0)->mutable_artefact()->mutable_output();
  *output->mutable_blob() = PutBlob(store(), text, "text/plain");
  ASSERT_OK(store().events.Append(request));
  EXPECT_EQ(FileText("artifacts/text/Artifact%3AScript%5Bsegment%3D0%5D.txt"),
            text);
  request.mutable_events(0)->mutable_artefact()->set_artefact_id(
      "Artifact:Image");
  output->mutable_blob()->set_mime_type("image/png");
  ASSERT_OK(store().events.Append(request));
  EXPECT_THAT(Exists(fs_, PathOf("artifacts/text/Artifact%3AImage.txt")),
              IsOkAndHolds(false));
}

TEST_F(ReadableScanTest, APathThatLeadsElsewhereIsRefused) {
  v1::AppendEventsRequest request = Prompt("text");
  request.mutable_events(0)->mutable_artefact()->set_readable_path("../a.txt");
  EXPECT_THAT(
      store().events.Append(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("readable_path")));
  request = Prompt("text");
  request.mutable_events(0)
      ->mutable_artefact()
      ->mutable_output()
      ->mutable_inline_()
      ->set_mime_type("image/png");
  EXPECT_THAT(store().events.Append(request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("text")));
}

// F: B-6
TEST_F(ReadableScanTest, AnEditByHandBecomesAnEventOfTheUsers) {
  ASSERT_OK(store().events.Append(Prompt("a stormy sea")));
  EndRun();
  EditByHand(kImage, "a green sea");
  EXPECT_THAT(Scan(/*dry_run=*/true),
              IsOkAndHolds(ElementsAre("Artifact:Prompt")));
  EXPECT_EQ(Latest("Artifact:Prompt").sequence(), 1);
  EXPECT_THAT(Scan(), IsOkAndHolds(ElementsAre("Artifact:Prompt")));
  const v1::Event event = Latest("Artifact:Prompt");
  EXPECT_EQ(event.sequence(), 2);
  EXPECT_EQ(event.revision(), "rev-0001");
  const v1::ArtefactEvent& artefact = event.artefact();
  EXPECT_EQ(artefact.output().inline_().data(), "a green sea");
  EXPECT_EQ(artefact.inputs_hash(), HashOf('a'));
  EXPECT_EQ(artefact.produced_by().edited_by(), v1::EDITED_BY_USER);
  EXPECT_EQ(artefact.produced_by().run_id(), "");
  EXPECT_EQ(artefact.produced_by().node(), "Writer");
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(FileText(kImage), "a green sea");
}

TEST_F(ReadableScanTest, ALargeEditBecomesABlob) {
  ASSERT_OK(store().events.Append(Prompt("short")));
  EndRun();
  EditByHand(kImage, std::string(5000, 'y'));
  EXPECT_THAT(Scan(), IsOkAndHolds(ElementsAre("Artifact:Prompt")));
  const v1::ArtefactEvent artefact = Latest("Artifact:Prompt").artefact();
  EXPECT_EQ(artefact.output().blob().digest().size_bytes(), 5000);
  EXPECT_EQ(artefact.output().blob().mime_type(), "text/plain");
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
}

// The edit is recorded once, and the file goes on with the artefact.
TEST_F(ReadableScanTest, AnEditThatShortensATextIsOneEdit) {
  v1::AppendEventsRequest large =
      ArtefactMade("Artifact:Text", 'a', "", lease_);
  *large.mutable_events(0)
       ->mutable_artefact()
       ->mutable_output()
       ->mutable_blob() =
      PutBlob(store(), std::string(9000, 'x'), "text/plain");
  ASSERT_OK(store().events.Append(large));
  const std::string path = "artifacts/text/Artifact%3AText.txt";
  EXPECT_EQ(FileText(path).size(), 9000u);
  v1::AppendEventsRequest newer =
      ArtefactMade("Artifact:Text", 'b', "newer", lease_);
  EditByHand(path, "short");
  EndRun();
  EXPECT_THAT(Scan(), IsOkAndHolds(ElementsAre("Artifact:Text")));
  EXPECT_EQ(Latest("Artifact:Text").artefact().output().inline_().data(),
            "short");
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
  Reopen();
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));

  lease_ = TakeFilmLease(store());
  *newer.mutable_lease() = lease_;
  ASSERT_OK(store().events.Append(newer));
  EndRun();
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(FileText(path), "newer");
}

TEST_F(ReadableScanTest, AFileThatItsArtefactHasLeftIsNobodys) {
  ASSERT_OK(store().events.Append(Prompt("a stormy sea")));
  v1::AppendEventsRequest moved = Prompt("a stormy sea", 'b');
  moved.mutable_events(0)->mutable_artefact()->set_readable_path("moved.txt");
  ASSERT_OK(store().events.Append(moved));
  EndRun();
  EditByHand(kImage, "nobody reads this");
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
  EditByHand("prompts/moved.txt", "a calm sea");
  EXPECT_THAT(Scan(), IsOkAndHolds(ElementsAre("Artifact:Prompt")));
}

TEST_F(ReadableScanTest, WhatIsPutBackRemovedOrUndeclaredIsNoEdit) {
  ASSERT_OK(store().events.Append(Prompt("a stormy sea")));
  EndRun();
  EditByHand(kImage, "a green sea");
  EditByHand(kImage, "a stormy sea");
  EditByHand("prompts/notes.txt", "mine");
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
  ASSERT_OK(fs_.Remove(PathOf(kImage)));
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(FileText(kImage), "a stormy sea");
  EXPECT_EQ(FileText("prompts/notes.txt"), "mine");
}

// A person who brings back the text of an earlier event means it.
TEST_F(ReadableScanTest, GoingBackToAnEarlierTextIsAnEdit) {
  ASSERT_OK(store().events.Append(Prompt("a stormy sea")));
  ASSERT_OK(store().events.Append(Prompt("a calm sea", 'b')));
  EndRun();
  EditByHand(kImage, "a stormy sea");
  EXPECT_THAT(Scan(), IsOkAndHolds(ElementsAre("Artifact:Prompt")));
}

TEST_F(ReadableScanTest, AnEditThatNobodyRecordedIsNotOverwritten) {
  ASSERT_OK(store().events.Append(Prompt("a stormy sea")));
  EditByHand(kImage, "a green sea");
  ASSERT_OK(store().events.Append(Prompt("a calm sea", 'b')));
  EXPECT_EQ(FileText(kImage), "a green sea");
  EndRun();
  EXPECT_THAT(Scan(), IsOkAndHolds(ElementsAre("Artifact:Prompt")));
  EXPECT_EQ(Latest("Artifact:Prompt").artefact().inputs_hash(), HashOf('b'));
}

// A crash between an event and its file leaves the file of the event before.
TEST_F(ReadableScanTest, AFileThatIsBehindIsBroughtUpAfterARestart) {
  ASSERT_OK(store().events.Append(Prompt("a stormy sea")));
  const std::string aside = PathOf("prompts/segment/segment-0001/aside");
  ASSERT_OK(fs_.Rename(PathOf(kImage), aside));
  ASSERT_OK(store().events.Append(Prompt("a calm sea", 'b')));
  EndRun();
  ASSERT_OK(fs_.Rename(aside, PathOf(kImage)));
  Reopen();
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(FileText(kImage), "a calm sea");
}

TEST_F(ReadableScanTest, JsonIsComparedByItsMeaning) {
  v1::AppendEventsRequest request = Prompt("");
  v1::InlineValue* value = request.mutable_events(0)
                               ->mutable_artefact()
                               ->mutable_output()
                               ->mutable_inline_();
  value->set_mime_type("application/json");
  value->set_data(R"({"a":1,"b":2})");
  ASSERT_OK(store().events.Append(request));
  EndRun();
  EditByHand(kImage, "{\n  \"b\": 2,\n  \"a\": 1\n}\n");
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
  EditByHand(kImage, "{ \"a\": 3 }\n");
  EXPECT_THAT(Scan(), IsOkAndHolds(ElementsAre("Artifact:Prompt")));
  EXPECT_EQ(Latest("Artifact:Prompt").artefact().output().inline_().data(),
            R"({"a":3})");
  EditByHand(kImage, "{ \"a\": ");
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(skipped_, ElementsAre(AllOf(HasSubstr(kImage),
                                          HasSubstr("must be JSON: "))));
}

TEST_F(ReadableScanTest, AScanKeepsOutOfTheWayOfARun) {
  ASSERT_OK(store().events.Append(Prompt("a stormy sea")));
  EditByHand(kImage, "a green sea");
  absl::StatusOr<std::vector<std::string>> ids = Scan();
  EXPECT_THAT(ids, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(ReasonOf(ids.status()), "RUN_ACTIVE");
  EXPECT_THAT(Scan(/*dry_run=*/true),
              IsOkAndHolds(ElementsAre("Artifact:Prompt")));
}

// They wait for one another, and the first has recorded what there is.
TEST_F(ReadableScanTest, ScansSideBySideRecordAnEditOnce) {
  constexpr int kScans = 4;
  constexpr int kRounds = 25;
  ASSERT_OK(store().events.Append(Prompt("a stormy sea")));
  EndRun();
  for (int round = 1; round <= kRounds; ++round) {
    EditByHand(kImage, absl::StrCat("sea ", round));
    std::vector<absl::Status> ends(kScans);
    std::vector<size_t> found(kScans);
    std::vector<std::thread> threads;
    for (int i = 0; i < kScans; ++i) {
      threads.emplace_back([this, i, &ends, &found] {
        v1::ScanReadableFilesRequest request;
        request.set_movie_id("film");
        const auto scanned = store().maintenance.ScanReadableFiles(request);
        ends[i] = scanned.status();
        if (scanned.ok()) found[i] = scanned->artefact_ids_size();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(ends, Each(IsOk()));
    EXPECT_EQ(std::accumulate(found.begin(), found.end(), size_t{0}), 1u);
    ASSERT_EQ(Latest("Artifact:Prompt").sequence(), 1 + round);
  }
}

TEST_F(ReadableScanTest, AStoreInMemoryHasNoFilesToScan) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<LocalStore> memory,
                       LocalStore::Open({}, fs_, RealClock(), random_, pool_));
  MakeFilm(memory->store());
  v1::ScanReadableFilesRequest request;
  request.set_movie_id("film");
  EXPECT_THAT(memory->store().maintenance.ScanReadableFiles(request),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace kinora
