// kinora server info

#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<int> ShowServer(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(const v1::GetServerInfoResponse info,
                          call.connection.GetServerInfo());
  if (call.json) {
    PrintJson(info);
    return kExitOk;
  }
  Print(absl::StrCat("kinora ", info.version(), ", storage ",
                     info.storage_driver(), "\n"));
  Print(info.read_only_reason().empty()
            ? "takes writes\n"
            : absl::StrCat("takes no writes: ", info.read_only_reason(), "\n"));
  return kExitOk;
}

}  // namespace

std::vector<Command> ServerCommands() {
  return {{.words = "server info",
           .usage = "",
           .help = "shows the store's build, and why it takes no writes",
           .flags = {},
           .run = ShowServer}};
}

}  // namespace kinora
