#include "services/store/index/log_index.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/job_failure.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/event/event_json.h"
#include "services/store/event/log_line.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

constexpr int64_t kEventsPerRead = 4000;
constexpr int64_t kBytesPerRead = int64_t{1} << 20;

// An event in memory takes some times the bytes of its line.
constexpr size_t kEventBytesPerLineByte = 4;

// What shows that a log was longer.
constexpr absl::string_view kProof = "its index";

// Tables are dropped one after the other; each time there is less to read.
constexpr int kMaxRepairs = 100;

std::string LogKey(absl::string_view movie_id, v1::LogKind kind) {
  return kind == v1::LOG_KIND_INPUTS ? InputsLogKey(movie_id)
                                     : ArtefactsLogKey(movie_id);
}

}  // namespace

std::string ArtefactIndexKey(absl::string_view artefact_id) {
  return absl::StrCat("artefact ", artefact_id);
}

std::string ArtefactIndexKey(absl::string_view artefact_id,
                             absl::string_view inputs_hash) {
  return absl::StrCat("key ", artefact_id, " ", inputs_hash);
}

std::string UnmadeIndexKey(absl::string_view artefact_id) {
  return absl::StrCat("unmade ", artefact_id);
}

std::string FailureIndexKey(absl::string_view artefact_id,
                            absl::string_view inputs_hash) {
  return absl::StrCat("failure ", artefact_id, " ", inputs_hash);
}

std::string InputIndexKey(absl::string_view input_id) {
  return absl::StrCat("input ", input_id);
}

LogIndex::LogIndex(EventLog& events, ObjectStorage& storage,
                   absl::string_view movie_id, v1::LogKind kind,
                   const IndexOptions& options)
    : events_(events),
      storage_(storage),
      movie_id_(movie_id),
      log_(LogKey(movie_id, kind)),
      kind_(kind),
      options_(options),
      history_(events, storage, movie_id, kind),
      index_(storage, IndexPrefix(movie_id),
             kind == v1::LOG_KIND_INPUTS ? "inputs" : "artefacts"),
      cache_(options.cached_event_bytes) {}

absl::Status LogIndex::OpenTables() {
  if (opened_) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(const LogExtent extent, events_.Extent(log_));
  const auto fits = [&](int64_t sequence,
                        absl::string_view crc) -> absl::StatusOr<bool> {
    // Tables are made of what was read, so of what is durable.
    if (sequence > extent.last_sequence) {
      return events_.ReportLostEnd(log_, sequence, kProof);
    }
    if (sequence < extent.oldest_sequence) return true;  // it was trimmed since
    KINORA_ASSIGN_OR_RETURN(const std::vector<LogRecord> record,
                            events_.Read(log_, sequence - 1, 1, 1));
    return !record.empty() && LogLineCrc(record[0].line) == crc;
  };
  const int64_t oldest = std::max<int64_t>(extent.oldest_sequence, 1);
  KINORA_RETURN_IF_ERROR(index_.Open(oldest, fits));
  opened_ = true;
  return absl::OkStatus();
}

absl::Status LogIndex::Refresh() {
  KINORA_RETURN_IF_ERROR(OpenTables());
  absl::Status status;
  for (int i = 0; i < kMaxRepairs; ++i) {
    status = TakeUp();
    if (!absl::IsAborted(status)) return status;
  }
  return status;
}

absl::Status LogIndex::TakeUp() {
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(
        const LogHistory::Page page,
        history_.Read(index_.through(), kEventsPerRead, kBytesPerRead));
    if (page.records.empty()) return absl::OkStatus();
    for (const LogRecord& record : page.records) {
      KINORA_ASSIGN_OR_RETURN(v1::Event event,
                              EventFromRecord(log_, kind_, record));
      auto shared = std::make_shared<const v1::Event>(std::move(event));
      KINORA_RETURN_IF_ERROR(Apply(shared));
      index_.Advance(index_.through() + 1, record.sequence,
                     LogLineCrc(record.line));
      cache_.Add(std::move(shared),
                 record.line.size() * kEventBytesPerLineByte);
    }
    SaveIfDue();
  }
}

