// kinora verify | checkpoint | prune | stats

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<std::vector<std::string>> AllMovies(const Invocation& call) {
  std::vector<std::string> ids;
  v1::ListMoviesRequest request;
  do {
    KINORA_ASSIGN_OR_RETURN(const v1::ListMoviesResponse page,
                            call.connection.store().movies.List(request));
    for (const v1::Movie& movie : page.movies()) {
      ids.push_back(movie.movie_id());
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return ids;
}

JsonValue ToJson(const v1::VerifyProblem& problem) {
  JsonObject json;
  json.Add("line", problem.line());
  json.Add("message", problem.message());
  json.Add("path", problem.path());
  return JsonValue(std::move(json));
}

// Verifies one movie and says so; adds to `movies` for JSON. Returns how many
// problems there are. That it cannot be verified is one, unless it is `alone`.
absl::StatusOr<size_t> VerifyOne(const Invocation& call,
                                 const std::string& movie_id, bool alone,
                                 JsonArray* movies) {
  v1::VerifyMovieRequest request;
  request.set_movie_id(movie_id);
  JsonArray problems;
  v1::VerifyMovieResponse last;
  const absl::Status ended = call.connection.store().maintenance.VerifyMovie(
      request, [&](const v1::VerifyMovieResponse& response) {
        for (const v1::VerifyProblem& problem : response.problems()) {
          problems.push_back(ToJson(problem));
          if (call.json) continue;
          const std::string line =
              problem.line() == 0 ? "" : absl::StrCat(":", problem.line());
          Print(absl::StrCat(movie_id, ": ", problem.path(), line, ": ",
                             problem.message(), "\n"));
        }
        last = response;
        return absl::OkStatus();
      });
  if (!ended.ok()) {
    // Of several movies the others are verified all the same.
    if (alone || absl::IsUnavailable(ended)) return ended;
    v1::VerifyProblem problem;
    problem.set_message(absl::StrCat("cannot be verified: ", ended.message()));
    problems.push_back(ToJson(problem));
    if (!call.json) {
      Print(absl::StrCat(movie_id, ": ", problem.message(), "\n"));
    }
  }
  const size_t count = problems.size();
  if (!call.json) {
    Print(absl::StrCat(
        movie_id, ": ",
        count == 0 ? "sound" : Counted(static_cast<int64_t>(count), "problem"),
        ", ", Counted(last.checked_objects(), "object"), ", ",
        FormatSize(last.checked_bytes()), " checked",
        last.oldest_rebuildable_revision().empty()
            ? ""
            : absl::StrCat(", rebuildable from ",
                           last.oldest_rebuildable_revision()),
        "\n"));
  }
  JsonObject json;
  json.Add("checkedBytes", last.checked_bytes());
  json.Add("checkedObjects", last.checked_objects());
  json.Add("movieId", movie_id);
  json.Add("oldestRebuildableRevision", last.oldest_rebuildable_revision());
  json.Add("problems", std::move(problems));
  movies->push_back(JsonValue(std::move(json)));
  return count;
}

// What belongs to no movie and should not be there.
absl::StatusOr<JsonArray> VerifyTheRest(const Invocation& call) {
  JsonArray problems;
  KINORA_RETURN_IF_ERROR(call.connection.store().maintenance.VerifyMovie(
      v1::VerifyMovieRequest(), [&](const v1::VerifyMovieResponse& response) {
        for (const v1::VerifyProblem& problem : response.problems()) {
          problems.push_back(ToJson(problem));
          if (call.json) continue;
          Print(absl::StrCat(problem.path(), ": ", problem.message(), "\n"));
        }
        return absl::OkStatus();
      }));
  return problems;
}

absl::StatusOr<int> Verify(const Invocation& call) {
  std::vector<std::string> ids(call.args.operands());
  const bool whole_store = ids.empty();
  if (whole_store) {
    KINORA_ASSIGN_OR_RETURN(ids, AllMovies(call));
  }
  JsonArray movies;
  size_t problems = 0;
  for (const std::string& movie_id : ids) {
    KINORA_ASSIGN_OR_RETURN(
        const size_t found,
        VerifyOne(call, movie_id, ids.size() == 1, &movies));
    problems += found;
  }
  JsonArray others;
  if (whole_store) {
    KINORA_ASSIGN_OR_RETURN(others, VerifyTheRest(call));
    problems += others.size();
  }
  if (call.json) {
    JsonObject json;
    json.Add("movies", std::move(movies));
    if (whole_store) json.Add("problems", std::move(others));
    PrintJson(JsonValue(std::move(json)));
  }
  return problems == 0 ? kExitOk : kExitFailure;
}

absl::StatusOr<int> Checkpoint(const Invocation& call) {
  v1::CheckpointMovieRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_remove_covered_logs(call.args.Has("remove-covered-logs"));
  KINORA_ASSIGN_OR_RETURN(
      const v1::CheckpointMovieResponse response,
      call.connection.store().maintenance.CheckpointMovie(request));
  if (call.json) {
    PrintJson(response);
    return kExitOk;
  }
  Print(absl::StrCat("covers ", Counted(response.covered_events(), "event"),
                     response.revision().empty()
                         ? ""
                         : absl::StrCat(" up to ", response.revision()),
                     "\n"));
  for (const std::string& path : response.removed_logs()) {
    Print(absl::StrCat("removed ", path, "\n"));
  }
  return kExitOk;
}

absl::StatusOr<int> Prune(const Invocation& call) {
  v1::PruneMovieRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_dry_run(call.args.Has("dry-run"));
  const auto limit = [&](absl::string_view flag,
                         int64_t* value) -> absl::Status {
    const auto text = call.args.Get(flag);
    if (!text.has_value()) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(*value,
                            ParseCount(absl::StrCat("--", flag), *text));
    return absl::OkStatus();
  };
  int64_t revisions = 0;
  int64_t runs = 0;
  int64_t takes = 0;
  KINORA_RETURN_IF_ERROR(limit("keep-revisions", &revisions));
  KINORA_RETURN_IF_ERROR(limit("keep-runs", &runs));
  KINORA_RETURN_IF_ERROR(limit("keep-takes", &takes));
  if (revisions == 0 && runs == 0 && takes == 0) {
    return BadUsage(absl::InvalidArgumentError(
        "say what to keep: --keep-revisions, --keep-runs or --keep-takes"));
  }
  request.set_keep_revisions(revisions);
  request.set_keep_runs(runs);
  request.set_keep_takes(takes);
  KINORA_ASSIGN_OR_RETURN(
      const v1::PruneMovieResponse response,
      call.connection.store().maintenance.PruneMovie(request));
  if (call.json) {
    PrintJson(response);
    return kExitOk;
  }
  Print(absl::StrCat(request.dry_run() ? "would prune " : "pruned ",
                     Counted(response.revisions_size(), "revision"), ", ",
                     Counted(response.run_ids_size(), "run"), ", ",
                     Counted(response.takes(), "take"), "\n"));
  for (const std::string& revision : response.revisions()) {
    Print(absl::StrCat("  ", revision, "\n"));
  }
  for (const std::string& run_id : response.run_ids()) {
    Print(absl::StrCat("  ", run_id, "\n"));
  }
  if (!request.dry_run()) Print("kinora gc frees the bytes\n");
  return kExitOk;
}

absl::StatusOr<int> Statistics(const Invocation& call) {
  v1::GetStatisticsRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(
      const v1::GetStatisticsResponse response,
      call.connection.store().maintenance.GetStatistics(request));
  if (call.json) {
    PrintJson(response);
    return kExitOk;
  }
  Print(absl::StrCat(Counted(response.blobs(), "blob"), ", ",
                     FormatSize(response.blob_bytes()), "\n",
                     Counted(response.events(), "event"), "\n",
                     Counted(response.revisions(), "revision"), "\n",
                     Counted(response.runs(), "run"), "\n"));
  for (const v1::ProducerStatistics& producer : response.producers()) {
    Print(absl::StrFormat(
        "  %-24s %d succeeded, %d failed, %d retries, %d reused, %d s\n",
        producer.producer(), producer.succeeded(), producer.failed(),
        producer.retries(), producer.reused(), producer.duration().seconds()));
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> UpkeepCommands() {
  return {
      {.words = "verify",
       .usage = "[MOVIE]",
       .help = "checks every hash, line and reference; fails on problems",
       .flags = {},
       .max_operands = 1,
       .run = Verify},
      {.words = "checkpoint",
       .usage = "MOVIE [--remove-covered-logs]",
       .help = "makes opening a movie not replay its past",
       .flags = {{"remove-covered-logs", "",
                  "remove archived logs that checkpoint and manifests cover"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = Checkpoint},
      {.words = "prune",
       .usage = "MOVIE [--keep-revisions N] [--keep-runs N] [--keep-takes N]",
       .help = "drops old revisions, runs and takes; gc then frees the bytes",
       .flags = {{"keep-revisions", "N", "the newest revisions to keep"},
                 {"keep-runs", "N", "the newest runs to keep"},
                 {"keep-takes", "N", "results to keep of each artefact"},
                 {"dry-run", "", "tell what would go; remove nothing"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = Prune},
      {.words = "stats",
       .usage = "MOVIE",
       .help = "shows what a movie holds and what its producers did",
       .flags = {},
       .min_operands = 1,
       .max_operands = 1,
       .run = Statistics},
  };
}

}  // namespace kinora
