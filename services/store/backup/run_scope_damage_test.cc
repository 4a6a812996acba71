// What importing the export of a run refuses.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"

#include "common/error_reason.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "services/store/backup/copy_archives.h"
#include "services/store/backup/run_scope_fixture.h"
#include "services/store/event/log_line.h"
#include "services/store/object/checked_document.h"
#include "services/store/testing/movie_copies.h"
#include "services/store/testing/movie_story.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A byte that says nothing, at the end of a header's own sum, may pass: then
// the movie is the same.
TEST_F(RunScopeTest, ADamagedByteIsRefusedAndNothingIsWritten) {
  TellMovieStory(store(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(2)));
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  ASSERT_OK(RestoreFrom(elsewhere->store(), "film", file));
  const auto right = FilesBelow(fs_, "/elsewhere/builds/film");
  EXPECT_EQ(ReasonOf(RestoreFrom(elsewhere->store(), "film", file).status()),
            "MOVIE_EXISTS");
  ASSERT_OK(DeleteMovie(elsewhere->store(), "film"));
  SeededRandom random(7);
  int refused = 0;
  for (size_t at = UniformBelow(random, 300); at < file.size();
       at += 200 + UniformBelow(random, 200)) {
    SCOPED_TRACE(at);
    std::string damaged = file;
    damaged[at] =
        static_cast<char>(damaged[at] ^ (1 << UniformBelow(random, 8)));
    const absl::Status status =
        RestoreFrom(elsewhere->store(), "film", damaged).status();
    if (status.ok()) {
      EXPECT_EQ(FilesBelow(fs_, "/elsewhere/builds/film"), right);
      ASSERT_OK(DeleteMovie(elsewhere->store(), "film"));
      continue;
    }
    ++refused;
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(FilesBelow(fs_, "/elsewhere/builds/film"), IsEmpty());
    EXPECT_THAT(FilesBelow(fs_, "/elsewhere/restoring"), IsEmpty());
  }
  EXPECT_GT(refused, 30);
}

// Every sum is right, and yet the events do not say what the manifest does.
TEST_F(RunScopeTest, ForgedEventsAreRefused) {
  TellMovieStory(store(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(2)));
  std::vector<Member> members = MembersOf(file);
  for (Member& member : members) {
    if (!absl::EndsWith(member.first, ".artefacts.jsonl")) continue;
    std::string forged;
    int64_t sequence = 0;
    for (absl::string_view rest = member.second; !rest.empty();) {
      const absl::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      AppendLogLine(
          ++sequence,
          absl::StrReplaceAll(LogLineBody(line), {{"script 2", "forged 2"}}),
          &forged);
    }
    EXPECT_NE(forged, member.second);
    member.second = forged;
  }
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  EXPECT_THAT(
      RestoreFrom(elsewhere->store(), "film", ArchiveOf(members)).status(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("manifests/rev-0002.json")));
  EXPECT_THAT(FilesBelow(fs_, "/elsewhere/builds/film"), IsEmpty());
  EXPECT_OK(RestoreFrom(elsewhere->store(), "film", file));
}

TEST_F(RunScopeTest, AnExportWithARunThatGoesOnIsRefused) {
  TellMovieStory(store(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(2)));
  std::vector<Member> members = MembersOf(file);
  for (Member& member : members) {
    if (!absl::EndsWith(member.first, "/record.json")) continue;
    ASSERT_OK_AND_ASSIGN(const std::string json,
                         WithoutChecksum(member.second));
    EXPECT_THAT(json, HasSubstr("\"completed\""));
    member.second = WithChecksum(
        absl::StrReplaceAll(json, {{"\"completed\"", "\"running\""}}));
  }
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  EXPECT_THAT(
      RestoreFrom(elsewhere->store(), "film", ArchiveOf(members)).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has not ended")));
}

}  // namespace
}  // namespace kinora