absl::Status LogIndex::Apply(const EventPtr& event) {
  const int64_t sequence = event->sequence();
  if (event->has_revision_committed()) {
    index_.Add(IndexHash(kCommitIndexKey), sequence);
  } else if (event->has_input()) {
    const std::string& id = event->input().input_id();
    const std::string key = InputIndexKey(id);
    KINORA_ASSIGN_OR_RETURN(const EventPtr before,
                            Latest(key, kEnd, [&id](const v1::Event& other) {
                              return other.input().input_id() == id;
                            }));
    if (before == nullptr) {
      index_.Add(IndexHash(kFirstEditIndexKey), sequence);
    }
    index_.Add(IndexHash(key), sequence);
  } else if (event->artefact().status() == v1::ARTEFACT_STATUS_SUCCEEDED) {
    const v1::ArtefactEvent& made = event->artefact();
    index_.Add(IndexHash(ArtefactIndexKey(made.artefact_id())), sequence);
    index_.Add(
        IndexHash(ArtefactIndexKey(made.artefact_id(), made.inputs_hash())),
        sequence);
  } else if (event->has_artefact()) {
    const v1::ArtefactEvent& attempt = event->artefact();
    const std::string& id = attempt.artefact_id();
    index_.Add(IndexHash(UnmadeIndexKey(id)), sequence);
    if (IsJobFailure(attempt)) {
      index_.Add(IndexHash(FailureIndexKey(id, attempt.inputs_hash())),
                 sequence);
      index_.Add(IndexHash(kAnyFailureIndexKey), sequence);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<EventPtr> LogIndex::Latest(
    absl::string_view key, int64_t through,
    absl::FunctionRef<bool(const v1::Event& event)> is) {
  EventPtr latest;
  const auto visit = [&](int64_t sequence) -> absl::StatusOr<bool> {
    KINORA_ASSIGN_OR_RETURN(EventPtr event, EventAt(sequence));
    if (event == nullptr || !is(*event)) return true;
    latest = std::move(event);
    return false;
  };
  KINORA_RETURN_IF_ERROR(index_.Visit(IndexHash(key), through, visit));
  return latest;
}

absl::StatusOr<bool> LogIndex::MayHold(absl::string_view key) {
  bool any = false;
  const auto visit = [&any](int64_t) -> absl::StatusOr<bool> {
    any = true;
    return false;
  };
  KINORA_RETURN_IF_ERROR(index_.Visit(IndexHash(key), kEnd, visit));
  return any;
}

absl::StatusOr<std::vector<EventPtr>> LogIndex::All(
    absl::string_view key, int64_t through,
    absl::FunctionRef<bool(const v1::Event& event)> is) {
  std::vector<EventPtr> all;
  const auto visit = [&](int64_t sequence) -> absl::StatusOr<bool> {
    KINORA_ASSIGN_OR_RETURN(EventPtr event, EventAt(sequence));
    if (event != nullptr && is(*event)) all.push_back(std::move(event));
    return true;
  };
  KINORA_RETURN_IF_ERROR(index_.Visit(IndexHash(key), through, visit));
  std::reverse(all.begin(), all.end());
  return all;
}

absl::StatusOr<IndexedPage> LogIndex::After(
    absl::Span<const std::string> keys, int64_t after, int64_t limit,
    int64_t max_bytes, absl::FunctionRef<bool(const v1::Event& event)> is) {
  std::vector<int64_t> sequences;
  const auto visit = [&](int64_t sequence) -> absl::StatusOr<bool> {
    if (sequence <= after) return false;
    sequences.push_back(sequence);
    return true;
  };
  for (const std::string& key : keys) {
    KINORA_RETURN_IF_ERROR(index_.Visit(IndexHash(key), kEnd, visit));
  }
  std::sort(sequences.begin(), sequences.end());
  KINORA_ASSIGN_OR_RETURN(const LogExtent extent, events_.Extent(log_));
  // Neither the cache nor history_ hears of what goes at a later checkpoint.
  LogHistory now(events_, storage_, movie_id_, kind_);
  IndexedPage page;
  page.through = std::max(after, through());
  int64_t bytes = 0;
  for (const int64_t sequence : sequences) {
    KINORA_ASSIGN_OR_RETURN(EventPtr event, sequence < extent.oldest_sequence
                                                ? ReadEvent(now, sequence)
                                                : EventAt(sequence));
    if (event == nullptr || !is(*event)) continue;
    bytes += static_cast<int64_t>(event->ByteSizeLong());
    page.events.push_back(std::move(event));
    if (static_cast<int64_t>(page.events.size()) >= limit ||
        bytes >= max_bytes) {
      page.through = sequence;
      break;
    }
  }
  return page;
}

absl::StatusOr<EventPtr> LogIndex::EventAt(int64_t sequence) {
  EventPtr known = cache_.Find(sequence);
  if (known != nullptr) return known;
  return ReadEvent(history_, sequence);
}

absl::StatusOr<EventPtr> LogIndex::ReadEvent(LogHistory& history,
                                             int64_t sequence) {
  KINORA_ASSIGN_OR_RETURN(const std::optional<LogRecord> record,
                          history.At(sequence));
  if (!record.has_value()) return nullptr;
  KINORA_ASSIGN_OR_RETURN(v1::Event event,
                          EventFromRecord(log_, kind_, *record));
  auto shared = std::make_shared<const v1::Event>(std::move(event));
  cache_.Add(shared, record->line.size() * kEventBytesPerLineByte);
  return shared;
}

void LogIndex::SaveIfDue() {
  const int64_t from = std::max(index_.saved_through(), save_from_);
  if (index_.through() - from < options_.save_events) return;
  // If that fails nothing is lost: the log is there. An aborted one says that
  // there is more to take up, which the caller will see.
  const absl::Status saved = SaveTables();
  if (saved.ok()) return;
  save_from_ = index_.through();
  LogWarning("the index of a log is not saved",
             {{"log", log_}, {"error", saved}});
}

absl::Status LogIndex::Save() {
  const absl::Status saved = SaveTables();
  if (!absl::IsAborted(saved)) return saved;
  KINORA_RETURN_IF_ERROR(Refresh());
  return SaveTables();
}

absl::Status LogIndex::SaveTables() {
  KINORA_RETURN_IF_ERROR(events_.Checkpoint(log_));
  return index_.Save();
}

}  // namespace kinora
