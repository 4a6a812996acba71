#include "clients/cli/run_file.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/threads/thread_pool.h"
#include "services/store/backup/copy_layout.h"
#include "services/store/backup/tar_reader.h"
#include "services/store/local_store.h"

namespace kinora {
namespace {

// A head names its run and its movie, and no more.
constexpr int64_t kMaxHeadBytes = int64_t{1} << 20;

// The bytes of the first member; what was read for them is appended to `read`.
absl::StatusOr<std::string> FirstMember(CopyReader& copy, std::string* read) {
  const auto next = [&]() -> absl::StatusOr<std::string> {
    KINORA_ASSIGN_OR_RETURN(std::string bytes, copy.Next());
    absl::StrAppend(read, bytes);
    return bytes;
  };
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<TarReader> tar,
                          TarReader::Start(next));
  KINORA_ASSIGN_OR_RETURN(const std::optional<TarReader::Member> member,
                          tar->Next());
  if (!member.has_value() || member->path != kHeadMember ||
      member->size_bytes > kMaxHeadBytes) {
    return CopyDamaged("",
                       absl::StrCat("it does not begin with ", kHeadMember));
  }
  std::string bytes;
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(const absl::string_view piece, tar->Read());
    if (piece.empty()) return bytes;
    absl::StrAppend(&bytes, piece);
  }
}

// A TemporaryDirectory is removed with all that is in it.
class TemporaryDirectory {
 public:
  static absl::StatusOr<TemporaryDirectory> Make() {
    std::error_code error;
    const std::filesystem::path parent =
        std::filesystem::temp_directory_path(error);
    if (error) {
      return absl::FailedPreconditionError(
          absl::StrCat("no directory for temporary files: ", error.message()));
    }
    std::string path = (parent / "kinora-import-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot make a directory in \"", parent.string(), "\""));
    }
    return TemporaryDirectory(std::move(path));
  }
  ~TemporaryDirectory() {
    if (path_.empty()) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(TemporaryDirectory&& other) noexcept
      : path_(std::exchange(other.path_, "")) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace

absl::StatusOr<CopyHead> ReadRunFileHead(CopyReader& copy) {
  std::string read;
  const absl::StatusOr<std::string> first = FirstMember(copy, &read);
  copy.GiveBack(read);
  KINORA_RETURN_IF_ERROR(first.status());
  KINORA_ASSIGN_OR_RETURN(CopyHead head, ParseCopyHead(*first));
  if (!head.run_id.empty()) return head;
  return absl::InvalidArgumentError(
      absl::StrCat("the file is a copy of the whole movie \"", head.movie_id,
                   "\", not of one run: kinora restore FILE MOVIE takes it"));
}

absl::StatusOr<CheckedRunFile> CheckRunFile(const std::string& movie_id,
                                            CopyReader& copy) {
  KINORA_ASSIGN_OR_RETURN(const TemporaryDirectory directory,
                          TemporaryDirectory::Make());
  // What this store would log of the file is what is told of it.
  SetLogLevel(LogLevel::kOff);
  ThreadPool pool("import", 2);
  LocalStoreOptions options;
  options.data_dir = directory.path();
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<LocalStore> local,
                          LocalStore::Open(options, PosixFileSystem(),
                                           RealClock(), SystemRandom(), pool));
  CheckedRunFile checked;
  KINORA_ASSIGN_OR_RETURN(checked.restored,
                          local->store().maintenance.RestoreMovie(
                              movie_id, [&copy] { return copy.Next(); }));
  v1::VerifyMovieRequest verify;
  verify.set_movie_id(movie_id);
  KINORA_RETURN_IF_ERROR(local->store().maintenance.VerifyMovie(
      verify, [&checked](const v1::VerifyMovieResponse& response) {
        checked.problems.insert(checked.problems.end(),
                                response.problems().begin(),
                                response.problems().end());
        checked.verified = response;
        return absl::OkStatus();
      }));
  return checked;
}

}  // namespace kinora
