#include "services/store/backup/movie_restoration.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

#include "common/error_reason.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "services/store/backup/copy_archives.h"
#include "services/store/layout.h"
#include "services/store/local_store.h"
#include "services/store/object/checked_document.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_copies.h"
#include "services/store/testing/movie_story.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MovieRestorationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    local_ = Open(fs_);
    TellMovieStory(store(), 2);
    ASSERT_OK_AND_ASSIGN(copy_, CopyOf(store(), "film"));
  }
  std::unique_ptr<LocalStore> Open(FileSystem& fs) {
    LocalStoreOptions options;
    options.data_dir = "/store";
    auto opened = LocalStore::Open(options, fs, clock_, random_, executor_);
    EXPECT_OK(opened);
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  Store store() { return local_->store(); }

  // Nothing that is the movie's or leads to it.
  static void ExpectNothingOf(FileSystem& fs, absl::string_view movie_id) {
    EXPECT_THAT(FilesBelow(fs, absl::StrCat("/store/builds/", movie_id)),
                IsEmpty());
    EXPECT_THAT(FilesBelow(fs, "/store/restoring"), IsEmpty());
    for (const auto& entry : FilesBelow(fs, "/store/index/runs")) {
      EXPECT_NE(entry.second, movie_id) << entry.first;
    }
  }

  // Refused naming `member`, and nothing is there.
  void ExpectRefused(const std::string& copy, absl::string_view member) {
    const absl::Status status = RestoreFrom(store(), "second", copy).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr(std::string(member))));
    v1::GetMovieRequest get;
    get.set_movie_id("second");
    EXPECT_EQ(ReasonOf(store().movies.Get(get).status()), "MOVIE_NOT_FOUND");
    ExpectNothingOf(fs_, "second");
    EXPECT_THAT(Exists(fs_, "/store/builds/second"), IsOkAndHolds(false));
  }

  // The member whose name begins so.
  std::vector<Member>::iterator Find(std::vector<Member>* members,
                                     absl::string_view prefix) {
    for (auto member = members->begin(); member != members->end(); ++member) {
      if (absl::StartsWith(member->first, prefix)) return member;
    }
    ADD_FAILURE() << prefix;
    return members->end() - 1;
  }

  FaultyFileSystem fs_;
  FakeClock clock_;
  SeededRandom random_{1};
  ManualExecutor executor_{clock_, 1};
  std::unique_ptr<LocalStore> local_;
  std::string copy_;
};

TEST_F(MovieRestorationTest, ATakenIdIsLeftAsItIs) {
  const auto before = FilesBelow(fs_, "/store");
  bool was_read = false;
  const absl::Status status =
      store()
          .maintenance
          .RestoreMovie("film",
                        [&]() -> absl::StatusOr<std::string> {
                          was_read = true;
                          return std::string();
                        })
          .status();
  EXPECT_EQ(ReasonOf(status), "MOVIE_EXISTS") << status;
  EXPECT_FALSE(was_read);
  EXPECT_EQ(FilesBelow(fs_, "/store"), before);
  EXPECT_THAT(RestoreFrom(store(), "../film", copy_),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// By that a runner goes on with it.
TEST_F(MovieRestorationTest, ARunThatHadNotEndedIsFoundAsOpen) {
  const std::string run_id = StoryRunId(9);
  v1::PutRunRecordRequest put;
  *put.mutable_lease() = TakeFilmLease(store(), "runner-1", run_id);
  put.mutable_record()->set_run_id(run_id);
  put.mutable_record()->set_movie_id("film");
  put.mutable_record()->set_status(v1::RUN_STATUS_WAITING);
  ASSERT_OK(store().runs.Put(put));
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));

  v1::ListRunRecordsRequest open;
  open.add_statuses(v1::RUN_STATUS_WAITING);
  FaultyFileSystem fs;
  std::unique_ptr<LocalStore> elsewhere = Open(fs);
  ASSERT_OK_AND_ASSIGN(v1::ListRunRecordsResponse runs,
                       elsewhere->store().runs.List(open));
  EXPECT_EQ(runs.records_size(), 0);
  ASSERT_OK(RestoreFrom(elsewhere->store(), "second", copy));
  ASSERT_OK_AND_ASSIGN(runs, elsewhere->store().runs.List(open));
  ASSERT_EQ(runs.records_size(), 1);
  EXPECT_EQ(runs.records(0).run_id(), run_id);
  EXPECT_EQ(runs.records(0).movie_id(), "second");

  // Beside its original the run is the original's alone.
  ASSERT_OK(RestoreFrom(store(), "second", copy));
  ASSERT_OK_AND_ASSIGN(runs, store().runs.List(open));
  ASSERT_EQ(runs.records_size(), 1);
  EXPECT_EQ(runs.records(0).movie_id(), "film");
}

