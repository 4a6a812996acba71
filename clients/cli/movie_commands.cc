// kinora movie create | list | show | delete | quota | scan

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "common/files/file_system.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr uint64_t kMaxBlueprintBytes = 1 << 20;

std::string Describe(const v1::Movie& movie) {
  if (!movie.has_blueprint()) {
    return absl::StrFormat("%s  cannot be read: %s\n", movie.movie_id(),
                           movie.problem());
  }
  std::string text = absl::StrFormat(
      "%s  %s  blueprint %s", movie.movie_id(),
      movie.current_revision().empty() ? "no revision"
                                       : movie.current_revision(),
      movie.blueprint().digest().hash().substr(0, 12));
  if (!movie.current_manifest_hash().empty()) {
    absl::StrAppend(&text, "  manifest ",
                    movie.current_manifest_hash().substr(0, 12));
  }
  if (movie.quota().max_blob_bytes() > 0) {
    absl::StrAppend(&text, "  at most ",
                    FormatSize(movie.quota().max_blob_bytes()));
  }
  if (movie.quota().max_revisions() > 0) {
    absl::StrAppend(&text, "  at most ",
                    Counted(movie.quota().max_revisions(), "revision"));
  }
  if (movie.quota().has_max_cost()) {
    absl::StrAppend(&text, "  at most ", FormatCost(movie.quota().max_cost()));
  }
  return absl::StrCat(text, "\n");
}

// The text of a blueprint. The store takes any; only one that can be planned is
// sent.
absl::StatusOr<std::string> ReadBlueprint(const Invocation& call,
                                          const std::string& path) {
  KINORA_ASSIGN_OR_RETURN(
      std::string text, ReadFile(PosixFileSystem(), path, kMaxBlueprintBytes));
  v1::ValidateBlueprintRequest validate;
  validate.set_file_name(path);
  validate.set_blueprint(text);
  KINORA_RETURN_IF_ERROR(
      call.connection.planner().ValidateBlueprint(validate).status());
  return text;
}

absl::StatusOr<int> CreateMovie(const Invocation& call) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(call.operand(0)));
  const std::optional<std::string> path = call.args.Get("blueprint");
  if (!path.has_value()) {
    return InvalidField("--blueprint", "", "FILE is required");
  }
  v1::CreateMovieRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(*request.mutable_blueprint(),
                          ReadBlueprint(call, *path));
  KINORA_ASSIGN_OR_RETURN(const v1::CreateMovieResponse response,
                          call.connection.store().movies.Create(request));
  if (call.json) {
    PrintJson(response.movie());
  } else {
    Print(absl::StrCat("created ", Describe(response.movie())));
  }
  return kExitOk;
}

absl::StatusOr<int> PinBlueprint(const Invocation& call) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(call.operand(0)));
  v1::SetBlueprintRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(*request.mutable_blueprint(),
                          ReadBlueprint(call, std::string(call.operand(1))));
  KINORA_ASSIGN_OR_RETURN(const v1::SetBlueprintResponse response,
                          call.connection.store().movies.SetBlueprint(request));
  if (call.json) {
    PrintJson(response);
  } else {
    Print(absl::StrCat(response.changed() ? "pinned " : "unchanged ",
                       Describe(response.movie())));
  }
  return kExitOk;
}

