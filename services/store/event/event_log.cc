#include "services/store/event/event_log.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/store/event/log_line.h"
#include "services/store/object/object_storage.h"

namespace kinora {
namespace {

constexpr absl::string_view kLogSuffix = ".log";

// Far above what an event may hold, far below what a journal segment's length
// fields and a replay's memory bear.
constexpr size_t kMaxAppendBytes = 64 << 20;

// The key up to and with its last slash.
absl::string_view DirectoryOf(absl::string_view key) {
  return key.substr(0, key.rfind('/') + 1);
}

absl::Status CheckPositive(absl::string_view field, int64_t value) {
  if (value > 0) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(value), "must be positive");
}

std::string ButAcknowledged(int64_t acknowledged, absl::string_view proof) {
  return absl::StrCat(", but ", acknowledged, " was acknowledged, as ",
                      proof.substr(proof.rfind('/') + 1), " shows");
}

}  // namespace

void EventLog::AppendAll(absl::Span<AppendCall> calls) {
  for (AppendCall& call : calls) {
    call.result = Append(call.log, call.bodies, call.admit);
  }
}

absl::Status EventLog::ReportLostEnd(absl::string_view log,
                                     int64_t acknowledged,
                                     absl::string_view proof) {
  KINORA_ASSIGN_OR_RETURN(const LogExtent extent, Extent(log));
  return WithReason(EndLost(log, extent.last_sequence, acknowledged, proof),
                    "DATA_CORRUPT", {{"log", std::string(log)}});
}

absl::Status ValidateLogKey(absl::string_view log) {
  absl::string_view stem = log.substr(DirectoryOf(log).size());
  // A dot in the stem would make archives of "x.y.log" look like those of
  // "y.log".
  if (!ValidateObjectKey(log).ok() || DirectoryOf(log).empty() ||
      !absl::ConsumeSuffix(&stem, kLogSuffix) || stem.empty() ||
      absl::StrContains(stem, '.')) {
    return InvalidField("log", log,
                        "must be an object key <directory>/<stem>.log, "
                        "without a dot in the stem");
  }
  return absl::OkStatus();
}

absl::Status ValidateAppend(absl::string_view log,
                            absl::Span<const std::string> bodies) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  if (bodies.empty()) return InvalidField("bodies", "", "must not be empty");
  size_t bytes = 0;
  for (const std::string& body : bodies) {
    KINORA_RETURN_IF_ERROR(ValidateLogBody(body));
    bytes += body.size();
  }
  if (bytes > kMaxAppendBytes) {
    return InvalidField("bodies", absl::StrCat(bytes, " bytes"),
                        "must not exceed 64 MiB in one append");
  }
  return absl::OkStatus();
}

absl::Status ValidateRead(absl::string_view log, int64_t after, int64_t limit,
                          int64_t max_bytes) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  if (after < 0) {
    return InvalidField("after", absl::StrCat(after), "is negative");
  }
  KINORA_RETURN_IF_ERROR(CheckPositive("limit", limit));
  return CheckPositive("max_bytes", max_bytes);
}

absl::Status ValidateArchive(absl::string_view log, absl::string_view archive) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  const absl::string_view directory = DirectoryOf(log);
  const std::string suffix = ArchiveSuffix(log);
  if (!ValidateObjectKey(archive).ok() || DirectoryOf(archive) != directory ||
      !absl::EndsWith(archive, suffix) ||
      archive.size() == directory.size() + suffix.size()) {
    return InvalidField(
        "archive", archive,
        absl::StrCat("must be \"", directory, "<name>", suffix, "\""));
  }
  return absl::OkStatus();
}

absl::Status ValidateRestore(absl::string_view log, int64_t first_sequence,
                             absl::Span<const std::string> bodies) {
  KINORA_RETURN_IF_ERROR(CheckPositive("first_sequence", first_sequence));
  return ValidateAppend(log, bodies);
}

std::string ArchiveSuffix(absl::string_view log) {
  absl::string_view stem = log.substr(DirectoryOf(log).size());
  stem.remove_suffix(kLogSuffix.size());
  return absl::StrCat(".", stem, ".jsonl");
}

absl::Status RecordRemoved(absl::string_view log, int64_t wanted,
                           int64_t oldest) {
  return absl::OutOfRangeError(
      absl::StrCat("log \"", log, "\": record ", wanted,
                   " has been removed; the oldest is ", oldest));
}

std::string RecordsMissing(int64_t first, int64_t last,
                           absl::string_view file_before,
                           absl::string_view file_after) {
  const auto name = [](absl::string_view file) {
    return file.substr(file.rfind('/') + 1);
  };
  return absl::StrCat("the records ", first, " to ", last,
                      " are missing: they belong between ", name(file_before),
                      " and ", name(file_after));
}

absl::Status EndLost(absl::string_view file, int64_t last, int64_t acknowledged,
                     absl::string_view proof) {
  return absl::DataLossError(
      absl::StrCat(file, ": it ends with record ", last,
                   ButAcknowledged(acknowledged, proof)));
}

absl::Status FileLost(absl::string_view file, int64_t due, int64_t acknowledged,
                      absl::string_view proof) {
  return absl::DataLossError(
      absl::StrCat(file, ": it is missing, where record ", due, " is due",
                   ButAcknowledged(acknowledged, proof)));
}

absl::Status LogExists(absl::string_view log, int64_t last_sequence) {
  return absl::AlreadyExistsError(absl::StrCat(
      "log \"", log, "\" has records already, up to ", last_sequence));
}

}  // namespace kinora
