#include "services/store/movie/movie_format.h"

#include <string>
#include <utility>

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/faulty_object_storage.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kVersion1[] =
    R"({"blueprintHash":"x","createTime":"2026-01-01T00:00:00.000Z",)"
    R"("formatVersion":1,"movieId":"film"})";

class MovieFormatTest : public CoreFixture {
 protected:
  std::string MovieJson() {
    absl::StatusOr<std::string> text =
        ReadObject(storage_, "builds/film/movie.json");
    EXPECT_OK(text);
    return text.ok() ? *text : "";
  }
};

TEST_F(MovieFormatTest, AnOlderMovieIsBroughtUpAtItsFirstUse) {
  ASSERT_OK(storage_.Write("builds/film/movie.json", kVersion1));
  ASSERT_OK(core().catalog.Require("film"));
  EXPECT_EQ(MovieJson(),
            R"({"blueprintHash":"x","createTime":"2026-01-01T00:00:00.000Z",)"
            R"("formatVersion":2,"movieId":"film"})");
}

TEST_F(MovieFormatTest, ANewerMovieIsRefusedAndOthersGoOn) {
  MakeFilm(store());
  ASSERT_OK(storage_.Write("builds/later/movie.json",
                           R"({"formatVersion":3,"anything":"else"})"));
  v1::GetMovieRequest get;
  get.set_movie_id("later");
  const absl::Status status = core().movies.Get(get).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr("movie \"later\""),
                                     HasSubstr("builds/later/movie.json"),
                                     HasSubstr("version 3"),
                                     HasSubstr("knows 1 to 2"))));
  EXPECT_EQ(ReasonOf(status), "FORMAT_UNKNOWN");
  EXPECT_EQ(MetadataOf(status)["found"], "3");
  v1::AppendEventsRequest append = InputEdit("Input:A", "a");
  append.mutable_log()->set_movie_id("later");
  EXPECT_EQ(ReasonOf(core().events.Append(append).status()), "FORMAT_UNKNOWN");
  EXPECT_OK(core().events.Append(InputEdit("Input:A", "a")));
  // It is listed, without what cannot be known of it.
  ASSERT_OK_AND_ASSIGN(const v1::ListMoviesResponse movies,
                       core().movies.List({}));
  ASSERT_EQ(movies.movies_size(), 2);
  EXPECT_EQ(movies.movies(0).current_revision(), "");
  EXPECT_EQ(movies.movies(1).movie_id(), "later");
  EXPECT_EQ(movies.movies(1).format_version(), 0u);
}

// A step of two writes, each of which may be the last of its process.
absl::Status WriteTwo(ObjectStorage& storage, absl::string_view, JsonObject*) {
  absl::Status status = storage.Write("builds/film/a", "new");
  if (status.ok()) status = storage.Write("builds/film/b", "new");
  return status;
}

TEST_F(MovieFormatTest, AnUpgradeCutShortIsRepeated) {
  const MovieFormatStep steps[] = {{.from = 1, .run = WriteTwo}};
  ASSERT_OK(storage_.Write("builds/film/movie.json", kVersion1));
  FaultyObjectStorage faulty(storage_);
  for (int changes = 0; changes < 3; ++changes) {
    faulty.StopAfter(changes);
    EXPECT_THAT(UpgradeMovie(faulty, "film", MovieJson(), steps),
                StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_EQ(MovieJson(), kVersion1);
  }
  faulty.StopAfter(3);
  ASSERT_OK(UpgradeMovie(faulty, "film", MovieJson(), steps));
  EXPECT_THAT(MovieJson(), HasSubstr("\"formatVersion\":2"));
  EXPECT_THAT(ReadObject(storage_, "builds/film/b"), IsOkAndHolds("new"));
  // Whoever comes with what he read before changes nothing.
  EXPECT_THAT(UpgradeMovie(storage_, "film", kVersion1, steps),
              StatusIs(absl::StatusCode::kAborted));
}

}  // namespace
}  // namespace kinora
