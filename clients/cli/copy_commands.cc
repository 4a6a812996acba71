// kinora backup | restore

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/copy_streams.h"
#include "common/ids.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<int> BackUp(const Invocation& call) {
  v1::BackUpMovieRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  const std::string path(call.operand(1));
  KINORA_ASSIGN_OR_RETURN(const int64_t size, WriteCopy(call, request, path));
  if (path == kStandardStream) {
    std::fprintf(stderr, "copied %s, %s\n", request.movie_id().c_str(),
                 FormatSize(size).c_str());
  } else if (call.json) {
    JsonObject json;
    json.Add("bytes", size);
    json.Add("file", path);
    json.Add("movieId", request.movie_id());
    PrintJson(JsonValue(std::move(json)));
  } else {
    Print(absl::StrCat("copied ", request.movie_id(), " to ", path, ", ",
                       FormatSize(size), "\n"));
  }
  return kExitOk;
}

absl::StatusOr<int> Restore(const Invocation& call) {
  const std::string movie_id(call.operand(1));
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  KINORA_ASSIGN_OR_RETURN(CopyReader copy,
                          CopyReader::Open(std::string(call.operand(0))));
  KINORA_ASSIGN_OR_RETURN(const v1::RestoreMovieResponse response,
                          call.connection.store().maintenance.RestoreMovie(
                              movie_id, [&copy] { return copy.Next(); }));
  if (call.json) {
    JsonObject json;
    json.Add("bytes", copy.size());
    json.Add("currentRevision", response.current_revision());
    json.Add("movieId", movie_id);
    PrintJson(JsonValue(std::move(json)));
  } else {
    Print(absl::StrCat("restored ", movie_id, " at ",
                       response.current_revision().empty()
                           ? "no revision"
                           : response.current_revision(),
                       "\n"));
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> CopyCommands() {
  return {
      {.words = "backup",
       .usage = "MOVIE FILE|-",
       .help = "writes a consistent copy of a movie that may be in use",
       .flags = {},
       .min_operands = 2,
       .max_operands = 2,
       .run = BackUp},
      {.words = "restore",
       .usage = "FILE|- MOVIE",
       .help = "makes a new movie from such a copy",
       .flags = {},
       .min_operands = 2,
       .max_operands = 2,
       .run = Restore},
  };
}

}  // namespace kinora