absl::StatusOr<int> ListMovies(const Invocation& call) {
  v1::ListMoviesRequest request;
  v1::ListMoviesResponse all;
  do {
    KINORA_ASSIGN_OR_RETURN(const v1::ListMoviesResponse page,
                            call.connection.store().movies.List(request));
    all.mutable_movies()->MergeFrom(page.movies());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (call.json) {
    PrintJson(all);
    return kExitOk;
  }
  for (const v1::Movie& movie : all.movies()) Print(Describe(movie));
  return kExitOk;
}

absl::StatusOr<int> ShowMovie(const Invocation& call) {
  v1::GetMovieRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(const v1::GetMovieResponse response,
                          call.connection.store().movies.Get(request));
  if (call.json) {
    PrintJson(response.movie());
  } else {
    Print(Describe(response.movie()));
  }
  return kExitOk;
}

absl::StatusOr<int> DeleteMovie(const Invocation& call) {
  v1::DeleteMovieRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  if (!call.args.Has("yes")) {
    return BadUsage(absl::InvalidArgumentError(
        absl::StrCat("this removes all that movie \"", request.movie_id(),
                     "\" holds, for good: repeat it with --yes")));
  }
  KINORA_RETURN_IF_ERROR(
      call.connection.store().movies.Delete(request).status());
  if (call.json) {
    JsonObject json;
    json.Add("deleted", true);
    json.Add("movieId", request.movie_id());
    PrintJson(JsonValue(std::move(json)));
  } else {
    Print(absl::StrCat("deleted ", request.movie_id(), "\n"));
  }
  return kExitOk;
}

// Without flags it only tells; a limit that is not given stays.
absl::StatusOr<int> SetQuota(const Invocation& call) {
  int64_t max_bytes = 0;
  int64_t max_revisions = 0;
  v1::Cost max_cost;
  const auto bytes = call.args.Get("max-bytes");
  if (bytes.has_value()) {
    KINORA_ASSIGN_OR_RETURN(max_bytes, ParseSize("--max-bytes", *bytes));
  }
  const auto revisions = call.args.Get("max-revisions");
  if (revisions.has_value()) {
    KINORA_ASSIGN_OR_RETURN(max_revisions,
                            ParseCount("--max-revisions", *revisions));
  }
  const auto cost = call.args.Get("max-cost");
  if (cost.has_value()) {
    KINORA_ASSIGN_OR_RETURN(max_cost, ParseCost("--max-cost", *cost));
  }
  v1::GetMovieRequest get;
  get.set_movie_id(std::string(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(v1::GetMovieResponse got,
                          call.connection.store().movies.Get(get));
  v1::Movie movie = std::move(*got.mutable_movie());
  if (bytes.has_value() || revisions.has_value() || cost.has_value()) {
    v1::SetMovieQuotaRequest request;
    request.set_movie_id(movie.movie_id());
    *request.mutable_quota() = movie.quota();
    if (bytes.has_value()) {
      request.mutable_quota()->set_max_blob_bytes(max_bytes);
    }
    if (revisions.has_value()) {
      request.mutable_quota()->set_max_revisions(max_revisions);
    }
    if (cost.has_value()) {
      *request.mutable_quota()->mutable_max_cost() = max_cost;
    }
    KINORA_ASSIGN_OR_RETURN(v1::SetMovieQuotaResponse set,
                            call.connection.store().movies.SetQuota(request));
    movie = std::move(*set.mutable_movie());
  }
  if (call.json) {
    JsonObject json;
    json.Add("maxBlobBytes", movie.quota().max_blob_bytes());
    if (movie.quota().has_max_cost()) {
      json.Add("maxCost", ProtoToJson(movie.quota().max_cost()));
    }
    json.Add("maxRevisions", movie.quota().max_revisions());
    json.Add("movieId", movie.movie_id());
    PrintJson(JsonValue(std::move(json)));
    return kExitOk;
  }
  const auto limit = [](int64_t value, const std::string& text) {
    return value == 0 ? std::string("no limit") : text;
  };
  Print(absl::StrCat(movie.movie_id(), "  bytes of blobs: ",
                     limit(movie.quota().max_blob_bytes(),
                           FormatSize(movie.quota().max_blob_bytes())),
                     "  revisions: ",
                     limit(movie.quota().max_revisions(),
                           absl::StrCat(movie.quota().max_revisions())),
                     "  cost: ",
                     movie.quota().has_max_cost()
                         ? FormatCost(movie.quota().max_cost())
                         : "no limit",
                     "\n"));
  return kExitOk;
}

absl::StatusOr<int> ScanMovie(const Invocation& call) {
  v1::ScanReadableFilesRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_dry_run(call.args.Has("dry-run"));
  KINORA_ASSIGN_OR_RETURN(
      const v1::ScanReadableFilesResponse response,
      call.connection.store().maintenance.ScanReadableFiles(request));
  if (call.json) {
    JsonArray ids;
    for (const std::string& id : response.artefact_ids()) ids.push_back(id);
    JsonObject json;
    json.Add("artefactIds", std::move(ids));
    json.Add("dryRun", request.dry_run());
    json.Add("movieId", request.movie_id());
    JsonArray skipped;
    for (const v1::SkippedReadableFile& file : response.skipped()) {
      skipped.push_back(ProtoToJson(file));
    }
    json.Add("skipped", std::move(skipped));
    PrintJson(JsonValue(std::move(json)));
    return response.skipped().empty() ? kExitOk : kExitFailure;
  }
  Print(absl::StrCat(request.dry_run() ? "would record " : "recorded ",
                     Counted(response.artefact_ids_size(), "edit"),
                     " by hand\n"));
  for (const std::string& id : response.artefact_ids()) {
    Print(absl::StrCat("  ", id, "\n"));
  }
  if (response.skipped().empty()) return kExitOk;
  Print(
      absl::StrCat("skipped ", Counted(response.skipped_size(), "file"), "\n"));
  for (const v1::SkippedReadableFile& file : response.skipped()) {
    Print(absl::StrCat("  ", file.path(), " of ", file.artefact_id(), ": ",
                       file.reason(), "\n"));
  }
  return kExitFailure;
}

}  // namespace

std::vector<Command> MovieCommands() {
  return {
      {.words = "movie create",
       .usage = "MOVIE --blueprint FILE",
       .help = "creates a movie with a blueprint",
       .flags = {{"blueprint", "FILE", "the blueprint, in YAML"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = CreateMovie},
      {.words = "movie blueprint",
       .usage = "MOVIE FILE",
       .help = "pins another blueprint",
       .flags = {},
       .min_operands = 2,
       .max_operands = 2,
       .run = PinBlueprint},
      {.words = "movie list",
       .usage = "",
       .help = "lists movies",
       .flags = {},
       .run = ListMovies},
      {.words = "movie show",
       .usage = "MOVIE",
       .help = "shows a movie",
       .flags = {},
       .min_operands = 1,
       .max_operands = 1,
       .run = ShowMovie},
      {.words = "movie delete",
       .usage = "MOVIE --yes",
       .help = "removes a movie with all it holds",
       .flags = {{"yes", "", "really"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = DeleteMovie},
      {.words = "movie quota",
       .usage =
           "MOVIE [--max-bytes SIZE] [--max-revisions N] [--max-cost AMOUNT]",
       .help = "shows or sets what a movie may hold and cost; 0 for no limit",
       .flags = {{"max-bytes", "SIZE", "of all its blobs, such as 10GiB"},
                 {"max-revisions", "N", "kept; older ones are pruned"},
                 {"max-cost", "AMOUNT", "of all its runs: 'USD 250'"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = SetQuota},
      {.words = "movie scan",
       .usage = "MOVIE [--dry-run]",
       .help = "records readable files that were edited by hand",
       .flags = {{"dry-run", "", "tell what was edited; record nothing"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = ScanMovie},
  };
}

}  // namespace kinora
