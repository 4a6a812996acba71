#include "services/store/checkpoint/log_history.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

// Large enough that a read costs little, small enough to hold in memory.
constexpr int64_t kEventsPerRead = 1000;
constexpr int64_t kBytesPerRead = int64_t{1} << 20;

// What is read around one record.
constexpr int64_t kEventsAround = 64;
constexpr int64_t kBytesAround = int64_t{64} << 10;

}  // namespace

LogHistory::LogHistory(EventLog& log, ObjectStorage& storage,
                       absl::string_view movie_id, v1::LogKind kind)
    : log_(log),
      storage_(storage),
      movie_id_(movie_id),
      kind_(kind),
      key_(kind == v1::LOG_KIND_INPUTS ? InputsLogKey(movie_id)
                                       : ArtefactsLogKey(movie_id)) {}

absl::Status LogHistory::NeedCheckpoint(int64_t through) {
  if (checkpoint_ != nullptr && checkpoint_->info().Through(kind_) >= through) {
    return absl::OkStatus();
  }
  KINORA_ASSIGN_OR_RETURN(checkpoint_,
                          RevisionCheckpoint::OpenNewest(storage_, movie_id_));
  if (checkpoint_ == nullptr) {
    return DataCorrupt(key_, absl::StrCat("the records 1 to ", through,
                                          " are gone, and there is no "
                                          "checkpoint that stands for them"));
  }
  if (checkpoint_->info().Through(kind_) < through) {
    return DataCorrupt(
        key_, absl::StrCat("the records up to ", through, " are gone, and the ",
                           "checkpoint of ", checkpoint_->info().revision,
                           " stands for those up to ",
                           checkpoint_->info().Through(kind_), " only"));
  }
  return absl::OkStatus();
}

absl::StatusOr<LogHistory::Page> LogHistory::Read(int64_t after, int64_t limit,
                                                  int64_t max_bytes) {
  for (;;) {
    absl::StatusOr<std::vector<LogRecord>> records =
        log_.Read(key_, after, limit, max_bytes);
    if (records.ok()) return Page{.records = *std::move(records)};
    if (!absl::IsOutOfRange(records.status())) return records.status();
    KINORA_ASSIGN_OR_RETURN(const LogExtent extent, log_.Extent(key_));
    const int64_t through = extent.oldest_sequence - 1;
    if (through <= after) return records.status();
    KINORA_RETURN_IF_ERROR(NeedCheckpoint(through));
    Page page;
    KINORA_ASSIGN_OR_RETURN(
        page.records,
        checkpoint_->Read(kind_, after, through, limit, max_bytes));
    if (!page.records.empty()) {
      page.checkpoint = checkpoint_->PathOf(kind_);
      return page;
    }
    after = through;
  }
}

const LogRecord* LogHistory::FindRead(int64_t sequence) const {
  for (const std::vector<LogRecord>& records : read_) {
    if (records.empty()) continue;
    const int64_t first = records.front().sequence;
    if (sequence < first || sequence > records.back().sequence) continue;
    return &records[static_cast<size_t>(sequence - first)];
  }
  return nullptr;
}

void LogHistory::ReadAround(int64_t sequence) {
  const int64_t before = (sequence - 1) / kEventsAround * kEventsAround;
  absl::StatusOr<std::vector<LogRecord>> records =
      log_.Read(key_, before, kEventsAround, kBytesAround);
  // Large ones do not all fit.
  if (records.ok() && !records->empty() &&
      records->back().sequence < sequence) {
    records = log_.Read(key_, sequence - 1, kEventsAround, kBytesAround);
  }
  if (!records.ok()) return;
  std::swap(read_[0], read_[1]);
  read_[0] = *std::move(records);
}

absl::StatusOr<std::optional<LogRecord>> LogHistory::At(int64_t sequence) {
  const int64_t distance = sequence - std::exchange(last_at_, sequence);
  const LogRecord* read = FindRead(sequence);
  if (read == nullptr && std::abs(distance) <= kEventsAround) {
    ReadAround(sequence);
    read = FindRead(sequence);
  }
  if (read != nullptr) return *read;
  absl::StatusOr<std::vector<LogRecord>> records =
      log_.Read(key_, sequence - 1, 1, 1);
  if (absl::IsOutOfRange(records.status())) {
    KINORA_RETURN_IF_ERROR(NeedCheckpoint(sequence));
    records = checkpoint_->Read(kind_, sequence - 1, sequence, 1, 1);
    if (records.ok() && records->empty()) return std::nullopt;
  }
  KINORA_RETURN_IF_ERROR(records.status());
  if (records->empty()) {
    return absl::InternalError(
        absl::StrCat(key_, ": there is no record ", sequence));
  }
  return std::move(records->front());
}

absl::Status LogHistory::ForEach(
    int64_t through, int64_t* at,
    absl::FunctionRef<absl::Status(v1::Event)> take) {
  while (through == 0 || *at < through) {
    KINORA_ASSIGN_OR_RETURN(const Page page,
                            Read(*at, kEventsPerRead, kBytesPerRead));
    if (page.records.empty()) return absl::OkStatus();
    for (const LogRecord& record : page.records) {
      if (through != 0 && record.sequence > through) return absl::OkStatus();
      KINORA_ASSIGN_OR_RETURN(v1::Event event,
                              EventFromRecord(key_, kind_, record));
      KINORA_RETURN_IF_ERROR(take(std::move(event)));
      *at = record.sequence;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> LogHistory::KnownFrom() {
  KINORA_ASSIGN_OR_RETURN(const LogExtent extent, log_.Extent(key_));
  if (extent.oldest_sequence <= 1) return 0;
  KINORA_RETURN_IF_ERROR(NeedCheckpoint(extent.oldest_sequence - 1));
  return checkpoint_->info().Through(kind_);
}

}  // namespace kinora
