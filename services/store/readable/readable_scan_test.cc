#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/error_reason.h"
#include "common/file_system.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/thread_pool.h"
#include "services/store/local_store.h"
#include "services/store/readable/readable_files.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kImage[] = "prompts/segment/segment-0001/image.txt";

// A store on real files, with the real clock: files have the times of the disk.
class ReadableScanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
  }

  void Reopen() {
    local_.reset();
    LocalStoreOptions options;
    options.data_dir = dir_.path();
    ASSERT_OK_AND_ASSIGN(
        local_, LocalStore::Open(options, fs_, RealClock(), random_, pool_));
  }

  Store store() { return local_->store(); }
  std::string PathOf(const std::string& path) {
    return dir_.Sub("builds/film/" + path);
  }
  std::string FileText(const std::string& path) {
    absl::StatusOr<std::string> text = ReadFile(fs_, PathOf(path));
    return text.ok() ? *text : text.status().ToString();
  }
  void EditByHand(const std::string& path, const std::string& text) {
    ASSERT_OK(WriteFileAtomically(fs_, PathOf(path), text));
  }

  v1::AppendEventsRequest Prompt(const std::string& text, char key = 'a') {
    v1::AppendEventsRequest request =
        ArtefactMade("Artifact:Prompt", key, text, lease_);
    request.mutable_events(0)->mutable_artefact()->set_readable_path(
        "segment/segment-0001/image.txt");
    return request;
  }

  void Make(const std::string& id, const std::string& readable_path,
            absl::string_view run_id = kRun1) {
    v1::AppendEventsRequest request = ArtefactMade(id, 'a', id, lease_, run_id);
    request.mutable_events(0)->mutable_artefact()->set_readable_path(
        readable_path);
    ASSERT_OK(store().events.Append(request));
  }

  void EndRun() {
    v1::ReleaseLeaseRequest request;
    *request.mutable_token() = lease_;
    ASSERT_OK(store().leases.Release(request));
  }

  absl::StatusOr<std::vector<std::string>> Scan(bool dry_run = false) {
    v1::ScanReadableFilesRequest request;
    request.set_movie_id("film");
    request.set_dry_run(dry_run);
    absl::StatusOr<v1::ScanReadableFilesResponse> response =
        store().maintenance.ScanReadableFiles(request);
    if (!response.ok()) return response.status();
    skipped_.clear();
    for (const v1::SkippedReadableFile& file : response->skipped()) {
      skipped_.push_back(absl::StrCat(file.path(), " of ", file.artefact_id(),
                                      ": ", file.reason()));
    }
    return std::vector<std::string>(response->artefact_ids().begin(),
                                    response->artefact_ids().end());
  }

  v1::Event Latest(const std::string& id) {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id("film");
    request.add_queries()->set_artefact_id(id);
    absl::StatusOr<v1::ResolveArtefactsResponse> response =
        store().events.ResolveArtefacts(request);
    EXPECT_OK(response);
    return response->artefacts(0).event();
  }

  TempDir dir_;
  FileSystem& fs_ = PosixFileSystem();
  SeededRandom random_{1};
  ThreadPool pool_{"test", 2};
  std::unique_ptr<LocalStore> local_;
  v1::LeaseToken lease_;
  std::vector<std::string> skipped_;  // by the last scan
};

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

// Neither does it come into the log, nor is it overwritten.
TEST_F(ReadableScanTest, AFileThatCannotBeTakenKeepsNoOtherBack) {
  Make("Artifact:Large", "a.txt");
  Make("Artifact:Latin", "b.txt");
  Make("Artifact:Prompt", "c.txt");
  EndRun();
  EditByHand("prompts/a.txt", std::string(kMaxReadableBytes + 1, 'x'));
  EditByHand("prompts/b.txt", "caf\xe9");
  EditByHand("prompts/c.txt", "a green sea");
  for (const bool dry_run : {true, false}) {
    EXPECT_THAT(Scan(dry_run), IsOkAndHolds(ElementsAre("Artifact:Prompt")));
    EXPECT_THAT(
        skipped_,
        ElementsAre("prompts/a.txt of Artifact:Large: has 16777217 bytes, "
                    "readable files have at most 16777216",
                    "prompts/b.txt of Artifact:Latin: must be UTF-8 text"));
  }
  EXPECT_EQ(Latest("Artifact:Prompt").artefact().output().inline_().data(),
            "a green sea");
  EXPECT_EQ(FileText("prompts/b.txt"), "caf\xe9");
  EditByHand("prompts/b.txt", "caf\xc3\xa9");
  EXPECT_THAT(Scan(), IsOkAndHolds(ElementsAre("Artifact:Latin")));
}

// Outputs of several runs may name the file of one as the directory of another.
TEST_F(ReadableScanTest, AFileWhosePlaceIsTakenKeepsNoOtherBack) {
  Make("Artifact:First", "a.txt");
  Make("Artifact:Second", "a.txt/x.txt", kRun2);
  Make("Artifact:Third", "b.txt/x.txt");
  Make("Artifact:Fourth", "b.txt", kRun2);
  Make("Artifact:Prompt", "c.txt");
  EndRun();
  EditByHand("prompts/c.txt", "a green sea");
  EXPECT_THAT(Scan(), IsOkAndHolds(ElementsAre("Artifact:Prompt")));
  EXPECT_THAT(
      skipped_,
      ElementsAre(HasSubstr("prompts/a.txt/x.txt of Artifact:Second: something "
                            "else has its place: "),
                  HasSubstr("prompts/b.txt of Artifact:Fourth: something else "
                            "has its place: ")));
  EXPECT_EQ(FileText("prompts/a.txt"), "Artifact:First");
  EXPECT_EQ(FileText("prompts/b.txt/x.txt"), "Artifact:Third");
}

TEST_F(ReadableScanTest, WhatIsNoPlainFileIsNamedAndNotRead) {
  ASSERT_OK(store().events.Append(Prompt("a stormy sea")));
  EndRun();
  const std::string path = PathOf(kImage);
  const auto expect_skipped = [this] {
    EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
    EXPECT_THAT(skipped_,
                ElementsAre(AllOf(HasSubstr(kImage), HasSubstr("Prompt"),
                                  Not(HasSubstr("staging")))));
  };
  ASSERT_OK(fs_.Remove(path));
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  expect_skipped();
  ASSERT_OK(fs_.Remove(path));
  ASSERT_EQ(symlink("/etc/passwd", path.c_str()), 0);
  expect_skipped();
  ASSERT_OK(fs_.Remove(path));
  ASSERT_OK(fs_.CreateDirectory(path));
  expect_skipped();
  ASSERT_OK(fs_.Remove(path));
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(skipped_, IsEmpty());
  EXPECT_EQ(FileText(kImage), "a stormy sea");
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
