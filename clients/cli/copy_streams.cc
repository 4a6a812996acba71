#include "clients/cli/copy_streams.h"

#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"

#include "clients/cli/connection.h"
#include "clients/cli/output_file.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;

absl::StatusOr<int64_t> WriteToStandardOutput(
    const Invocation& call, const v1::BackUpMovieRequest& request) {
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
  return size;
}

}  // namespace

absl::Status CheckCopyTarget(const Invocation& call, absl::string_view path) {
  if (path != kStandardStream) return absl::OkStatus();
  if (call.json) {
    return BadUsage(absl::InvalidArgumentError(
        "the copy and --json cannot both go to standard output"));
  }
  if (isatty(STDOUT_FILENO) != 0) {
    return BadUsage(absl::InvalidArgumentError(
        "a copy is an archive: it is not written to a terminal"));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> WriteCopy(const Invocation& call,
                                  const v1::BackUpMovieRequest& request,
                                  const std::string& path) {
  KINORA_RETURN_IF_ERROR(CheckCopyTarget(call, path));
  if (path == kStandardStream) return WriteToStandardOutput(call, request);
  KINORA_ASSIGN_OR_RETURN(OutputFile file,
                          OutputFile::Open(path, ExistingFile::kRefuse));
  KINORA_RETURN_IF_ERROR(call.connection.store().maintenance.BackUpMovie(
      request, [&](absl::string_view bytes) { return file.Append(bytes); }));
  KINORA_RETURN_IF_ERROR(file.Finish());
  return file.size();
}

absl::StatusOr<CopyReader> CopyReader::Open(const std::string& path) {
  if (path == kStandardStream) return CopyReader(nullptr);
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file,
                          PosixFileSystem().OpenForRead(path));
  return CopyReader(std::move(file));
}

absl::StatusOr<std::string> CopyReader::Next() {
  if (!given_back_.empty()) return std::exchange(given_back_, "");
  std::string bytes(kReadBytes, '\0');
  size_t got = 0;
  if (file_ != nullptr) {
    KINORA_ASSIGN_OR_RETURN(got, file_->ReadAt(static_cast<uint64_t>(size_),
                                               absl::MakeSpan(bytes)));
  } else {
    got = std::fread(&bytes[0], 1, bytes.size(), stdin);
    if (std::ferror(stdin) != 0) {
      return absl::UnavailableError("cannot read standard input");
    }
  }
  bytes.resize(got);
  size_ += static_cast<int64_t>(got);
  return bytes;
}

void CopyReader::GiveBack(const std::string& bytes) {
  given_back_ = absl::StrCat(bytes, given_back_);
}

}  // namespace kinora
