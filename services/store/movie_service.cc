#include "services/store/movie_service.h"

#include "common/rpc/unary.h"

namespace kinora {

grpc::ServerUnaryReactor* MovieRpcService::CreateMovie(
    grpc::CallbackServerContext* context, const v1::CreateMovieRequest* request,
    v1::CreateMovieResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::CreateMovieRequest& r) { return movies_.Create(r); });
}

grpc::ServerUnaryReactor* MovieRpcService::GetMovie(
    grpc::CallbackServerContext* context, const v1::GetMovieRequest* request,
    v1::GetMovieResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::GetMovieRequest& r) { return movies_.Get(r); });
}

grpc::ServerUnaryReactor* MovieRpcService::ListMovies(
    grpc::CallbackServerContext* context, const v1::ListMoviesRequest* request,
    v1::ListMoviesResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::ListMoviesRequest& r) { return movies_.List(r); });
}

grpc::ServerUnaryReactor* MovieRpcService::SetBlueprint(
    grpc::CallbackServerContext* context,
    const v1::SetBlueprintRequest* request,
    v1::SetBlueprintResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::SetBlueprintRequest& r) {
                      return movies_.SetBlueprint(r);
                    });
}

grpc::ServerUnaryReactor* MovieRpcService::DeleteMovie(
    grpc::CallbackServerContext* context, const v1::DeleteMovieRequest* request,
    v1::DeleteMovieResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::DeleteMovieRequest& r) { return movies_.Delete(r); });
}

grpc::ServerUnaryReactor* MovieRpcService::SetMovieQuota(
    grpc::CallbackServerContext* context,
    const v1::SetMovieQuotaRequest* request,
    v1::SetMovieQuotaResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::SetMovieQuotaRequest& r) {
                      return movies_.SetQuota(r);
                    });
}

}  // namespace kinora
