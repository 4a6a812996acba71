// kinora movie create | list | show

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "common/file_system.h"
#include "common/ids.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr uint64_t kMaxBlueprintBytes = 1 << 20;

std::string Describe(const v1::Movie& movie) {
  std::string text = absl::StrFormat(
      "%s  %s  blueprint %s", movie.movie_id(),
      movie.current_revision().empty() ? "no revision"
                                       : movie.current_revision(),
      movie.blueprint().digest().hash().substr(0, 12));
  if (!movie.current_manifest_hash().empty()) {
    absl::StrAppend(&text, "  manifest ",
                    movie.current_manifest_hash().substr(0, 12));
  }
  return absl::StrCat(text, "\n");
}

absl::StatusOr<int> CreateMovie(const Invocation& call) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(call.operand(0)));
  const std::optional<std::string> path = call.args.Get("blueprint");
  if (!path.has_value()) {
    return absl::InvalidArgumentError("--blueprint FILE is required");
  }
  KINORA_ASSIGN_OR_RETURN(
      const std::string text,
      ReadFile(PosixFileSystem(), *path, kMaxBlueprintBytes));
  // The store takes any text; only a blueprint that can be planned is sent.
  v1::ValidateBlueprintRequest validate;
  validate.set_file_name(*path);
  validate.set_blueprint(text);
  KINORA_RETURN_IF_ERROR(
      call.connection.planner().ValidateBlueprint(validate).status());
  v1::CreateMovieRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_blueprint(text);
  KINORA_ASSIGN_OR_RETURN(const v1::CreateMovieResponse response,
                          call.connection.store().movies.Create(request));
  if (call.json) {
    PrintJson(response.movie());
  } else {
    Print(absl::StrCat("created ", Describe(response.movie())));
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
  };
}

}  // namespace kinora
