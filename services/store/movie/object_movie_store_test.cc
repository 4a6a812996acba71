#include "services/store/movie/object_movie_store.h"

#include <string>
#include <vector>

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/faulty_object_storage.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ObjectMovieStoreTest : public CoreFixture {
 protected:
  absl::StatusOr<v1::CreateMovieResponse> Create(
      absl::string_view movie_id, absl::string_view request_id = "",
      absl::string_view blueprint = "name: film\n") {
    v1::CreateMovieRequest request;
    request.set_movie_id(std::string(movie_id));
    request.set_request_id(std::string(request_id));
    request.set_blueprint(std::string(blueprint));
    return core().movies.Create(request);
  }
  absl::StatusOr<v1::GetMovieResponse> Get(absl::string_view movie_id) {
    v1::GetMovieRequest request;
    request.set_movie_id(std::string(movie_id));
    return core().movies.Get(request);
  }
  std::string Blueprint(absl::string_view movie_id) {
    absl::StatusOr<v1::GetMovieResponse> movie = Get(movie_id);
    EXPECT_OK(movie);
    v1::ReadBlobRequest request;
    request.set_movie_id(std::string(movie_id));
    *request.mutable_digest() = movie->movie().blueprint().digest();
    std::string bytes;
    EXPECT_OK(core().blobs.Read(request, [&](absl::string_view piece) {
      bytes.append(piece.data(), piece.size());
      return absl::OkStatus();
    }));
    return bytes;
  }
};

TEST_F(ObjectMovieStoreTest, ANewMovieHasItsBlueprintAndNoRevision) {
  ASSERT_OK_AND_ASSIGN(v1::CreateMovieResponse created, Create("film"));
  const v1::Movie& movie = created.movie();
  EXPECT_EQ(movie.movie_id(), "film");
  EXPECT_EQ(movie.format_version(), 3u);
  EXPECT_EQ(movie.current_revision(), "");
  EXPECT_EQ(movie.create_time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  EXPECT_EQ(movie.blueprint().mime_type(), "application/yaml");
  EXPECT_EQ(Blueprint("film"), "name: film\n");
}

TEST_F(ObjectMovieStoreTest, ACreationIsIdempotentByRequestId) {
  ASSERT_OK(Create("film", "r-1"));
  Restart();
  EXPECT_OK(Create("film", "r-1"));
  absl::Status status = Create("film", "r-2").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(ReasonOf(status), "MOVIE_EXISTS");
  EXPECT_EQ(ReasonOf(Create("film", "r-1", "other").status()), "MOVIE_EXISTS");
  EXPECT_EQ(ReasonOf(Create("film").status()), "MOVIE_EXISTS");
}

TEST_F(ObjectMovieStoreTest, IdsThatCouldLeaveTheDirectoryAreRefused) {
  for (const char* id : {"", "..", "../x", "a/b", "Film", "film.json", "-a"}) {
    EXPECT_THAT(Create(id), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("movie_id")))
        << id;
    EXPECT_THAT(Get(id), StatusIs(absl::StatusCode::kInvalidArgument)) << id;
  }
}

