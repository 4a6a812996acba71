// kinora take list | reroll | choose

#include <cstdint>
#include <map>
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
#include "clients/cpp/artefact_edits.h"
#include "common/element_id.h"
#include "common/json/json.h"
#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<v1::ListTakesResponse> FetchTakes(const Invocation& call) {
  v1::ListTakesRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_artefact_id(std::string(call.operand(1)));
  return call.connection.planner().ListTakes(request);
}

// By draw: what was made, where an edit by hand has taken its place.
using MadeByDraw = std::map<uint32_t, int64_t>;

// The event of the value that an edit stands for, which holds `take`; 0 if the
// take is no edit.
int64_t FindMade(const v1::Take& take, const std::vector<v1::Event>& history) {
  bool is_edit = false;
  int64_t made = 0;
  for (const v1::Event& event : history) {
    const v1::ArtefactEvent& attempt = event.artefact();
    const bool by_hand =
        attempt.produced_by().edited_by() == v1::EDITED_BY_USER;
    if (event.sequence() == take.sequence()) is_edit = by_hand;
    if (!by_hand && attempt.reused_sequence() == 0 &&
        attempt.status() == v1::ARTEFACT_STATUS_SUCCEEDED &&
        attempt.inputs_hash() == take.inputs_hash()) {
      made = event.sequence();
    }
  }
  return is_edit ? made : 0;
}

absl::StatusOr<MadeByDraw> FindEdited(const Invocation& call,
                                      const v1::ListTakesResponse& takes) {
  MadeByDraw edited;
  if (takes.takes().empty()) return edited;  // of what is not made yet
  KINORA_ASSIGN_OR_RETURN(
      const ElementId id,
      ElementId::Parse(call.operand(1), ElementId::Kind::kArtefact));
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<v1::Event> history,
      ReadArtefactHistory(call.connection.store(), std::string(call.operand(0)),
                          id.ToString()));
  for (const v1::Take& take : takes.takes()) {
    const int64_t made = FindMade(take, history);
    if (made != 0) edited[take.draw()] = made;
  }
  return edited;
}

// The answer with `editedBy` and `madeSequence` for takes that were edited.
JsonValue TakesJson(const v1::ListTakesResponse& takes,
                    const MadeByDraw& edited) {
  JsonValue json = ProtoToJson(takes);
  JsonValue* list = json.object().Find("takes");
  for (int i = 0; i < takes.takes_size(); ++i) {
    const auto made = edited.find(takes.takes(i).draw());
    if (made == edited.end()) continue;
    JsonObject& take = list->array()[i].object();
    take.Set("editedBy", "user");
    take.Set("madeSequence", made->second);
  }
  return json;
}

void PrintTake(const v1::Take& take, bool is_chosen, bool is_edited) {
  Print(absl::StrFormat(
      "%c take %-3d %-10s %s  %s%s%s%s\n", is_chosen ? '*' : ' ', take.draw(),
      take.revision(),
      absl::FormatTime("%Y-%m-%d %H:%M:%S",
                       absl::FromUnixSeconds(take.time().seconds()),
                       absl::LocalTimeZone()),
      take.has_content() ? DescribeContent(take.content()) : "failed",
      take.has_cost() ? absl::StrCat("  ", FormatCost(take.cost())) : "",
      is_edited ? "  (by hand)" : "",
      take.is_current() ? "  (in the current revision)" : ""));
}

absl::StatusOr<int> ListTakes(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(const v1::ListTakesResponse takes, FetchTakes(call));
  KINORA_ASSIGN_OR_RETURN(const MadeByDraw edited, FindEdited(call, takes));
  if (call.json) {
    PrintJson(TakesJson(takes, edited));
    return kExitOk;
  }
  bool listed = false;
  for (const v1::Take& take : takes.takes()) {
    PrintTake(take, take.draw() == takes.chosen_draw(),
              edited.count(take.draw()) != 0);
    listed = listed || take.draw() == takes.chosen_draw();
  }
  if (!listed) {
    Print(absl::StrFormat("* take %-3d not made yet\n", takes.chosen_draw()));
  }
  for (const auto& [draw, made] : edited) {
    Print(absl::StrFormat(
        "take %d is an edit by hand; while the current revision holds it,\n"
        "  kinora artefact restore %s '%s' --to %d\nbrings back what was "
        "made\n",
        draw, call.operand(0), call.operand(1), made));
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
    return BadUsage(InvalidField("N", call.operand(2),
                                 "must be the number of a take, 0 or more"));
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
