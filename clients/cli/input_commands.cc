// kinora input set | list

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/content_text.h"
#include "clients/cli/input_assignments.h"
#include "clients/cpp/input_edits.h"
#include "common/random.h"
#include "common/status.h"

namespace kinora {
namespace {

// Makes a call that the channel repeats after a broken connection count once.
std::string NewKey() { return absl::StrCat("cli-", SystemRandom().Next()); }

absl::StatusOr<int> SetInputs(const Invocation& call) {
  const std::vector<std::string>& operands = call.args.operands();
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::PendingEdit> edits,
                          PrepareEdits(call.connection, call.operand(0),
                                       absl::MakeConstSpan(operands).subspan(1),
                                       FileUpload::kSend));
  KINORA_ASSIGN_OR_RETURN(const v1::AppendEventsResponse appended,
                          AppendInputEdits(call.connection.store(),
                                           call.operand(0), edits, NewKey()));
  if (call.json) {
    PrintJson(appended);
    return kExitOk;
  }
  for (const v1::PendingEdit& edit : edits) {
    Print(absl::StrFormat("%-32s  %s\n", edit.input_id(),
                          DescribeContent(edit.content())));
  }
  return kExitOk;
}

absl::StatusOr<int> ListInputs(const Invocation& call) {
  v1::ListInputsRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(const v1::ListInputsResponse response,
                          call.connection.store().events.ListInputs(request));
  if (call.json) {
    PrintJson(response);
    return kExitOk;
  }
  for (const v1::Event& event : response.inputs()) {
    Print(absl::StrFormat("%-32s  %s\n", event.input().input_id(),
                          DescribeContent(event.input().content())));
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> InputCommands() {
  return {
      {.words = "input set",
       .usage = "MOVIE NAME=JSON | NAME=@FILE | NAME=file:PATH ...",
       .help = "sets inputs: JSON, JSON from a file, or the bytes of a file",
       .flags = {},
       .min_operands = 2,
       .max_operands = 10000,
       .run = SetInputs},
      {.words = "input list",
       .usage = "MOVIE",
       .help = "lists the inputs that are set",
       .flags = {},
       .min_operands = 1,
       .max_operands = 1,
       .run = ListInputs},
  };
}

}  // namespace kinora