TEST_F(MovieRestorationTest, NobodyTakesTheIdMeanwhile) {
  absl::string_view rest = copy_;
  ASSERT_OK(store().maintenance.RestoreMovie(
      "second", [&]() -> absl::StatusOr<std::string> {
        v1::CreateMovieRequest create;
        create.set_movie_id("second");
        create.set_blueprint("name: film\n");
        EXPECT_EQ(ReasonOf(store().movies.Create(create).status()),
                  "MOVIE_EXISTS");
        EXPECT_EQ(ReasonOf(RestoreFrom(store(), "second", copy_).status()),
                  "MOVIE_EXISTS");
        v1::GetMovieRequest get;
        get.set_movie_id("second");
        EXPECT_EQ(ReasonOf(store().movies.Get(get).status()),
                  "MOVIE_NOT_FOUND");
        std::string piece(rest.substr(0, 20'000));
        rest.remove_prefix(piece.size());
        return piece;
      }));
  EXPECT_THAT(ProblemsOf(store(), "second"), IsEmpty());
}

TEST_F(MovieRestorationTest, AShortenedCopyIsRefused) {
  ExpectRefused("", "");
  ExpectRefused("no archive at all", "");
  // The end, and cuts at and beside the limits of tar's records.
  std::vector<size_t> sizes = {copy_.size() - 1, copy_.size() - 511,
                               copy_.size() - 512, copy_.size() - 1024,
                               copy_.size() - 1025};
  for (size_t size = 1; size < copy_.size(); size += 1709) {
    sizes.push_back(size);
    sizes.push_back(size - size % 512);
  }
  for (const size_t size : sizes) {
    SCOPED_TRACE(size);
    ExpectRefused(copy_.substr(0, size), "");
  }
  ExpectRefused(copy_ + "more", "");
  ExpectRefused(copy_ + copy_, "");
}

// A byte that says nothing, at the end of a header's own sum, may pass: then
// the movie is the same.
TEST_F(MovieRestorationTest, AFlippedByteNeverMakesAnotherMovie) {
  ASSERT_OK(RestoreFrom(store(), "second", copy_));
  const auto right = FilesBelow(fs_, "/store/builds/second");
  ASSERT_OK(DeleteMovie(store(), "second"));
  int refused = 0;
  int passed = 0;
  for (size_t at = 0; at < copy_.size(); at += 311) {
    SCOPED_TRACE(at);
    std::string damaged = copy_;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    const absl::Status status =
        RestoreFrom(store(), "second", damaged).status();
    if (!status.ok()) {
      ++refused;
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
      ExpectNothingOf(fs_, "second");
      continue;
    }
    ++passed;
    EXPECT_EQ(FilesBelow(fs_, "/store/builds/second"), right);
    ASSERT_OK(DeleteMovie(store(), "second"));
  }
  EXPECT_GT(refused, 50);
  EXPECT_LT(passed, 3);
}

// The archive is in order, its content is not.
TEST_F(MovieRestorationTest, AForeignMemberIsRefusedByName) {
  const std::vector<Member> good = MembersOf(copy_);
  ASSERT_GT(good.size(), 20U);
  ASSERT_OK(RestoreFrom(store(), "second", ArchiveOf(good)));
  ASSERT_OK(DeleteMovie(store(), "second"));
  for (const char* name :
       {"../x", "/etc/x", "prompts/../../x", "prompts/.x", "blobs/x",
        "blobs/00/", "events/x.log", "runs/plans/../x.json", "film/movie.json",
        "./movie.json", "prompts/", "index/artefacts-1-2.index"}) {
    SCOPED_TRACE(name);
    for (const size_t place : {size_t{1}, good.size() - 1}) {
      std::vector<Member> members = good;
      members.insert(members.begin() + place, {name, "x"});
      ExpectRefused(ArchiveOf(members), "");
    }
  }
  for (size_t i = 0; i < good.size(); ++i) {
    SCOPED_TRACE(good[i].first);
    std::vector<Member> members = good;
    members.insert(members.begin() + i, good[i]);  // twice
    ExpectRefused(ArchiveOf(members), "");
    // What may be absent from a movie may be missing.
    const std::string& name = good[i].first;
    if (absl::EndsWith(name, "-plan.json")) continue;
    members = good;
    members.erase(members.begin() + i);
    ExpectRefused(ArchiveOf(members), "");
  }
}

TEST_F(MovieRestorationTest, WhatDoesNotFitTogetherIsRefusedByName) {
  const std::vector<Member> good = MembersOf(copy_);
  const auto changed = [&](absl::string_view prefix, const std::string& from,
                           const std::string& to) {
    std::vector<Member> members = good;
    Member& member = *Find(&members, prefix);
    EXPECT_THAT(member.second, HasSubstr(from));
    member.second = absl::StrReplaceAll(member.second, {{from, to}});
    return ArchiveOf(members);
  };
  const std::string newer =
      changed("backup.json", "\"formatVersion\":1", "\"formatVersion\":2");
  ExpectRefused(newer, "format version 2");
  EXPECT_EQ(ReasonOf(RestoreFrom(store(), "second", newer).status()),
            "FORMAT_UNKNOWN");
  const auto summed = [&](absl::string_view prefix, const std::string& from,
                          const std::string& to) {
    std::vector<Member> members = good;
    Member& member = *Find(&members, prefix);
    absl::StatusOr<std::string> json = WithoutChecksum(member.second);
    EXPECT_OK(json);
    EXPECT_THAT(*json, HasSubstr(from));
    member.second = WithChecksum(absl::StrReplaceAll(*json, {{from, to}}));
    return ArchiveOf(members);
  };
  const std::string later =
      summed("movie.json", "\"formatVersion\":3", "\"formatVersion\":4");
  ExpectRefused(later, "movie.json");
  EXPECT_EQ(ReasonOf(RestoreFrom(store(), "second", later).status()),
            "FORMAT_UNKNOWN");
  ExpectRefused(
      changed("movie.json", "\"formatVersion\":3", "\"formatVersion\":7"),
      "movie.json: the checksum says");
  ExpectRefused(changed("movie.json", "\"film\"", "\"other\""), "movie.json");
  ExpectRefused(summed("movie.json", "\"film\"", "\"other\""), "movie.json");
  ExpectRefused(changed("events/000000000001.art", "script", "forged"),
                "000000000001.artefacts.jsonl");
  ExpectRefused(changed("manifests/rev-0002", "script", "forged"),
                "manifests/rev-0002.json");
  ExpectRefused(changed("current.json", "rev-0002", "rev-0001"),
                "current.json");
  ExpectRefused(changed("runs/plans/", "rev-000", "rev-001"), "runs/plans/");
  ExpectRefused(changed("runs/run-", "run-", "ran-"), "record.json");
  ExpectRefused(summed("runs/run-", "run-", "ran-"), "record.json");
  std::vector<Member> members = good;
  Find(&members, "blobs/")->second.append("x");
  ExpectRefused(ArchiveOf(members), "blobs/");
}

// No member is written where its name points, whatever it is.
TEST_F(MovieRestorationTest, ALinkOrADeviceIsRefused) {
  for (const char type : {'1', '2', '3', '4', '5', '6'}) {
    SCOPED_TRACE(type);
    std::string copy = copy_;
    // The header of the first member: its type, the target of a link, and the
    // sum of its bytes, with the sum itself taken as blanks.
    copy[156] = type;
    copy.replace(157, 10, "/etc/passwd", 10);
    copy.replace(148, 8, "        ");
    int sum = 0;
    for (int i = 0; i < 512; ++i) sum += static_cast<unsigned char>(copy[i]);
    copy.replace(148, 7, absl::StrFormat("%06o", sum) + std::string(1, '\0'));
    ExpectRefused(copy, "");
  }
}

TEST_F(MovieRestorationTest, AnErrorOfTheReaderEndsIt) {
  int pieces = 0;
  EXPECT_THAT(store().maintenance.RestoreMovie(
                  "second",
                  [&]() -> absl::StatusOr<std::string> {
                    if (++pieces > 3) return absl::DataLossError("bad disk");
                    return copy_.substr((pieces - 1) * 5000, 5000);
                  }),
              StatusIs(absl::StatusCode::kDataLoss, "bad disk"));
  ExpectNothingOf(fs_, "second");
}

// The directories of the one that was refused have gone; those of the next are
// durable.
TEST_F(MovieRestorationTest, TheNextCopyUnderTheIdIsThereForGood) {
  ExpectRefused(copy_.substr(0, copy_.size() - 1024), "");
  ASSERT_OK(RestoreFrom(store(), "second", copy_));
  const auto right = FilesBelow(fs_, "/store/builds/second");
  local_.reset();
  fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);
  local_ = Open(fs_);
  EXPECT_EQ(FilesBelow(fs_, "/store/builds/second"), right);
  EXPECT_THAT(ProblemsOf(store(), "second"), IsEmpty());
}

// Files that somebody has put there are not the store's to remove.
TEST_F(MovieRestorationTest, WhatIsNotItsOwnStays) {
  const std::string notes = "/store/builds/second/b~/notes.txt";
  ASSERT_OK(fs_.CreateDirectories(ParentPath(notes)));
  ASSERT_OK(WriteFileAtomically(fs_, notes, "mine"));
  EXPECT_FALSE(RestoreFrom(store(), "second", copy_.substr(0, 5000)).ok());
  EXPECT_THAT(ReadFile(fs_, notes), IsOkAndHolds("mine"));
}

// A crash at any change of the disk leaves no movie, or all of it.
TEST_F(MovieRestorationTest, ACutAtAnyChangeLeavesAWholeMovieOrNone) {
  const auto right = [&] {
    FaultyFileSystem fs;
    std::unique_ptr<LocalStore> local = Open(fs);
    EXPECT_OK(RestoreFrom(local->store(), "second", copy_));
    return FilesBelow(fs, "/store/builds/second");
  }();
  int none = 0;
  int whole = 0;
  for (int cut = 0; whole == 0 || cut % 7 != 0; cut += 3) {
    SCOPED_TRACE(cut);
    FaultyFileSystem fs;
    std::unique_ptr<LocalStore> local = Open(fs);
    MakeFilm(local->store());
    fs.StopAfter(cut);
    const bool done = RestoreFrom(local->store(), "second", copy_).ok();
    local.reset();
    fs.Crash(static_cast<uint64_t>(cut));
    local = Open(fs);
    v1::GetMovieRequest get;
    get.set_movie_id("second");
    const absl::Status there = local->store().movies.Get(get).status();
    EXPECT_TRUE(there.ok() || !done) << there;
    if (there.ok()) {
      ++whole;
      EXPECT_EQ(FilesBelow(fs, "/store/builds/second"), right);
      EXPECT_THAT(FilesBelow(fs, "/store/restoring"), IsEmpty());
      EXPECT_THAT(ProblemsOf(local->store(), "second"), IsEmpty());
    } else {
      ++none;
      EXPECT_EQ(ReasonOf(there), "MOVIE_NOT_FOUND");
      ExpectNothingOf(fs, "second");
      EXPECT_THAT(Exists(fs, "/store/builds/second"), IsOkAndHolds(false));
      EXPECT_OK(RestoreFrom(local->store(), "second", copy_));
    }
    ASSERT_LT(cut, 5000);
  }
  EXPECT_GT(none, 20);
}

}  // namespace
}  // namespace kinora
