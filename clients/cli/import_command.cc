// kinora movie import

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cpp/import/movie_import.h"
#include "clients/cpp/import/revision_folder.h"
#include "common/file_system.h"
#include "common/status.h"

namespace kinora {
namespace {

JsonValue ToJson(const ImportedRevision& revision) {
  JsonObject json;
  json.Add("artefacts", revision.artefacts);
  json.Add("bytes", revision.bytes);
  json.Add("folderRevision", revision.folder_revision);
  json.Add("inputs", revision.inputs);
  json.Add("manifestHash", revision.hash);
  json.Add("removed", revision.removed);
  json.Add("revision", revision.revision);
  json.Add("wasThere", revision.was_there);
  return JsonValue(std::move(json));
}

std::string Describe(const ImportedRevision& revision) {
  if (revision.was_there) {
    return absl::StrCat(revision.folder_revision, " is ", revision.revision,
                        " already\n");
  }
  return absl::StrCat(
      revision.folder_revision, " becomes ", revision.revision, ": ",
      Counted(revision.inputs, "input"), ", ",
      Counted(revision.artefacts, "artefact"), ", ", FormatSize(revision.bytes),
      revision.removed == 0 ? ""
                            : absl::StrCat(", ", revision.removed, " gone"),
      "\n");
}

absl::StatusOr<int> ImportFolder(const Invocation& call) {
  const std::string movie_id(call.operand(0));
  const bool dry_run = call.args.Has("dry-run");
  KINORA_ASSIGN_OR_RETURN(
      const RevisionFolder folder,
      ReadRevisionFolder(PosixFileSystem(), call.operand(1)));
  v1::ValidateBlueprintRequest validate;
  validate.set_file_name(absl::StrCat(call.operand(1), "/blueprint.yaml"));
  validate.set_blueprint(folder.blueprint);
  KINORA_RETURN_IF_ERROR(
      call.connection.planner().ValidateBlueprint(validate).status());
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<ImportedRevision> revisions,
      ImportMovie(call.connection.store(), PosixFileSystem(), movie_id, folder,
                  dry_run));
  if (call.json) {
    JsonArray made;
    for (const ImportedRevision& revision : revisions) {
      made.push_back(ToJson(revision));
    }
    JsonArray unused;
    for (const std::string& path : folder.unused) unused.emplace_back(path);
    JsonObject json;
    json.Add("dryRun", dry_run);
    json.Add("movieId", movie_id);
    json.Add("revisions", std::move(made));
    json.Add("unusedFiles", std::move(unused));
    PrintJson(JsonValue(std::move(json)));
    return kExitOk;
  }
  for (const ImportedRevision& revision : revisions) Print(Describe(revision));
  for (const std::string& path : folder.unused) {
    Print(absl::StrCat("not imported: ", path, "\n"));
  }
  if (dry_run) Print("nothing was written\n");
  return kExitOk;
}

}  // namespace

std::vector<Command> ImportCommands() {
  return {
      {.words = "movie import",
       .usage = "MOVIE DIR [--dry-run]",
       .help = "makes a movie of an older revision folder",
       .flags = {{"dry-run", "", "check all and tell; write nothing"}},
       .min_operands = 2,
       .max_operands = 2,
       .run = ImportFolder},
  };
}

}  // namespace kinora
