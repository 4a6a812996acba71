#include "clients/cli/producer_versions.h"

#include "common/status.h"

namespace kinora {

absl::Status AddProducerVersions(Connection& connection,
                                 v1::CreatePlanRequest* request) {
  KINORA_ASSIGN_OR_RETURN(
      const v1::ListProducersResponse listed,
      connection.runner().ListProducers(v1::ListProducersRequest()));
  for (const v1::ListedProducer& producer : listed.producers()) {
    if (producer.reachable()) {
      *request->add_producers() = producer.description().identity();
    }
  }
  return absl::OkStatus();
}

}  // namespace kinora
