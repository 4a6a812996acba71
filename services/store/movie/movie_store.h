// A MovieStore keeps the list of movies and pins their blueprints.
// ObjectMovieStore keeps them in an ObjectStorage and an EventStore;
// RemoteMovieStore (clients/cpp) reaches one over RPC. Errors and guarantees
// are those of MovieService in proto/kinora/v1/movie.proto.

#ifndef KINORA_SERVICES_STORE_MOVIE_MOVIE_STORE_H_
#define KINORA_SERVICES_STORE_MOVIE_MOVIE_STORE_H_

#include "absl/status/statusor.h"

#include "kinora/v1/movie.pb.h"

namespace kinora {

// Thread-safe. Calls may block.
class MovieStore {
 public:
  virtual ~MovieStore() = default;

  virtual absl::StatusOr<v1::CreateMovieResponse> Create(
      const v1::CreateMovieRequest& request) = 0;
  virtual absl::StatusOr<v1::GetMovieResponse> Get(
      const v1::GetMovieRequest& request) = 0;
  virtual absl::StatusOr<v1::ListMoviesResponse> List(
      const v1::ListMoviesRequest& request) = 0;
  virtual absl::StatusOr<v1::SetBlueprintResponse> SetBlueprint(
      const v1::SetBlueprintRequest& request) = 0;
  virtual absl::StatusOr<v1::DeleteMovieResponse> Delete(
      const v1::DeleteMovieRequest& request) = 0;
  virtual absl::StatusOr<v1::SetMovieQuotaResponse> SetQuota(
      const v1::SetMovieQuotaRequest& request) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MOVIE_MOVIE_STORE_H_