TEST_F(ObjectMovieStoreTest, BlueprintsHaveALimit) {
  EXPECT_THAT(
      Create("film", "", ""),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("blueprint")));
  EXPECT_THAT(Create("film", "", std::string(kMaxBlueprintBytes + 1, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_OK(Create("film", "", std::string(kMaxBlueprintBytes, 'x')));
}

TEST_F(ObjectMovieStoreTest, ACreationCutShortLeavesNoMovieOrAWholeOne) {
  FaultyObjectStorage faulty(storage_);
  Core core(faulty, log_, clock_);
  v1::CreateMovieRequest request;
  request.set_movie_id("film");
  request.set_blueprint("name: film\n");
  for (int changes : {0, 1}) {  // the blob; movie.json
    faulty.StopAfter(changes);
    EXPECT_THAT(core.movies.Create(request),
                StatusIs(absl::StatusCode::kUnavailable));
    Restart();
    EXPECT_EQ(ReasonOf(Get("film").status()), "MOVIE_NOT_FOUND");
    ASSERT_OK_AND_ASSIGN(v1::ListMoviesResponse none,
                         this->core().movies.List({}));
    EXPECT_EQ(none.movies_size(), 0);
  }
  // The next attempt takes up what is there: one event, not three.
  ASSERT_OK(Create("film"));
  v1::GetLogStatusRequest status;
  status.mutable_log()->set_movie_id("film");
  status.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  ASSERT_OK_AND_ASSIGN(v1::GetLogStatusResponse log,
                       this->core().events.GetLogStatus(status));
  EXPECT_EQ(log.last_sequence(), 1);
}

TEST_F(ObjectMovieStoreTest, AMovieWithoutItsFileIsNotTakenForAFreeId) {
  ASSERT_OK(Create("film"));
  ASSERT_OK(core().events.Append(InputEdit("Input:Topic", "sea")));
  ASSERT_OK(storage_.Delete("builds/film/movie.json"));
  Restart();
  EXPECT_THAT(Create("film").status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("builds/film/movie.json: put that back")));
  EXPECT_EQ(ReasonOf(Get("film").status()), "MOVIE_NOT_FOUND");
}

TEST_F(ObjectMovieStoreTest, AQuotaIsKeptAndReplaced) {
  ASSERT_OK(Create("film"));
  v1::SetMovieQuotaRequest request;
  request.set_movie_id("film");
  request.mutable_quota()->set_max_blob_bytes(1 << 20);
  request.mutable_quota()->set_max_revisions(5);
  request.mutable_quota()->mutable_max_cost()->set_currency_code("USD");
  request.mutable_quota()->mutable_max_cost()->set_micros(2'500'000);
  ASSERT_OK_AND_ASSIGN(const v1::SetMovieQuotaResponse set,
                       core().movies.SetQuota(request));
  EXPECT_EQ(set.movie().quota().max_blob_bytes(), 1 << 20);
  Restart();
  ASSERT_OK_AND_ASSIGN(const v1::GetMovieResponse got, Get("film"));
  EXPECT_EQ(got.movie().quota().max_blob_bytes(), 1 << 20);
  EXPECT_EQ(got.movie().quota().max_revisions(), 5);
  EXPECT_EQ(got.movie().quota().max_cost().currency_code(), "USD");
  EXPECT_EQ(got.movie().quota().max_cost().micros(), 2'500'000);
  EXPECT_EQ(Blueprint("film"), "name: film\n");

  request.mutable_quota()->set_max_blob_bytes(-1);
  EXPECT_THAT(core().movies.SetQuota(request),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("quota.max_blob_bytes")));
  request.clear_quota();
  ASSERT_OK_AND_ASSIGN(const v1::SetMovieQuotaResponse unset,
                       core().movies.SetQuota(request));
  EXPECT_EQ(unset.movie().quota().max_revisions(), 0);
  ASSERT_OK_AND_ASSIGN(const MovieLimits limits, core().catalog.Limits("film"));
  EXPECT_EQ(limits.max_blob_bytes, 0);
  request.set_movie_id("other");
  EXPECT_EQ(ReasonOf(core().movies.SetQuota(request).status()),
            "MOVIE_NOT_FOUND");
}

// A page reads its own movies, however many there are.
TEST_F(ObjectMovieStoreTest, APageReadsNoOtherMovies) {
  for (const char* id : {"a", "b", "c"}) ASSERT_OK(Create(id));
  Restart();
  // Whoever read these would see that they are damaged.
  ASSERT_OK(storage_.Write("builds/c/movie.json", "{"));
  v1::ListMoviesRequest request;
  request.set_page_size(1);
  ASSERT_OK_AND_ASSIGN(v1::ListMoviesResponse page,
                       core().movies.List(request));
  ASSERT_EQ(page.movies_size(), 1);
  EXPECT_EQ(page.movies(0).movie_id(), "a");
  EXPECT_EQ(page.next_page_token(), "a");
  // A movie that came after the first page is on a later one.
  ASSERT_OK(Create("b-2"));
  request.set_page_token("b");
  ASSERT_OK_AND_ASSIGN(page, core().movies.List(request));
  ASSERT_EQ(page.movies_size(), 1);
  EXPECT_EQ(page.movies(0).movie_id(), "b-2");
}

