#include "clients/cli/producer_versions.h"

#include <string>

#include "common/status.h"

namespace kinora {
namespace {

// Asks for the producers of the movie's blueprint alone: another one of the
// table that hangs is not waited for.
absl::StatusOr<v1::ListProducersRequest> ProducersOf(
    Connection& connection, const std::string& movie_id) {
  v1::GetMovieRequest get;
  get.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const v1::GetMovieResponse found,
                          connection.store().movies.Get(get));
  v1::ReadBlobRequest read;
  read.set_movie_id(movie_id);
  *read.mutable_digest() = found.movie().blueprint().digest();
  v1::ValidateBlueprintRequest validate;
  KINORA_RETURN_IF_ERROR(
      connection.store().blobs.Read(read, [&validate](absl::string_view bytes) {
        validate.mutable_blueprint()->append(bytes.data(), bytes.size());
        return absl::OkStatus();
      }));
  KINORA_ASSIGN_OR_RETURN(const v1::ValidateBlueprintResponse valid,
                          connection.planner().ValidateBlueprint(validate));
  v1::ListProducersRequest request;
  *request.mutable_names() = valid.producers();
  return request;
}

}  // namespace

absl::StatusOr<bool> AddProducerVersions(Connection& connection,
                                         v1::CreatePlanRequest* request) {
  bool all_answered = true;
  // Where that cannot be told from here all are asked; what is wrong with the
  // movie its plan says.
  const absl::StatusOr<v1::ListProducersRequest> wanted =
      ProducersOf(connection, request->movie_id());
  KINORA_ASSIGN_OR_RETURN(
      const v1::ListProducersResponse listed,
      connection.runner().ListProducers(
          wanted.ok() ? *wanted : v1::ListProducersRequest()));
  for (const v1::ListedProducer& producer : listed.producers()) {
    all_answered = all_answered && producer.reachable();
    if (producer.reachable()) {
      *request->add_producers() = producer.description().identity();
    }
  }
  return all_answered;
}

}  // namespace kinora
