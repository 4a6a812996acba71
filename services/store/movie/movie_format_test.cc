#include "services/store/movie/movie_format.h"

#include <string>
#include <utility>

#include "absl/strings/str_replace.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/checked_document.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/faulty_object_storage.h"
#include "services/store/write_gate.h"

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
            WithChecksum(R"({"blueprintHash":"x",)"
                         R"("createTime":"2026-01-01T00:00:00.000Z",)"
                         R"("formatVersion":3,"movieId":"film"})"));
}

TEST_F(MovieFormatTest, DocumentsOfBeforeThereWereChecksumsAreTaken) {
  MakeFilm(store());
  TakeFilmLease(store());
  PutBlob(store(), "bytes");
  clock_.Advance(absl::Hours(48));
  PutBlob(store(), "bytes");  // a use of what is old
  const char* const keys[] = {"builds/film/movie.json",
                              "builds/film/blob-uses.json",
                              "leases/movie/film.json"};
  for (const char* key : keys) {
    ASSERT_OK_AND_ASSIGN(const std::string text, ReadObject(storage_, key));
    EXPECT_TRUE(HasChecksum(text)) << key;
    ASSERT_OK_AND_ASSIGN(const std::string before, WithoutChecksum(text));
    ASSERT_OK(storage_.Write(
        key, absl::StrReplaceAll(
                 before, {{"\"formatVersion\":3", "\"formatVersion\":2"}})));
  }
  Restart();
  EXPECT_OK(core().events.Append(InputEdit("Input:A", "a")));
  v1::GetLeaseRequest lease;
  lease.set_lease_id("movie/film");
  ASSERT_OK_AND_ASSIGN(const v1::GetLeaseResponse held,
                       core().leases.Get(lease));
  EXPECT_NE(held.lease().holder(), "");
  EXPECT_EQ(PutBlob(store(), "bytes").digest().size_bytes(), 5);
  // Each gets one when it is written next.
  EXPECT_THAT(MovieJson(), HasSubstr("\"formatVersion\":3"));
  EXPECT_TRUE(HasChecksum(MovieJson()));
}

// Another value of the same form is damage, also where it is the version: that
// does not send anybody to a newer build.
TEST_F(MovieFormatTest, AFlippedBitIsDamageAndNoOtherFormat) {
  MakeFilm(store());
  const std::string good = MovieJson();
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] ^= static_cast<char>(1 << bit % 8);
    ASSERT_OK(storage_.Write("builds/film/movie.json", bad));
    Restart();
    const absl::Status status = core().catalog.Require("film");
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss,
                                 HasSubstr("builds/film/movie.json")))
        << bad;
    EXPECT_EQ(ReasonOf(status), "DATA_CORRUPT");
    EXPECT_EQ(MovieJson(), bad);  // nothing is repaired
  }
}

TEST_F(MovieFormatTest, ANewerMovieIsRefusedAndOthersGoOn) {
  MakeFilm(store());
  ASSERT_OK(storage_.Write("builds/later/movie.json",
                           R"({"formatVersion":4,"anything":"else"})"));
  v1::GetMovieRequest get;
  get.set_movie_id("later");
  const absl::Status status = core().movies.Get(get).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr("movie \"later\""),
                                     HasSubstr("builds/later/movie.json"),
                                     HasSubstr("version 4"),
                                     HasSubstr("knows 1 to 3"))));
  EXPECT_EQ(ReasonOf(status), "FORMAT_UNKNOWN");
  EXPECT_EQ(MetadataOf(status)["found"], "4");
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

// Such as a full one, in which a collection is to make room.
TEST_F(MovieFormatTest, AnOlderMovieIsReadInAStoreThatTakesNoWrites) {
  ASSERT_OK(storage_.Write("builds/film/movie.json", kVersion1));
  WriteGate gate("/data");
  FaultyObjectStorage full(storage_);
  full.FailWritesOf(
      "builds/film/movie.json",
      gate.CloseUntilRoom(absl::ResourceExhaustedError("No space left")));
  MovieCatalog catalog(full);
  EXPECT_OK(catalog.Require("film"));
  EXPECT_OK(catalog.Load("film"));
  EXPECT_EQ(MovieJson(), kVersion1);
  full.FailWritesOf("", absl::OkStatus());
  EXPECT_OK(catalog.Require("film"));
  EXPECT_THAT(MovieJson(), HasSubstr("\"formatVersion\":3"));
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
