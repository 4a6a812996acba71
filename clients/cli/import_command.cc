// kinora movie import

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/folder_import.h"
#include "clients/cli/hand_edits.h"
#include "clients/cpp/import/kept_results.h"
#include "clients/cpp/import/movie_import.h"
#include "clients/cpp/import/revision_folder.h"
#include "common/files/file_system.h"
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

// The producers that answer, with their versions as of now; none if the runner
// does not.
std::vector<v1::ProducerIdentity> ReachableProducers(const Invocation& call) {
  std::vector<v1::ProducerIdentity> reachable;
  const absl::StatusOr<v1::ListProducersResponse> listed =
      call.connection.runner().ListProducers(v1::ListProducersRequest());
  if (!listed.ok()) return reachable;
  for (const v1::ListedProducer& producer : listed->producers()) {
    if (producer.reachable()) {
      reachable.push_back(producer.description().identity());
    }
  }
  return reachable;
}

JsonArray ToJson(const std::vector<std::string>& texts) {
  JsonArray json;
  for (const std::string& text : texts) json.emplace_back(text);
  return json;
}

JsonArray ToJson(const std::vector<ResultNotKept>& results) {
  JsonArray not_kept;
  for (const ResultNotKept& result : results) {
    JsonObject json;
    json.Add("artefactId", result.artefact_id);
    json.Add("why", result.why);
    not_kept.emplace_back(std::move(json));
  }
  return not_kept;
}

void PrintDocument(const std::string& movie_id, bool dry_run,
                   const std::vector<ImportedRevision>& revisions,
                   const RevisionFolder& folder, const KeptResults& kept) {
  JsonArray made;
  for (const ImportedRevision& revision : revisions) {
    made.push_back(ToJson(revision));
  }
  JsonObject json;
  json.Add("dryRun", dry_run);
  json.Add("editsNotKept", ToJson(kept.edits_not_kept));
  json.Add("keptArtefacts", ToJson(kept.artefact_ids));
  json.Add("keptEdits", ToJson(kept.edited_ids));
  json.Add("keptRevision", kept.revision);
  json.Add("movieId", movie_id);
  json.Add("notKept", ToJson(kept.not_kept));
  json.Add("revisions", std::move(made));
  json.Add("strayFiles", ToJson(folder.stray));
  json.Add("unusedFiles", ToJson(folder.unused));
  PrintJson(JsonValue(std::move(json)));
}

// What the next plan will do with the results of the latest revision.
void PrintKept(const KeptResults& kept) {
  if (!kept.artefact_ids.empty()) {
    Print(absl::StrCat(
        "kept: ",
        Counted(static_cast<int64_t>(kept.artefact_ids.size()), "artefact"),
        " in ", kept.revision,
        ", not made again until what they are made from changes\n"));
  }
  for (const std::string& id : kept.edited_ids) {
    Print(
        absl::StrCat("kept for the next run: the edit by hand of ", id, "\n"));
  }
  for (const ResultNotKept& edit : kept.edits_not_kept) {
    Print(absl::StrCat("not kept: the edit by hand of ", edit.artefact_id, ": ",
                       edit.why, "\n"));
  }
  for (const ResultNotKept& result : kept.not_kept) {
    Print(
        absl::StrCat("not kept: ", result.artefact_id, ": ", result.why, "\n"));
  }
  if (!kept.not_kept.empty()) {
    Print("what is not kept, the next run makes anew or drops\n");
  }
}

absl::StatusOr<int> ImportNamed(const Invocation& call) {
  return ImportFolder(call, std::string(call.operand(0)),
                      std::string(call.operand(1)), call.args.Has("dry-run"));
}

}  // namespace

absl::StatusOr<int> ImportFolder(const Invocation& call,
                                 const std::string& movie_id,
                                 const std::string& directory, bool dry_run) {
  KINORA_ASSIGN_OR_RETURN(const RevisionFolder folder,
                          ReadRevisionFolder(PosixFileSystem(), directory));
  v1::ValidateBlueprintRequest validate;
  validate.set_file_name(absl::StrCat(directory, "/blueprint.yaml"));
  validate.set_blueprint(folder.blueprint);
  KINORA_RETURN_IF_ERROR(
      call.connection.planner().ValidateBlueprint(validate).status());
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<ImportedRevision> revisions,
      ImportMovie(call.connection.store(), PosixFileSystem(), movie_id, folder,
                  dry_run));
  KeptResults kept;
  if (!dry_run) {
    // What is kept may get another file, and nobody looks at the old one then.
    KINORA_RETURN_IF_ERROR(
        TakeHandEdits(call, movie_id, HandEdits::kRecordIfAny));
    KINORA_ASSIGN_OR_RETURN(
        kept, KeepResults(call.connection.store(), call.connection.planner(),
                          movie_id, ReachableProducers(call)));
  }
  if (call.json) {
    PrintDocument(movie_id, dry_run, revisions, folder, kept);
    return kExitOk;
  }
  for (const ImportedRevision& revision : revisions) Print(Describe(revision));
  for (const std::string& path : folder.unused) {
    Print(absl::StrCat("not imported: ", path, "\n"));
  }
  for (const std::string& path : folder.stray) {
    Print(absl::StrCat("ignored: ", path, "\n"));
  }
  PrintKept(kept);
  if (dry_run) Print("nothing was written\n");
  return kExitOk;
}

std::vector<Command> ImportCommands() {
  return {
      {.words = "movie import",
       .usage = "MOVIE DIR [--dry-run]",
       .help = "makes a movie of an older revision folder",
       .flags = {{"dry-run", "", "check all and tell; write nothing"}},
       .min_operands = 2,
       .max_operands = 2,
       .run = ImportNamed},
  };
}

}  // namespace kinora
