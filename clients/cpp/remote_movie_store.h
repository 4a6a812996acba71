// A RemoteMovieStore is a MovieStore over a channel. See
// clients/cpp/remote_store.h.

#ifndef KINORA_CLIENTS_CPP_REMOTE_MOVIE_STORE_H_
#define KINORA_CLIENTS_CPP_REMOTE_MOVIE_STORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"

#include "common/rpc/unary.h"
#include "kinora/v1/movie.grpc.pb.h"
#include "services/store/movie/movie_store.h"

namespace kinora {

class RemoteMovieStore final : public MovieStore {
 public:
  RemoteMovieStore(const std::shared_ptr<grpc::Channel>& channel,
                   absl::Duration timeout, absl::Duration delete_timeout)
      : stub_(v1::MovieService::NewStub(channel)),
        timeout_(timeout),
        delete_timeout_(delete_timeout) {}

  absl::StatusOr<v1::CreateMovieResponse> Create(
      const v1::CreateMovieRequest& request) override {
    return CallUnary(*stub_, &Stub::CreateMovie, request, timeout_);
  }
  absl::StatusOr<v1::GetMovieResponse> Get(
      const v1::GetMovieRequest& request) override {
    return CallUnary(*stub_, &Stub::GetMovie, request, timeout_);
  }
  absl::StatusOr<v1::ListMoviesResponse> List(
      const v1::ListMoviesRequest& request) override {
    return CallUnary(*stub_, &Stub::ListMovies, request, timeout_);
  }
  absl::StatusOr<v1::SetBlueprintResponse> SetBlueprint(
      const v1::SetBlueprintRequest& request) override {
    return CallUnary(*stub_, &Stub::SetBlueprint, request, timeout_);
  }
  // Takes as long as there is to remove.
  absl::StatusOr<v1::DeleteMovieResponse> Delete(
      const v1::DeleteMovieRequest& request) override {
    return CallUnary(*stub_, &Stub::DeleteMovie, request, delete_timeout_);
  }
  absl::StatusOr<v1::SetMovieQuotaResponse> SetQuota(
      const v1::SetMovieQuotaRequest& request) override {
    return CallUnary(*stub_, &Stub::SetMovieQuota, request, timeout_);
  }

 private:
  using Stub = v1::MovieService::Stub;

  const std::unique_ptr<Stub> stub_;
  const absl::Duration timeout_;
  const absl::Duration delete_timeout_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_REMOTE_MOVIE_STORE_H_
