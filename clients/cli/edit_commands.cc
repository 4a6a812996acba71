// kinora artefact set | restore | history, kinora revert

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/content_text.h"
#include "clients/cpp/artefact_edits.h"
#include "common/digest.h"
#include "common/element_id.h"
#include "common/files/file_system.h"
#include "common/json/canonical_json.h"
#include "common/json/proto_json.h"
#include "common/random.h"
#include "common/status.h"
#include "common/utf8.h"

namespace kinora {
namespace {

constexpr absl::string_view kJson = "application/json";
// Read in one piece.
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

absl::StatusOr<std::string> ArtefactIdOf(absl::string_view text) {
  KINORA_ASSIGN_OR_RETURN(const ElementId id,
                          ElementId::Parse(text, ElementId::Kind::kArtefact));
  if (id.kind != ElementId::Kind::kArtefact) {
    return InvalidField("artefact", text, "names an input, not an artefact");
  }
  return id.ToString();
}

// Each call holds the lease by itself.
std::string NewHolder() {
  return absl::StrCat("kinora-edit-", SystemRandom().Next());
}

// The bytes of a value given as `file:PATH`, `@FILE` or JSON, as an artefact of
// that media type has them.
absl::StatusOr<std::string> BytesOf(absl::string_view value,
                                    const std::string& mime_type) {
  if (absl::ConsumePrefix(&value, "file:")) {
    KINORA_ASSIGN_OR_RETURN(std::string bytes,
                            ReadFile(PosixFileSystem(), value, kMaxFileBytes));
    if (absl::StartsWith(mime_type, "text/") && !IsValidUtf8(bytes)) {
      return InvalidField("value", value, "must be UTF-8 text");
    }
    if (mime_type != kJson) return bytes;
    absl::StatusOr<JsonValue> json = ParseJson(bytes, {.exact_integers = true});
    if (!json.ok())
      return InvalidField("value", value, json.status().message());
    return CanonicalJson(*json);
  }
  std::string text(value);
  if (absl::ConsumePrefix(&value, "@")) {
    KINORA_ASSIGN_OR_RETURN(text,
                            ReadFile(PosixFileSystem(), value, kMaxFileBytes));
  }
  absl::StatusOr<JsonValue> json = ParseJson(text, {.exact_integers = true});
  if (absl::IsOutOfRange(json.status())) {
    return InvalidField("value", text, json.status().message());
  }
  if (!json.ok()) {
    return InvalidField("value", text,
                        absl::StrCat("is not JSON (text needs quotes within "
                                     "the value): ",
                                     json.status().message()));
  }
  if (mime_type == kJson) return CanonicalJson(*json);
  if (absl::StartsWith(mime_type, "text/") && json->is_string()) {
    return json->string_value();
  }
  return InvalidField("value", text,
                      absl::StrCat("the artefact is of type ", mime_type,
                                   ": give its bytes as file:PATH"));
}

// The events of an artefact, in the one form that JSON has for them.
void PrintEvents(const Invocation& call, const std::string& artefact_id,
                 const std::vector<v1::Event>& events) {
  JsonArray list;
  for (const v1::Event& event : events) list.push_back(ProtoToJson(event));
  JsonObject json;
  json.Add("artefactId", artefact_id);
  json.Add("events", std::move(list));
  json.Add("movieId", call.operand(0));
  PrintJson(JsonValue(std::move(json)));
}

// The artefact first, then those of its leaves that changed with it.
int PrintEdits(const Invocation& call, const std::string& artefact_id,
               const std::vector<v1::Event>& events) {
  if (call.json) {
    PrintEvents(call, artefact_id, events);
    return kExitOk;
  }
  for (const v1::Event& event : events) {
    Print(absl::StrFormat("%-44s  %s\n", event.artefact().artefact_id(),
                          DescribeContent(event.artefact().output())));
  }
  return kExitOk;
}

ArtefactEditor EditorOf(const Invocation& call) {
  return ArtefactEditor(call.connection.store(), call.connection.planner(),
                        std::string(call.operand(0)), NewHolder());
}

absl::StatusOr<int> SetArtefact(const Invocation& call) {
  const absl::string_view word = call.operand(1);
  // The first `=` outside of brackets.
  size_t equals = 0;
  for (bool inside = false; equals < word.size(); ++equals) {
    if (word[equals] == '[') inside = true;
    if (word[equals] == ']') inside = false;
    if (word[equals] == '=' && !inside) break;
  }
  if (equals == 0 || equals == word.size()) {
    return BadUsage(InvalidField("artefact", word,
                                 "expected ID=file:PATH, ID=JSON or ID=@FILE"));
  }
  KINORA_ASSIGN_OR_RETURN(const std::string id,
                          ArtefactIdOf(word.substr(0, equals)));
  const absl::string_view value = word.substr(equals + 1);
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<v1::Event> events,
      EditorOf(call).Replace(
          id,
          [&value](
              const std::string& mime_type) -> absl::StatusOr<v1::Content> {
            KINORA_ASSIGN_OR_RETURN(std::string bytes,
                                    BytesOf(value, mime_type));
            v1::Content content;
            v1::InlineValue& inline_value = *content.mutable_inline_();
            inline_value.set_mime_type(mime_type);
            inline_value.set_hash(Sha256Of(bytes).Hex());
            inline_value.set_data(std::move(bytes));
            return content;
          }));
  return PrintEdits(call, id, events);
}

absl::StatusOr<int> Restore(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(const std::string id, ArtefactIdOf(call.operand(1)));
  std::optional<int64_t> to;
  if (const auto flag = call.args.Get("to"); flag.has_value()) {
    KINORA_ASSIGN_OR_RETURN(to, ParseCount("--to", *flag));
  }
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::Event> events,
                          EditorOf(call).Restore(id, to));
  return PrintEdits(call, id, events);
}

