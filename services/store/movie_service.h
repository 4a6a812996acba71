// MovieRpcService serves MovieService over RPC from a MovieStore. Calls run on
// the executor.

#ifndef KINORA_SERVICES_STORE_MOVIE_SERVICE_H_
#define KINORA_SERVICES_STORE_MOVIE_SERVICE_H_

#include "common/threads/executor.h"
#include "kinora/v1/movie.grpc.pb.h"
#include "services/store/movie/movie_store.h"

namespace kinora {

class MovieRpcService final : public v1::MovieService::CallbackService {
 public:
  // Both MUST outlive the server.
  MovieRpcService(MovieStore& movies, Executor& executor)
      : movies_(movies), executor_(executor) {}

  grpc::ServerUnaryReactor* CreateMovie(
      grpc::CallbackServerContext* context,
      const v1::CreateMovieRequest* request,
      v1::CreateMovieResponse* response) override;
  grpc::ServerUnaryReactor* GetMovie(grpc::CallbackServerContext* context,
                                     const v1::GetMovieRequest* request,
                                     v1::GetMovieResponse* response) override;
  grpc::ServerUnaryReactor* ListMovies(
      grpc::CallbackServerContext* context,
      const v1::ListMoviesRequest* request,
      v1::ListMoviesResponse* response) override;
  grpc::ServerUnaryReactor* SetBlueprint(
      grpc::CallbackServerContext* context,
      const v1::SetBlueprintRequest* request,
      v1::SetBlueprintResponse* response) override;
  grpc::ServerUnaryReactor* DeleteMovie(
      grpc::CallbackServerContext* context,
      const v1::DeleteMovieRequest* request,
      v1::DeleteMovieResponse* response) override;
  grpc::ServerUnaryReactor* SetMovieQuota(
      grpc::CallbackServerContext* context,
      const v1::SetMovieQuotaRequest* request,
      v1::SetMovieQuotaResponse* response) override;

 private:
  MovieStore& movies_;
  Executor& executor_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MOVIE_SERVICE_H_
