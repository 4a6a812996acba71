// kinora input set | list | history | undo

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/content_text.h"
#include "clients/cli/input_assignments.h"
#include "clients/cpp/input_edits.h"
#include "clients/cpp/input_history.h"
#include "common/element_id.h"
#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<int> SetInputs(const Invocation& call) {
  const std::vector<std::string>& operands = call.args.operands();
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::PendingEdit> edits,
                          PrepareEdits(call.connection, call.operand(0),
                                       absl::MakeConstSpan(operands).subspan(1),
                                       FileUpload::kSend));
  KINORA_ASSIGN_OR_RETURN(const v1::AppendEventsResponse appended,
                          ApplyEdits(call.connection, call.operand(0), edits,
                                     call.args.Get("expect").value_or("")));
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

// The id of an input in its full form.
absl::StatusOr<std::string> InputIdOf(absl::string_view text) {
  KINORA_ASSIGN_OR_RETURN(const ElementId id,
                          ElementId::Parse(text, ElementId::Kind::kInput));
  if (id.kind != ElementId::Kind::kInput) {
    return InvalidField("input", text, "names an artefact, not an input");
  }
  return id.ToString();
}

std::string DescribeEdit(const v1::Event& event) {
  const v1::InputEvent& input = event.input();
  std::string text = absl::StrFormat(
      "%4d  %s  %s  %-6s  %-32s  %s", event.sequence(),
      absl::FormatTime("%Y-%m-%d %H:%M:%S",
                       absl::FromUnixSeconds(event.time().seconds()),
                       absl::UTCTimeZone()),
      event.revision(),
      input.edited_by() == v1::EDITED_BY_USER ? "user" : "kinora",
      input.input_id(),
      input.cleared() ? "not set any more" : DescribeContent(input.content()));
  if (input.restored_sequence() != 0 && !input.cleared()) {
    absl::StrAppend(&text, "  (back to ", input.restored_sequence(), ")");
  }
  return absl::StrCat(text, "\n");
}

absl::StatusOr<int> ShowHistory(const Invocation& call) {
  std::string id;
  if (call.args.operands().size() > 1) {
    KINORA_ASSIGN_OR_RETURN(id, InputIdOf(call.operand(1)));
  }
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<v1::Event> history,
      ReadInputHistory(call.connection.store(), call.operand(0), id));
  if (history.empty() && !id.empty()) {
    KINORA_ASSIGN_OR_RETURN(
        const std::string why,
        NeverSet(call.connection.store(), call.operand(0), id));
    std::fprintf(stderr, "kinora: %s\n", why.c_str());
  }
  JsonArray events;
  for (const v1::Event& event : history) {
    if (call.json) {
      events.push_back(ProtoToJson(event));
    } else {
      Print(DescribeEdit(event));
    }
  }
  if (call.json) {
    JsonObject json;
    json.Add("events", std::move(events));
    json.Add("movieId", call.operand(0));
    PrintJson(JsonValue(std::move(json)));
  }
  return kExitOk;
}

absl::StatusOr<int> Undo(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(const std::string id, InputIdOf(call.operand(1)));
  std::optional<int64_t> to;
  if (const auto flag = call.args.Get("to"); flag.has_value()) {
    KINORA_ASSIGN_OR_RETURN(to, ParseCount("--to", *flag));
  }
  KINORA_ASSIGN_OR_RETURN(
      const v1::Event event,
      UndoInput(call.connection.store(), call.operand(0), id, to));
  if (call.json) {
    PrintJson(event);
    return kExitOk;
  }
  Print(absl::StrFormat("%-32s  %s\n", id,
                        event.input().cleared()
                            ? "not set any more"
                            : DescribeContent(event.input().content())));
  return kExitOk;
}

}  // namespace

std::vector<Command> InputCommands() {
  return {
      {.words = "input set",
       .usage = "MOVIE NAME=JSON | NAME=@FILE | NAME=file:PATH ... "
                "[--expect REV]",
       .help = "sets inputs: JSON, JSON from a file, or the bytes of a file",
       .flags = {{"expect", "REV",
                  "only if nobody edited these inputs since this revision"}},
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
      {.words = "input history",
       .usage = "MOVIE [INPUT]",
       .help = "lists the edits of an input, or of all, oldest first",
       .flags = {},
       .min_operands = 1,
       .max_operands = 2,
       .run = ShowHistory},
      {.words = "input undo",
       .usage = "MOVIE INPUT [--to SEQUENCE]",
       .help = "takes the last edit of an input back",
       .flags = {{"to", "SEQUENCE",
                  "go back to what this edit of the history set"}},
       .min_operands = 2,
       .max_operands = 2,
       .run = Undo},
  };
}

}  // namespace kinora
