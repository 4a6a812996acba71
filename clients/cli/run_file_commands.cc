// kinora runs export, kinora import

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/copy_streams.h"
#include "clients/cli/folder_import.h"
#include "clients/cli/run_file.h"
#include "common/files/file_system.h"
#include "common/ids.h"
#include "common/status.h"

namespace kinora {
namespace {

// The movie that a run is found in by its id.
absl::StatusOr<std::string> FindRun(const Invocation& call,
                                    const std::string& run_id) {
  v1::GetRunRecordRequest get;
  get.set_run_id(run_id);
  KINORA_ASSIGN_OR_RETURN(const v1::GetRunRecordResponse found,
                          call.connection.store().runs.Get(get));
  return found.record().movie_id();
}

absl::StatusOr<int> ExportRun(const Invocation& call) {
  v1::BackUpMovieRequest request;
  request.set_run_id(std::string(call.operand(0)));
  KINORA_RETURN_IF_ERROR(ValidateRunId(request.run_id()));
  const std::string path = call.args.Get("output").value_or("");
  if (path.empty()) {
    return BadUsage(InvalidField("--output", "", "must name a file, or be -"));
  }
  KINORA_RETURN_IF_ERROR(CheckCopyTarget(call, path));
  request.set_movie_id(call.args.Get("movie").value_or(""));
  if (request.movie_id().empty()) {
    KINORA_ASSIGN_OR_RETURN(*request.mutable_movie_id(),
                            FindRun(call, request.run_id()));
  }
  KINORA_ASSIGN_OR_RETURN(const int64_t size, WriteCopy(call, request, path));
  if (path == kStandardStream) {
    std::fprintf(stderr, "exported %s of %s, %s\n", request.run_id().c_str(),
                 request.movie_id().c_str(), FormatSize(size).c_str());
  } else if (call.json) {
    JsonObject json;
    json.Add("bytes", size);
    json.Add("file", path);
    json.Add("movieId", request.movie_id());
    json.Add("runId", request.run_id());
    PrintJson(JsonValue(std::move(json)));
  } else {
    Print(absl::StrCat("exported ", request.run_id(), " of ",
                       request.movie_id(), " to ", path, ", ", FormatSize(size),
                       "\n"));
  }
  return kExitOk;
}

std::string At(const std::string& revision) {
  return revision.empty() ? "at no revision" : absl::StrCat("at ", revision);
}

JsonObject Described(const std::string& movie_id, const CopyReader& copy,
                     const v1::RestoreMovieResponse& restored) {
  JsonObject json;
  json.Add("bytes", copy.size());
  json.Add("currentRevision", restored.current_revision());
  json.Add("movieId", movie_id);
  json.Add("runId", restored.run_id());
  return json;
}

absl::StatusOr<int> VerifyFile(const Invocation& call,
                               const std::string& movie_id, CopyReader& copy) {
  KINORA_ASSIGN_OR_RETURN(const CheckedRunFile checked,
                          CheckRunFile(movie_id, copy));
  const auto count = static_cast<int64_t>(checked.problems.size());
  if (call.json) {
    JsonArray problems;
    for (const v1::VerifyProblem& problem : checked.problems) {
      JsonObject item;
      item.Add("line", problem.line());
      item.Add("message", problem.message());
      item.Add("path", problem.path());
      problems.emplace_back(std::move(item));
    }
    JsonObject json = Described(movie_id, copy, checked.restored);
    json.Add("checkedObjects", checked.verified.checked_objects());
    json.Add("problems", std::move(problems));
    PrintJson(JsonValue(std::move(json)));
  } else {
    for (const v1::VerifyProblem& problem : checked.problems) {
      Print(absl::StrCat(problem.path(), ": ", problem.message(), "\n"));
    }
    Print(absl::StrCat(checked.restored.run_id(), " of ", movie_id, ", ",
                       At(checked.restored.current_revision()), ": ",
                       count == 0 ? "sound" : Counted(count, "problem"), ", ",
                       Counted(checked.verified.checked_objects(), "object"),
                       ", ", FormatSize(copy.size()),
                       " checked; nothing was written\n"));
  }
  return count == 0 ? kExitOk : kExitFailure;
}

// The movie in whose list the run is already; empty if it is in the new one's.
// Runs are found by their ids in one movie.
absl::StatusOr<std::string> ElsewhereRun(const Invocation& call,
                                         const std::string& run_id,
                                         const std::string& movie_id) {
  v1::GetRunRecordRequest get;
  get.set_run_id(run_id);
  KINORA_ASSIGN_OR_RETURN(const v1::GetRunRecordResponse found,
                          call.connection.store().runs.Get(get));
  return found.record().movie_id() == movie_id ? "" : found.record().movie_id();
}

absl::StatusOr<int> ImportRun(const Invocation& call, const std::string& path) {
  KINORA_ASSIGN_OR_RETURN(CopyReader copy, CopyReader::Open(path));
  KINORA_ASSIGN_OR_RETURN(const CopyHead head, ReadRunFileHead(copy));
  const std::string movie_id = call.args.Get("as").value_or(head.movie_id);
  if (call.args.Has("verify-only")) return VerifyFile(call, movie_id, copy);
  KINORA_ASSIGN_OR_RETURN(const v1::RestoreMovieResponse restored,
                          call.connection.store().maintenance.RestoreMovie(
                              movie_id, [&copy] { return copy.Next(); }));
  KINORA_ASSIGN_OR_RETURN(const std::string elsewhere,
                          ElsewhereRun(call, head.run_id, movie_id));
  if (call.json) {
    JsonObject json = Described(movie_id, copy, restored);
    json.Add("runElsewhere", elsewhere);
    PrintJson(JsonValue(std::move(json)));
    return kExitOk;
  }
  Print(absl::StrCat("imported ", head.run_id, " as ", movie_id, ", ",
                     At(restored.current_revision()), ", ",
                     FormatSize(copy.size()), "\n"));
  if (!elsewhere.empty()) {
    Print(absl::StrCat("note: ", head.run_id, " is known here as a run of ",
                       elsewhere, ", which commands that take a run mean; ",
                       "kinora run ", movie_id, " goes on with this one\n"));
  }
  return kExitOk;
}

absl::StatusOr<int> Import(const Invocation& call) {
  const std::string path(call.operand(0));
  const auto as = call.args.Get("as");
  if (as.has_value()) {
    const absl::Status valid = ValidateMovieId(*as);
    if (!valid.ok()) return BadUsage(Annotate(valid, "--as"));
  }
  if (path == kStandardStream) return ImportRun(call, path);
  KINORA_ASSIGN_OR_RETURN(const FileInfo info, PosixFileSystem().Stat(path));
  if (!info.is_directory) return ImportRun(call, path);
  if (!as.has_value()) {
    return BadUsage(absl::InvalidArgumentError(absl::StrCat(
        "\"", path,
        "\" is a directory; an older revision folder becomes the movie that ",
        "--as names")));
  }
  return ImportFolder(call, *as, path, call.args.Has("verify-only"));
}

}  // namespace

std::vector<Command> RunFileCommands() {
  return {
      {.words = "runs export",
       .usage = "RUN --output FILE|- [--movie MOVIE]",
       .help = "writes a run and all it reaches to one file",
       .flags = {{"output", "FILE", "the file, which must not exist; or -"},
                 {"movie", "MOVIE", "the one that has it, of several copies"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = ExportRun},
      {.words = "import",
       .usage = "FILE|-|DIR [--as MOVIE] [--verify-only]",
       .help = "makes a movie of an exported run, or of a revision folder",
       .flags = {{"as", "MOVIE", "its id; else that of the exported movie"},
                 {"verify-only", "", "check all and tell; ask no server"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = Import},
  };
}

}  // namespace kinora
