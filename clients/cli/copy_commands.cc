// kinora backup | restore

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/output_file.h"
#include "common/file_system.h"
#include "common/ids.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
// In the place of a file: standard input or output.
constexpr absl::string_view kStandardStream = "-";

// The size of the copy.
absl::StatusOr<int64_t> WriteCopy(const Invocation& call,
                                  const v1::BackUpMovieRequest& request,
                                  const std::string& path) {
  KINORA_ASSIGN_OR_RETURN(OutputFile file,
                          OutputFile::Open(path, ExistingFile::kRefuse));
  KINORA_RETURN_IF_ERROR(call.connection.store().maintenance.BackUpMovie(
      request, [&](absl::string_view bytes) { return file.Append(bytes); }));
  KINORA_RETURN_IF_ERROR(file.Finish());
  return file.size();
}

absl::StatusOr<int> BackUpToStandardOutput(
    const Invocation& call, const v1::BackUpMovieRequest& request) {
  if (call.json) {
    return BadUsage(absl::InvalidArgumentError(
        "the copy and --json cannot both go to standard output"));
  }
  if (isatty(STDOUT_FILENO) != 0) {
    return BadUsage(absl::InvalidArgumentError(
        "a copy is an archive: it is not written to a terminal"));
  }
  const absl::Status broken =
      absl::UnavailableError("cannot write to standard output");
  int64_t size = 0;
  KINORA_RETURN_IF_ERROR(call.connection.store().maintenance.BackUpMovie(
      request, [&](absl::string_view bytes) {
        size += static_cast<int64_t>(bytes.size());
        const size_t written =
            std::fwrite(bytes.data(), 1, bytes.size(), stdout);
        return written == bytes.size() ? absl::OkStatus() : broken;
      }));
  if (std::fflush(stdout) != 0) return broken;
  std::fprintf(stderr, "copied %s, %s\n", request.movie_id().c_str(),
               FormatSize(size).c_str());
  return kExitOk;
}

absl::StatusOr<int> BackUp(const Invocation& call) {
  v1::BackUpMovieRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  const std::string path(call.operand(1));
  if (path == kStandardStream) return BackUpToStandardOutput(call, request);
  KINORA_ASSIGN_OR_RETURN(const int64_t size, WriteCopy(call, request, path));
  if (call.json) {
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
  const std::string path(call.operand(0));
  const std::string movie_id(call.operand(1));
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  std::unique_ptr<RandomAccessFile> file;  // null for standard input
  if (path != kStandardStream) {
    KINORA_ASSIGN_OR_RETURN(file, PosixFileSystem().OpenForRead(path));
  }
  uint64_t at = 0;
  KINORA_ASSIGN_OR_RETURN(
      const v1::RestoreMovieResponse response,
      call.connection.store().maintenance.RestoreMovie(
          movie_id, [&]() -> absl::StatusOr<std::string> {
            std::string bytes(kReadBytes, '\0');
            size_t got = 0;
            if (file != nullptr) {
              KINORA_ASSIGN_OR_RETURN(got,
                                      file->ReadAt(at, absl::MakeSpan(bytes)));
            } else {
              got = std::fread(&bytes[0], 1, bytes.size(), stdin);
              if (std::ferror(stdin) != 0) {
                return absl::UnavailableError("cannot read standard input");
              }
            }
            bytes.resize(got);
            at += got;
            return bytes;
          }));
  if (call.json) {
    JsonObject json;
    json.Add("bytes", static_cast<int64_t>(at));
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