TEST_F(ObjectMovieStoreTest, MoviesAreListedByIdInPages) {
  for (const char* id : {"c", "a", "b-1", "b"}) ASSERT_OK(Create(id));
  v1::ListMoviesRequest request;
  request.set_page_size(3);
  std::vector<std::string> ids;
  do {
    ASSERT_OK_AND_ASSIGN(v1::ListMoviesResponse page,
                         core().movies.List(request));
    for (const v1::Movie& movie : page.movies()) {
      ids.push_back(movie.movie_id());
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(ids, ElementsAre("a", "b", "b-1", "c"));
  request.set_page_token("../x");
  EXPECT_THAT(
      core().movies.List(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")));
}

// F: S3-10
TEST_F(ObjectMovieStoreTest, AMovieThatCannotBeReadIsListedAsDamaged) {
  for (const char* id : {"a", "b", "c"}) ASSERT_OK(Create(id));
  const auto list = [&](const std::string& key, const absl::Status& error) {
    FaultyObjectStorage faulty(storage_);
    faulty.FailReadsOf(key, error);
    Core core(faulty, log_, clock_);
    absl::StatusOr<v1::ListMoviesResponse> listed = core.movies.List({});
    EXPECT_OK(listed);
    return listed.ok() ? *listed : v1::ListMoviesResponse();
  };
  for (const absl::Status& error :
       {absl::AbortedError("a directory"), absl::OutOfRangeError("removed"),
        absl::PermissionDeniedError("no"), absl::DataLossError("flipped"),
        absl::InternalError("what")}) {
    SCOPED_TRACE(error);
    const v1::ListMoviesResponse current = list("builds/b/current.json", error);
    ASSERT_EQ(current.movies_size(), 3);
    EXPECT_TRUE(current.movies(0).has_blueprint());
    EXPECT_EQ(current.movies(1).movie_id(), "b");
    EXPECT_TRUE(current.movies(1).has_create_time());
    EXPECT_FALSE(current.movies(1).has_blueprint());
    EXPECT_TRUE(current.movies(2).has_blueprint());

    const v1::ListMoviesResponse file = list("builds/b/movie.json", error);
    ASSERT_EQ(file.movies_size(), 3);
    EXPECT_EQ(file.movies(1).movie_id(), "b");
    EXPECT_FALSE(file.movies(1).has_create_time());
  }
}

TEST_F(ObjectMovieStoreTest, PinningAnotherBlueprintAppendsOneEvent) {
  ASSERT_OK_AND_ASSIGN(v1::CreateMovieResponse created, Create("film"));
  v1::SetBlueprintRequest request;
  request.set_movie_id("film");
  request.set_blueprint("name: film\n");
  ASSERT_OK_AND_ASSIGN(v1::SetBlueprintResponse same,
                       core().movies.SetBlueprint(request));
  EXPECT_FALSE(same.changed());

  request.set_blueprint("name: better\n");
  request.set_expected_blueprint_hash(
      created.movie().blueprint().digest().hash());
  ASSERT_OK_AND_ASSIGN(v1::SetBlueprintResponse changed,
                       core().movies.SetBlueprint(request));
  EXPECT_TRUE(changed.changed());
  EXPECT_EQ(Blueprint("film"), "name: better\n");

  request.set_blueprint("name: late\n");
  absl::Status late = core().movies.SetBlueprint(request).status();
  EXPECT_THAT(late, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(MetadataOf(late)["current"],
            changed.movie().blueprint().digest().hash());
  EXPECT_EQ(Blueprint("film"), "name: better\n");
}

}  // namespace
}  // namespace kinora
