// A film with a prompt for each segment gets shorter: the files of the segments
// it has lost go, and nothing else does.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "services/store/gc/prompt_film.h"
#include "services/store/layout.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReadableCollectionTest : public ::testing::Test {
 protected:
  ReadableCollectionTest() {
    fs_.SetNow(clock_.Now());
    film_ = std::make_unique<PromptFilm>(fs_, clock_, "/data");
  }

  // Two segments, then only the first.
  void Shrink() {
    film_->Revise(1, {0, 1}, {});
    film_->Revise(2, {}, {1});
  }
  void ExpectOnlyTheFirst() {
    EXPECT_EQ(film_->Text(PromptPath(0)), PromptText(0));
    EXPECT_EQ(film_->Text(PromptPath(1)), kGone);
  }

  FaultyFileSystem fs_;
  FakeClock clock_;
  std::unique_ptr<PromptFilm> film_;
};

// F: S1-54
TEST_F(ReadableCollectionTest, TheFileOfAnArtefactThatIsGoneGoes) {
  Shrink();
  film_->Put("prompts/notes.txt", "mine");
  v1::CollectGarbageRequest request;
  request.set_movie_id("film");
  request.mutable_grace();
  request.set_dry_run(true);
  EXPECT_THAT(film_->Collect(request),
              IsOkAndHolds(ElementsAre(PromptPath(1))));
  EXPECT_EQ(film_->Text(PromptPath(1)), PromptText(1));
  EXPECT_THAT(film_->Collect(), IsOkAndHolds(ElementsAre(PromptPath(1))));
  ExpectOnlyTheFirst();
  EXPECT_EQ(film_->Text("prompts/notes.txt"), "mine");
  EXPECT_THAT(film_->Collect(), IsOkAndHolds(IsEmpty()));
}

TEST_F(ReadableCollectionTest, SoDoesTheCopyOfALargeText) {
  const v1::LeaseToken lease =
      TakeFilmLease(film_->store(), "runner", PromptRunId(1));
  for (const char* id : {"Artifact:Novel", "Artifact:Poem"}) {
    v1::AppendEventsRequest request =
        ArtefactMade(id, 'a', "", lease, PromptRunId(1));
    *request.mutable_events(0)
         ->mutable_artefact()
         ->mutable_output()
         ->mutable_blob() =
        PutBlob(film_->store(), std::string(5000, 'x'), "text/plain");
    ASSERT_OK(film_->store().events.Append(request));
  }
  film_->Commit(1, {}, lease);
  film_->Commit(2, {"Artifact:Novel"},
                TakeFilmLease(film_->store(), "runner", PromptRunId(2)));
  EXPECT_THAT(film_->Collect(),
              IsOkAndHolds(ElementsAre(LargeTextPath("Artifact:Novel"))));
  EXPECT_EQ(film_->Text(LargeTextPath("Artifact:Poem")),
            std::string(5000, 'x'));
}