std::string DescribeAttempt(const v1::Event& event) {
  const v1::ArtefactEvent& attempt = event.artefact();
  const v1::ProducedBy& by = attempt.produced_by();
  std::string text = absl::StrFormat(
      "%4d  %s  %s  %-30s  %s", event.sequence(),
      absl::FormatTime("%Y-%m-%d %H:%M:%S",
                       absl::FromUnixSeconds(event.time().seconds()),
                       absl::UTCTimeZone()),
      event.revision(),
      by.edited_by() == v1::EDITED_BY_USER && by.run_id().empty() ? "by hand"
                                                                  : by.run_id(),
      attempt.has_output() ? DescribeContent(attempt.output())
                           : attempt.failure().message());
  if (attempt.reused_sequence() != 0) {
    absl::StrAppend(&text, "  (reuses ", attempt.reused_sequence(), ")");
  }
  return absl::StrCat(text, "\n");
}

absl::StatusOr<int> ShowHistory(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(const std::string id, ArtefactIdOf(call.operand(1)));
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<v1::Event> history,
      ReadArtefactHistory(call.connection.store(), std::string(call.operand(0)),
                          id));
  if (call.json) {
    PrintEvents(call, id, history);
    return kExitOk;
  }
  for (const v1::Event& event : history) Print(DescribeAttempt(event));
  return kExitOk;
}

absl::StatusOr<int> Revert(const Invocation& call) {
  v1::RevertRevisionRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_revision(std::string(call.operand(1)));
  KINORA_ASSIGN_OR_RETURN(const v1::RevertRevisionResponse response,
                          call.connection.store().manifests.Revert(request));
  if (call.json) {
    PrintJson(response);
    return kExitOk;
  }
  for (const std::string& id : response.input_ids()) {
    Print(absl::StrCat("  ", id, "\n"));
  }
  if (!response.published()) {
    Print(absl::StrFormat(
        "%s is as %s: %s set back, %s restored; nothing to publish\n",
        response.current().revision(), request.revision(),
        Counted(response.input_ids_size(), "input"),
        Counted(response.restored_artefacts(), "artefact")));
    return kExitOk;
  }
  Print(absl::StrFormat(
      "%s is as %s: %s set back, %s restored, %d removed; manifest %s\n",
      response.current().revision(), request.revision(),
      Counted(response.input_ids_size(), "input"),
      Counted(response.restored_artefacts(), "artefact"),
      response.removed_artefacts(), response.current().hash().substr(0, 12)));
  return kExitOk;
}

}  // namespace

std::vector<Command> EditCommands() {
  return {
      {.words = "artefact set",
       .usage = "MOVIE ID=file:PATH | ID=JSON | ID=@FILE",
       .help = "replaces an artefact, and its leaves, by hand",
       .flags = {},
       .min_operands = 2,
       .max_operands = 2,
       .run = SetArtefact},
      {.words = "artefact restore",
       .usage = "MOVIE ID [--to SEQUENCE]",
       .help = "brings back what an artefact, and its leaves, had before",
       .flags = {{"to", "SEQUENCE", "the value of this event of its history"}},
       .min_operands = 2,
       .max_operands = 2,
       .run = Restore},
      {.words = "artefact history",
       .usage = "MOVIE ID",
       .help = "lists the attempts and edits of an artefact, oldest first",
       .flags = {},
       .min_operands = 2,
       .max_operands = 2,
       .run = ShowHistory},
      {.words = "revert",
       .usage = "MOVIE REV",
       .help = "publishes a revision equal to an earlier one; runs nothing",
       .flags = {},
       .min_operands = 2,
       .max_operands = 2,
       .run = Revert},
  };
}

}  // namespace kinora
