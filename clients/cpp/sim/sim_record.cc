#include "clients/cpp/sim/sim_record.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/status.h"

namespace kinora {
namespace {

constexpr absl::string_view kStarted = "started ";
constexpr absl::string_view kFinished = "finished ";

}  // namespace

absl::StatusOr<std::unique_ptr<SimRecord>> SimRecord::Open(
    FileSystem& fs, absl::string_view path) {
  auto record = std::make_unique<SimRecord>();
  std::string text;
  KINORA_ASSIGN_OR_RETURN(const bool is_there, Exists(fs, path));
  if (is_there) {
    KINORA_ASSIGN_OR_RETURN(text, ReadFile(fs, path));
  }
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  const absl::string_view torn = lines.back();
  lines.pop_back();
  if (!torn.empty()) {
    KINORA_RETURN_IF_ERROR(fs.Truncate(path, text.size() - torn.size()));
  }
  MutexLock lock(record->mu_);
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::string_view key = lines[i];
    if (absl::ConsumePrefix(&key, kFinished)) {
      record->states_[std::string(key)] = v1::LOOK_UP_STATE_FINISHED;
    } else if (absl::ConsumePrefix(&key, kStarted)) {
      record->states_.emplace(key, v1::LOOK_UP_STATE_RUNNING);
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", i + 1, ": must be `started KEY` or ",
                       "`finished KEY`, got \"", lines[i], "\""));
    }
  }
  KINORA_ASSIGN_OR_RETURN(record->file_,
                          fs.OpenForWrite(path, OpenMode::kAppend));
  return record;
}

absl::Status SimRecord::Started(const std::string& idempotency_key) {
  MutexLock lock(mu_);
  if (!states_.emplace(idempotency_key, v1::LOOK_UP_STATE_RUNNING).second) {
    return absl::OkStatus();
  }
  return Write(kStarted, idempotency_key);
}

absl::Status SimRecord::Finished(const std::string& idempotency_key) {
  MutexLock lock(mu_);
  v1::LookUpState& state = states_[idempotency_key];
  if (state == v1::LOOK_UP_STATE_FINISHED) return absl::OkStatus();
  state = v1::LOOK_UP_STATE_FINISHED;
  return Write(kFinished, idempotency_key);
}

v1::LookUpState SimRecord::StateOf(const std::string& idempotency_key) const {
  MutexLock lock(mu_);
  const auto found = states_.find(idempotency_key);
  return found == states_.end() ? v1::LOOK_UP_STATE_NEVER_STARTED
                                : found->second;
}

absl::Status SimRecord::Write(absl::string_view step,
                              const std::string& idempotency_key) {
  if (file_ == nullptr) return absl::OkStatus();
  return file_->Append(absl::StrCat(step, idempotency_key, "\n"));
}

}  // namespace kinora