// As an import does, which keeps a text under the path of the blueprint.
TEST_F(ReadableCollectionTest, AFileThatItsArtefactHasLeftGoesUnlessEdited) {
  const std::vector<std::string> names = {"Novel", "Poem"};
  v1::LeaseToken lease =
      TakeFilmLease(film_->store(), "runner", PromptRunId(1));
  for (const std::string& name : names) {
    v1::AppendEventsRequest request =
        ArtefactMade("Artifact:" + name, 'a', "", lease, PromptRunId(1));
    *request.mutable_events(0)
         ->mutable_artefact()
         ->mutable_output()
         ->mutable_blob() = PutBlob(film_->store(), name, "text/plain");
    ASSERT_OK(film_->store().events.Append(request));
    EXPECT_EQ(film_->Text(LargeTextPath("Artifact:" + name)), name);
  }
  film_->Commit(1, {}, lease);
  lease = TakeFilmLease(film_->store(), "runner", PromptRunId(2));
  for (const std::string& name : names) {
    v1::AppendEventsRequest request =
        ArtefactMade("Artifact:" + name, 'a', name, lease, PromptRunId(2),
                     film_->NextRevision());
    request.mutable_events(0)->mutable_artefact()->set_readable_path(name +
                                                                     ".txt");
    ASSERT_OK(film_->store().events.Append(request));
  }
  film_->Commit(2, {}, lease);
  const std::string poem = LargeTextPath("Artifact:Poem");
  film_->Put(poem, "by hand");
  EXPECT_THAT(film_->Scan(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(film_->Collect(),
              IsOkAndHolds(ElementsAre(LargeTextPath("Artifact:Novel"))));
  EXPECT_EQ(film_->Text(poem), "by hand");
  EXPECT_EQ(film_->Text("prompts/Poem.txt"), "Poem");
}

TEST_F(ReadableCollectionTest, WhatWasRemovedStaysAwayAndIsNoEdit) {
  Shrink();
  ASSERT_OK(film_->Collect());
  EXPECT_THAT(film_->Scan(), IsOkAndHolds(IsEmpty()));
  ExpectOnlyTheFirst();
  film_->Reopen();
  film_->Make(3, {2});  // looks at every file that was ever declared
  ExpectOnlyTheFirst();
  film_->Reopen();
  clock_.Advance(absl::Minutes(1));  // the lease of that run is over
  film_->Remove(PromptPath(0));      // this one is needed
  EXPECT_THAT(film_->Scan(), IsOkAndHolds(IsEmpty()));
  ExpectOnlyTheFirst();
  // Also while nobody can tell what the revision lists.
  film_->Reopen();
  film_->Remove("manifests/rev-0002.json");
  EXPECT_THAT(film_->Scan(), IsOkAndHolds(IsEmpty()));
  ExpectOnlyTheFirst();
}

TEST_F(ReadableCollectionTest, AFileComesBackWithTheNextEventThatDeclaresIt) {
  Shrink();
  ASSERT_OK(film_->Collect());
  const v1::LeaseToken lease =
      TakeFilmLease(film_->store(), "runner", PromptRunId(3));
  film_->Make(3, {1}, lease);
  EXPECT_EQ(film_->Text(PromptPath(1)), PromptText(1));
  // The run is under way, then its revision is the current one.
  EXPECT_THAT(film_->Collect(), IsOkAndHolds(IsEmpty()));
  film_->Commit(3, {}, lease);
  EXPECT_THAT(film_->Collect(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(film_->Text(PromptPath(1)), PromptText(1));
}

TEST_F(ReadableCollectionTest, GoingBackBringsTheFileBack) {
  Shrink();
  ASSERT_OK(film_->Collect());
  v1::RevertRevisionRequest revert;
  revert.set_movie_id("film");
  revert.set_revision("rev-0001");
  ASSERT_OK(film_->store().manifests.Revert(revert));
  EXPECT_EQ(film_->Text(PromptPath(1)), PromptText(1));
}

TEST_F(ReadableCollectionTest, AnEditedFileStays) {
  Shrink();
  film_->Put(PromptPath(1), "by hand");
  EXPECT_THAT(film_->Collect(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(film_->Text(PromptPath(1)), "by hand");
  // Its text is an event once it was recorded: the next revision's to list.
  EXPECT_THAT(film_->Scan(), IsOkAndHolds(ElementsAre(PromptId(1))));
  EXPECT_THAT(film_->Collect(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(film_->Text(PromptPath(1)), "by hand");
}

// F: S1-55
TEST_F(ReadableCollectionTest, AYoungFileStays) {
  Shrink();
  v1::CollectGarbageRequest request;
  request.set_movie_id("film");
  clock_.Advance(absl::Minutes(59));
  EXPECT_THAT(film_->Collect(request), IsOkAndHolds(IsEmpty()));
  clock_.Advance(absl::Minutes(2));
  EXPECT_THAT(film_->Collect(request),
              IsOkAndHolds(ElementsAre(PromptPath(1))));
}

TEST_F(ReadableCollectionTest, WhatCameAfterTheRevisionStays) {
  film_->Make(1, {0});  // there is none yet
  EXPECT_THAT(film_->Collect(), IsOkAndHolds(IsEmpty()));
  film_->Revise(1, {1}, {});
  film_->Make(2, {2});  // this run fails
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(film_->Collect(), IsOkAndHolds(IsEmpty()));
  // The next one does not take it up.
  film_->Revise(3, {3}, {});
  EXPECT_THAT(film_->Collect(), IsOkAndHolds(ElementsAre(PromptPath(2))));
}

TEST_F(ReadableCollectionTest, OfSeveralArtefactsWithOneFileTheNewestDecides) {
  const auto move_in = [this](int run, const std::string& id,
                              const std::vector<std::string>& removed) {
    const v1::LeaseToken lease =
        TakeFilmLease(film_->store(), "runner", PromptRunId(run));
    v1::AppendEventsRequest request = ArtefactMade(
        id, 'a', id, lease, PromptRunId(run), film_->NextRevision());
    request.mutable_events(0)->mutable_artefact()->set_readable_path("a.txt");
    ASSERT_OK(film_->store().events.Append(request));
    film_->Commit(run, removed, lease);
  };
  move_in(1, "Artifact:Old", {});
  move_in(2, "Artifact:New", {"Artifact:Old"});
  EXPECT_THAT(film_->Collect(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(film_->Text("prompts/a.txt"), "Artifact:New");
  film_->Revise(3, {0}, {});
  film_->Commit(4, {"Artifact:New"},
                TakeFilmLease(film_->store(), "runner", PromptRunId(4)));
  EXPECT_THAT(film_->Collect(), IsOkAndHolds(ElementsAre("prompts/a.txt")));
}

TEST_F(ReadableCollectionTest, ManyFilesGoInSeveralSteps) {
  std::vector<int> all;
  for (int i = 0; i < 100; ++i) all.push_back(i);
  film_->Revise(1, all, {});
  film_->Revise(2, {100}, all);
  EXPECT_EQ(film_->Collect()->size(), all.size());
  for (int segment : all) EXPECT_EQ(film_->Text(PromptPath(segment)), kGone);
  EXPECT_EQ(film_->Text(PromptPath(100)), PromptText(100));
}

// Links and the like are real ones.
TEST(ReadableCollectionOnDiskTest, WhatIsNoPlainFileIsLeftAlone) {
  FileSystem& fs = PosixFileSystem();
  TempDir dir;
  FakeClock clock;
  clock.SetNow(RealClock().Now() + absl::Minutes(1));
  PromptFilm film(fs, clock, dir.path());
  film.Revise(1, {0, 1, 2, 3, 4}, {});
  film.Revise(2, {}, {1, 2, 3, 4});
  const std::string notes = film.PathOf("prompts/notes.txt");
  film.Put("prompts/notes.txt", PromptText(1));
  for (int segment : {1, 2, 3}) film.Remove(PromptPath(segment));
  ASSERT_EQ(symlink(notes.c_str(), film.PathOf(PromptPath(1)).c_str()), 0);
  ASSERT_EQ(mkfifo(film.PathOf(PromptPath(2)).c_str(), 0600), 0);
  ASSERT_OK(fs.CreateDirectory(film.PathOf(PromptPath(3))));
  EXPECT_THAT(film.Collect(), IsOkAndHolds(ElementsAre(PromptPath(4))));
  for (int segment : {1, 2, 3}) {
    EXPECT_OK(fs.Stat(film.PathOf(PromptPath(segment)))) << segment;
  }
  EXPECT_EQ(film.Text("prompts/notes.txt"), PromptText(1));
}

TEST(ReadableCollectionPowerLossTest, CutAnywhereItTakesNothingElse) {
  int cuts = 0;
  for (bool cut_short = true; cut_short; ++cuts) {
    SCOPED_TRACE(cuts);
    FaultyFileSystem fs;
    FakeClock clock;
    fs.SetNow(clock.Now());
    PromptFilm film(fs, clock, "/data");
    film.Revise(1, {0, 1, 2, 3}, {});
    film.Revise(2, {}, {1, 2, 3});
    film.Put(PromptPath(3), "by hand");
    film.Put("prompts/notes.txt", "mine");
    fs.StopAfter(cuts);
    film.Collect().IgnoreError();
    cut_short = fs.stopped();
    film.Close();
    fs.Crash(static_cast<uint64_t>(cuts));
    film.Reopen();

    const auto expect_others = [&film] {
      EXPECT_EQ(film.Text(PromptPath(0)), PromptText(0));
      EXPECT_EQ(film.Text(PromptPath(3)), "by hand");
      EXPECT_EQ(film.Text("prompts/notes.txt"), "mine");
    };
    expect_others();
    for (int segment : {1, 2}) {
      EXPECT_THAT(film.Text(PromptPath(segment)),
                  AnyOf(kGone, PromptText(segment)));
    }
    EXPECT_OK(film.Collect());
    for (int segment : {1, 2}) {
      EXPECT_EQ(film.Text(PromptPath(segment)), kGone);
    }
    expect_others();
    EXPECT_THAT(film.Scan(), IsOkAndHolds(ElementsAre(PromptId(3))));
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
  // Each of two removals, and each sync of a directory.
  EXPECT_GE(cuts, 4);
}

}  // namespace
}  // namespace kinora
