// kinora take list | reroll | choose

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/content_text.h"
#include "clients/cli/input_assignments.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<v1::ListTakesResponse> FetchTakes(const Invocation& call) {
  v1::ListTakesRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_artefact_id(std::string(call.operand(1)));
  return call.connection.planner().ListTakes(request);
}

void PrintTake(const v1::Take& take, bool is_chosen) {
  Print(absl::StrFormat(
      "%c take %-3d %-10s %s  %s%s%s\n", is_chosen ? '*' : ' ', take.draw(),
      take.revision(),
      absl::FormatTime("%Y-%m-%d %H:%M:%S",
                       absl::FromUnixSeconds(take.time().seconds()),
                       absl::LocalTimeZone()),
      take.has_content() ? DescribeContent(take.content()) : "failed",
      take.has_cost() ? absl::StrCat("  ", FormatCost(take.cost())) : "",
      take.is_current() ? "  (in the current revision)" : ""));
}

absl::StatusOr<int> ListTakes(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(const v1::ListTakesResponse takes, FetchTakes(call));
  if (call.json) {
    PrintJson(takes);
    return kExitOk;
  }
  bool listed = false;
  for (const v1::Take& take : takes.takes()) {
    PrintTake(take, take.draw() == takes.chosen_draw());
    listed = listed || take.draw() == takes.chosen_draw();
  }
  if (!listed) {
    Print(absl::StrFormat("* take %-3d not made yet\n", takes.chosen_draw()));
  }
  return kExitOk;
}

// Chooses a draw by an event of the take input.
absl::StatusOr<int> SetDraw(const Invocation& call,
                            const v1::ListTakesResponse& takes, uint32_t draw) {
  const std::string assignment = absl::StrCat(takes.take_input_id(), "=", draw);
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<v1::PendingEdit> edits,
      PrepareEdits(call.connection, call.operand(0),
                   absl::MakeConstSpan(&assignment, 1), FileUpload::kSend));
  KINORA_ASSIGN_OR_RETURN(const v1::AppendEventsResponse appended,
                          ApplyEdits(call.connection, call.operand(0), edits));
  if (call.json) {
    PrintJson(appended);
  } else {
    Print(absl::StrCat(assignment, "\n"));
  }
  return kExitOk;
}

absl::StatusOr<int> Reroll(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(const v1::ListTakesResponse takes, FetchTakes(call));
  if (takes.takes().empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        call.operand(1), " was not made yet: run ", call.operand(0), " first"));
  }
  return SetDraw(call, takes, takes.next_draw());
}

absl::StatusOr<int> Choose(const Invocation& call) {
  uint32_t draw = 0;
  if (!absl::SimpleAtoi(call.operand(2), &draw)) {
    return InvalidField("N", call.operand(2), "must be the number of a take");
  }
  KINORA_ASSIGN_OR_RETURN(const v1::ListTakesResponse takes, FetchTakes(call));
  std::vector<std::string> known;
  for (const v1::Take& take : takes.takes()) {
    if (take.draw() == draw) return SetDraw(call, takes, draw);
    known.push_back(absl::StrCat(take.draw()));
  }
  return InvalidField("N", call.operand(2),
                      known.empty()
                          ? std::string("there is no take yet")
                          : absl::StrCat("there is no such take; there are ",
                                         absl::StrJoin(known, ", ")));
}

}  // namespace

std::vector<Command> TakeCommands() {
  return {
      {.words = "take list",
       .usage = "MOVIE ARTEFACT",
       .help = "lists the takes of an artefact; * is the one chosen",
       .flags = {},
       .min_operands = 2,
       .max_operands = 2,
       .run = ListTakes},
      {.words = "take reroll",
       .usage = "MOVIE ARTEFACT",
       .help = "asks for another take; the next run makes it",
       .flags = {},
       .min_operands = 2,
       .max_operands = 2,
       .run = Reroll},
      {.words = "take choose",
       .usage = "MOVIE ARTEFACT N",
       .help = "goes back to a take that was made; the next run takes it over",
       .flags = {},
       .min_operands = 3,
       .max_operands = 3,
       .run = Choose},
  };
}

}  // namespace kinora
