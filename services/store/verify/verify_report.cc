#include "services/store/verify/verify_report.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

// Objects between two messages without a problem.
constexpr int64_t kObjectsPerReport = 1000;

}  // namespace

absl::Status VerifyReport::Problem(absl::string_view path, int64_t line,
                                   absl::string_view message) {
  ++problems_;
  if (foreign_.contains(path)) return absl::OkStatus();
  return Tell(path, line, message);
}

absl::Status VerifyReport::Foreign(absl::string_view key,
                                   absl::string_view message) {
  const std::string path = Below(key);
  foreign_.insert(path);
  return Tell(path, 0, message);
}

absl::Status VerifyReport::Tell(absl::string_view path, int64_t line,
                                absl::string_view message) {
  v1::VerifyProblem* problem = pending_.add_problems();
  problem->set_path(std::string(path));
  problem->set_line(line);
  problem->set_message(std::string(message));
  return Flush();
}

absl::Status VerifyReport::Damage(absl::string_view key,
                                  const absl::Status& status) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(status.message(), absl::MaxSplits(": ", 1));
  if (!parts.second.empty() &&
      absl::StartsWith(parts.first, MoviePrefix(movie_id_))) {
    return Problem(Below(parts.first), 0, parts.second);
  }
  return Problem(Below(key), 0, status.message());
}

absl::Status VerifyReport::GoOn(absl::string_view key,
                                const absl::Status& ended_by) {
  if (ended_by.ok()) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(reported_);
  const absl::Status movie = catalog_.Load(movie_id_).status();
  if (absl::IsNotFound(movie)) return movie;
  // Several checks may stumble over the same.
  if (!told_.insert(std::string(ended_by.message())).second) {
    return absl::OkStatus();
  }
  return Damage(key, ended_by);
}

absl::Status VerifyReport::Checked(int64_t bytes) {
  bytes_ += bytes;
  return ++objects_ % kObjectsPerReport == 0 ? Flush() : absl::OkStatus();
}

void VerifyReport::Count(int64_t objects, int64_t bytes) {
  objects_ += objects;
  bytes_ += bytes;
}

void VerifyReport::Rebuildable(const std::string& revision) {
  if (oldest_rebuildable_.empty()) oldest_rebuildable_ = revision;
}

absl::Status VerifyReport::Finish() {
  pending_.set_oldest_rebuildable_revision(oldest_rebuildable_);
  return Flush();
}

std::string VerifyReport::Below(absl::string_view key) const {
  return std::string(absl::StripPrefix(key, MoviePrefix(movie_id_)));
}

absl::Status VerifyReport::Flush() {
  pending_.set_checked_objects(objects_);
  pending_.set_checked_bytes(bytes_);
  reported_ = report_(pending_);
  pending_.Clear();
  return reported_;
}

}  // namespace kinora
