// kinora producers list

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/string_view.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/producer_text.h"
#include "common/clock.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<int> ListProducers(const Invocation& call) {
  v1::ListProducersRequest request;
  for (absl::string_view name : call.args.operands()) {
    request.add_names(std::string(name));
  }
  KINORA_ASSIGN_OR_RETURN(const v1::ListProducersResponse list,
                          call.connection.runner().ListProducers(request));
  for (const std::string& name : request.names()) {
    const bool known = absl::c_any_of(
        list.producers(), [&name](const v1::ListedProducer& producer) {
          return producer.name() == name;
        });
    if (!known) return InvalidField("NAME", name, "the runner has none of it");
  }
  if (call.json) {
    PrintJson(list);
    return kExitOk;
  }
  if (list.has_call_interval()) Print(LimitsText(list));
  for (const v1::ListedProducer& producer : list.producers()) {
    Print(ProducerText(producer, RealClock().Now()));
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> ProducerCommands() {
  return {
      {.words = "producers list",
       .usage = "[NAME ...]",
       .help = "shows producers as the runner stands with them",
       .flags = {},
       .min_operands = 0,
       .max_operands = 100,
       .run = ListProducers},
  };
}

}  // namespace kinora
