#include "services/store/event/log_event_store.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/event/event_validator.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

constexpr int64_t kEventsPerPage = 1000;
constexpr int64_t kBytesPerPage = int64_t{1} << 20;

// The fields of a read that choose among the events of its log.
absl::Status ValidateSelection(const v1::ReadEventsRequest& request) {
  const v1::LogKind kind = request.log().kind();
  if (request.after_sequence() < 0 || request.limit() < 0) {
    const bool after = request.after_sequence() < 0;
    return InvalidField(
        after ? "after_sequence" : "limit",
        absl::StrCat(after ? request.after_sequence() : request.limit()),
        "must not be negative");
  }
  const std::string& since = request.since_revision();
  if (!since.empty()) {
    if (kind == v1::LOG_KIND_LEDGER) {
      return InvalidField("since_revision", since,
                          "must be empty: the events of ledgers have none");
    }
    KINORA_RETURN_IF_ERROR(ValidateRevisionField("since_revision", since));
  }
  const std::string& artefact = request.artefact_id();
  if (artefact.empty()) return absl::OkStatus();
  if (kind != v1::LOG_KIND_ARTEFACTS) {
    return InvalidField("artefact_id", artefact,
                        "must be empty: only the log of artefacts has them");
  }
  return ValidateArtefactId("artefact_id", artefact);
}

}  // namespace

absl::StatusOr<v1::AppendEventsResponse> LogEventStore::Append(
    const v1::AppendEventsRequest& request) {
  v1::AppendEventsRequest own = request;
  return std::move(AppendAll({&own}).front());
}

std::vector<absl::StatusOr<v1::AppendEventsResponse>> LogEventStore::AppendAll(
    absl::Span<v1::AppendEventsRequest* const> requests) {
  std::vector<absl::StatusOr<v1::AppendEventsResponse>> answers =
      appender_.AppendAll(requests);
  for (size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].ok()) ShowText(*requests[i]);
  }
  return answers;
}

absl::StatusOr<int64_t> LogEventStore::InputsUnchangedThrough(
    const v1::AppendEventsRequest& request) {
  const std::string& movie_id = request.log().movie_id();
  const std::string& revision = request.inputs_unchanged_since();
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                          Commits(movie_id));
  const auto commit = std::find_if(
      commits.begin(), commits.end(), [&revision](const EventPtr& event) {
        return event->revision_committed().revision() == revision;
      });
  if (commit == commits.end()) {
    return WithReason(
        absl::NotFoundError(absl::StrCat("movie \"", movie_id,
                                         "\" has no revision ", revision)),
        "REVISION_NOT_FOUND", {{"movie", movie_id}, {"revision", revision}});
  }
  const int64_t through =
      (*commit)->revision_committed().inputs_through_sequence();
  // The end first: what comes after it is seen, or refused by the log.
  KINORA_ASSIGN_OR_RETURN(const LogExtent extent,
                          events_.Extent(LogKeyOf(request.log())));
  for (const v1::Event& event : request.events()) {
    const std::string& id = event.input().input_id();
    KINORA_ASSIGN_OR_RETURN(const EventPtr latest, FindInput(movie_id, id));
    if (latest == nullptr || latest->sequence() <= through) continue;
    const bool by_user = latest->input().edited_by() == v1::EDITED_BY_USER;
    return WithReason(
        absl::AbortedError(absl::StrCat(
            id, " was edited since ", revision, ": by ",
            by_user ? "a user" : "Kinora", " at ",
            absl::FormatTime(absl::RFC3339_sec,
                             absl::FromUnixSeconds(latest->time().seconds()),
                             absl::UTCTimeZone()),
            ", event ", latest->sequence(), " of the inputs")),
        "INPUT_CHANGED",
        {{"field", id}, {"current", absl::StrCat(latest->sequence())}});
  }
  return extent.last_sequence;
}

absl::StatusOr<Revision> LogEventStore::NewestRevisionOf(
    absl::string_view movie_id) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                          Commits(movie_id));
  if (commits.empty()) return Revision();
  const v1::RevisionCommitted& newest = commits.back()->revision_committed();
  NoteLostInputs(movie_id, newest);
  return Revision::Parse(newest.revision());
}

void LogEventStore::NoteLostInputs(absl::string_view movie_id,
                                   const v1::RevisionCommitted& commit) {
  const std::string inputs = InputsLogKey(movie_id);
  const absl::StatusOr<LogExtent> extent = events_.Extent(inputs);
  // A log that tells no extent is known as damaged already.
  if (!extent.ok() ||
      commit.inputs_through_sequence() <= extent->last_sequence) {
    return;
  }
  events_
      .ReportLostEnd(inputs, commit.inputs_through_sequence(),
                     absl::StrCat("the commit of ", commit.revision(),
                                  " in artefacts.log"))
      .IgnoreError();
}

absl::StatusOr<int64_t> LogEventStore::LastCommitOf(
    absl::string_view movie_id) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                          Commits(movie_id));
  return commits.empty() ? 0 : commits.back()->sequence();
}

void LogEventStore::ShowText(const v1::AppendEventsRequest& request) {
  if (request.log().kind() != v1::LOG_KIND_ARTEFACTS) return;
  for (const v1::Event& event : request.events()) {
    if (ReadableFiles::PathOf(event).empty()) continue;
    const absl::StatusOr<std::vector<SkippedReadable>> skipped =
        readable_.BringUp(request.log().movie_id());
    if (!skipped.ok()) {
      LogWarning("readable files are behind their events",
                 {{"movie_id", request.log().movie_id()},
                  {"error", skipped.status()}});
      return;
    }
    for (const SkippedReadable& file : *skipped) {
      LogWarning("a readable file is behind its event",
                 {{"movie_id", request.log().movie_id()},
                  {"path", file.path},
                  {"artefact_id", file.artefact_id},
                  {"error", file.reason}});
    }
    return;
  }
}

absl::StatusOr<LogExtent> LogEventStore::ExtentOf(const v1::LogName& name) {
  KINORA_ASSIGN_OR_RETURN(LogExtent extent, events_.Extent(LogKeyOf(name)));
  if (extent.last_sequence > 0 || name.kind() != v1::LOG_KIND_LEDGER) {
    return extent;
  }
  // A run begins with its record, so an empty ledger may be a young one.
  absl::Status record =
      storage_.Stat(RunRecordKey(name.movie_id(), name.run_id())).status();
  if (absl::IsNotFound(record)) {
    return WithReason(
        absl::NotFoundError(absl::StrCat("movie \"", name.movie_id(),
                                         "\" has no run ", name.run_id())),
        "RUN_NOT_FOUND", {{"run", name.run_id()}});
  }
  KINORA_RETURN_IF_ERROR(record);
  return extent;
}

absl::StatusOr<std::vector<LogRecord>> LogEventStore::RecordsAfter(
    const v1::ReadEventsRequest& request, int64_t limit) {
  const v1::LogName& name = request.log();
  const std::string log = LogKeyOf(name);
  absl::StatusOr<std::vector<LogRecord>> records =
      events_.Read(log, request.after_sequence(), limit, kBytesPerPage);
  if (absl::IsOutOfRange(records.status()) && request.include_kept() &&
      name.kind() != v1::LOG_KIND_LEDGER) {
    LogHistory history(events_, storage_, name.movie_id(), name.kind());
    KINORA_ASSIGN_OR_RETURN(
        LogHistory::Page page,
        history.Read(request.after_sequence(), limit, kBytesPerPage));
    records = std::move(page.records);
  }
  if (absl::IsOutOfRange(records.status())) {
    KINORA_ASSIGN_OR_RETURN(LogExtent extent, events_.Extent(log));
    return WithReason(records.status(), "LOG_TRIMMED",
                      {{"oldest", absl::StrCat(extent.oldest_sequence)}});
  }
  KINORA_RETURN_IF_ERROR(records.status());
  if (records->empty()) {
    KINORA_ASSIGN_OR_RETURN(const LogExtent extent, ExtentOf(name));
    // A bookmark of another life of the log: following it would wait for what
    // it takes for the past.
    if (request.after_sequence() > extent.last_sequence) {
      return WithReason(
          absl::OutOfRangeError(absl::StrCat(
              "after_sequence: ", request.after_sequence(),
              " is past the end, ", extent.last_sequence, ", of ", log)),
          "SEQUENCE_MISMATCH",
          {{"current", absl::StrCat(extent.last_sequence)}});
    }
  }
  return records;
}

absl::StatusOr<v1::ReadEventsResponse> LogEventStore::ReadPage(
    const v1::ReadEventsRequest& request) {
  const v1::LogName& name = request.log();
  KINORA_RETURN_IF_ERROR(ValidateLogName(name));
  KINORA_RETURN_IF_ERROR(movies_.Require(name.movie_id()));
  KINORA_RETURN_IF_ERROR(ValidateSelection(request));
  Revision since;
  if (!request.since_revision().empty()) {
    KINORA_ASSIGN_OR_RETURN(since, Revision::Parse(request.since_revision()));
  }
  const bool indexed = !request.artefact_id().empty();
  int64_t limit = kEventsPerPage;
  if (request.limit() > 0) limit = std::min(limit, request.limit());
  v1::ReadEventsResponse response;
  v1::LogPosition& bookmark = *response.mutable_bookmark();
  bookmark.set_sequence(request.after_sequence());
  const auto take = [&](v1::Event event) -> absl::Status {
    bookmark.set_sequence(event.sequence());
    *bookmark.mutable_time() = event.time();
    if (!since.IsNone()) {
      KINORA_ASSIGN_OR_RETURN(Revision revision,
                              Revision::Parse(event.revision()));
      if (revision <= since) return absl::OkStatus();
    }
    *response.add_events() = std::move(event);
    return absl::OkStatus();
  };
  // For the index one record tells whether the log can be read from there.
  KINORA_ASSIGN_OR_RETURN(const std::vector<LogRecord> records,
                          RecordsAfter(request, indexed ? 1 : limit));
  if (!indexed) {
    const std::string log = LogKeyOf(name);
    for (const LogRecord& record : records) {
      KINORA_ASSIGN_OR_RETURN(v1::Event event,
                              EventFromRecord(log, name.kind(), record));
      KINORA_RETURN_IF_ERROR(take(std::move(event)));
    }
  } else if (!records.empty()) {
    KINORA_ASSIGN_OR_RETURN(
        const IndexedPage page,
        IndexOf(name.movie_id())
            ->Attempts(request.artefact_id(), request.after_sequence(), limit,
                       kBytesPerPage));
    for (const EventPtr& event : page.events) {
      KINORA_RETURN_IF_ERROR(take(*event));
    }
    if (bookmark.sequence() != page.through) bookmark.clear_time();
    bookmark.set_sequence(page.through);
  }
  return response;
}

EventStore::WaiterId LogEventStore::NotifyAfter(
    const v1::LogName& log, int64_t after,
    absl::AnyInvocable<void()> callback) {
  if (!ValidateLogName(log).ok()) {
    callback();  // reading a page tells the caller what is wrong
    return 0;
  }
  return events_.NotifyAfter(LogKeyOf(log), after, std::move(callback));
}

void LogEventStore::CancelNotify(WaiterId id) {
  if (id != 0) events_.CancelNotify(id);
}

absl::StatusOr<std::vector<EventPtr>> LogEventStore::FindArtefacts(
    const v1::ResolveArtefactsRequest& request) {
  KINORA_RETURN_IF_ERROR(movies_.Require(request.movie_id()));
  if (request.queries_size() > kMaxQueriesPerResolve) {
    return InvalidField(
        "queries", absl::StrCat(request.queries_size()),
        absl::StrCat("at most ", kMaxQueriesPerResolve, " in one request"));
  }
  for (int i = 0; i < request.queries_size(); ++i) {
    const v1::ArtefactQuery& query = request.queries(i);
    KINORA_RETURN_IF_ERROR(ValidateArtefactId(
        absl::StrCat("queries[", i, "].artefact_id"), query.artefact_id()));
    const std::string& hash = query.inputs_hash();
    if (hash.empty() && query.failed()) {
      return InvalidField(absl::StrCat("queries[", i, "].inputs_hash"), hash,
                          "a failed attempt is asked for with its hash");
    }
    if (hash.empty() || ValidateHash("inputs_hash", hash).ok()) continue;
    return ValidateHash(absl::StrCat("queries[", i, "].inputs_hash"), hash);
  }
  return IndexOf(request.movie_id())->Resolve(request);
}

absl::StatusOr<v1::ResolveArtefactsResponse> LogEventStore::ResolveArtefacts(
    const v1::ResolveArtefactsRequest& request) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> found,
                          FindArtefacts(request));
  v1::ResolveArtefactsResponse response;
  if (request.with_any_failed()) {
    KINORA_ASSIGN_OR_RETURN(const bool any,
                            IndexOf(request.movie_id())->MayHaveFailures());
    response.set_any_failed(any);
  }
  for (const EventPtr& event : found) {
    v1::ResolvedArtefact* artefact = response.add_artefacts();
    artefact->set_found(event != nullptr);
    if (event != nullptr) *artefact->mutable_event() = *event;
  }
  return response;
}

absl::StatusOr<v1::ListInputsResponse> LogEventStore::ListInputs(
    const v1::ListInputsRequest& request) {
  KINORA_RETURN_IF_ERROR(movies_.Require(request.movie_id()));
  if (request.through_sequence() < 0) {
    return InvalidField("through_sequence",
                        absl::StrCat(request.through_sequence()),
                        "must not be negative");
  }
  const int64_t through = request.through_sequence() == 0
                              ? LogIndex::kEnd
                              : request.through_sequence();
  KINORA_ASSIGN_OR_RETURN(const InputsAt at,
                          IndexOf(request.movie_id())->Inputs(through));
  v1::ListInputsResponse response;
  for (const EventPtr& event : at.inputs) {
    if (!event->input().cleared()) *response.add_inputs() = *event;
  }
  response.set_through_sequence(at.through);
  return response;
}

absl::StatusOr<v1::GetLogStatusResponse> LogEventStore::GetLogStatus(
    const v1::GetLogStatusRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateLogName(request.log()));
  KINORA_RETURN_IF_ERROR(movies_.Require(request.log().movie_id()));
  KINORA_ASSIGN_OR_RETURN(LogExtent extent, ExtentOf(request.log()));
  v1::GetLogStatusResponse response;
  response.set_oldest_sequence(extent.oldest_sequence);
  response.set_last_sequence(extent.last_sequence);
  return response;
}

absl::StatusOr<AppendedRange> LogEventStore::AppendOwn(
    absl::string_view log, v1::Event event,
    std::optional<int64_t> expected_sequence) {
  *event.mutable_time() = ToTimestamp(clock_.Now());
  const std::vector<std::string> bodies = {EventToBody(event, nullptr)};
  return events_.Append(log, bodies, [&](int64_t last) {
    return CheckLastSequence(log, expected_sequence.value_or(last), last);
  });
}

absl::StatusOr<EventPtr> LogEventStore::FindInput(absl::string_view movie_id,
                                                  absl::string_view input_id) {
  return IndexOf(movie_id)->Input(input_id);
}

absl::StatusOr<std::vector<EventPtr>> LogEventStore::InputsThrough(
    absl::string_view movie_id, int64_t through) {
  KINORA_ASSIGN_OR_RETURN(InputsAt at, IndexOf(movie_id)->Inputs(through));
  if (through < 1 || through > at.through) {
    KINORA_ASSIGN_OR_RETURN(const LogExtent extent,
                            events_.Extent(InputsLogKey(movie_id)));
    return InvalidField("inputs_through_sequence", absl::StrCat(through),
                        absl::StrCat("inputs.log of movie \"", movie_id,
                                     "\" holds 1 to ", extent.last_sequence));
  }
  return std::move(at.inputs);
}

absl::StatusOr<std::vector<EventPtr>> LogEventStore::Commits(
    absl::string_view movie_id) {
  return IndexOf(movie_id)->Commits();
}

absl::StatusOr<MovieIndex::Saved> LogEventStore::SaveIndexes(
    absl::string_view movie_id) {
  return IndexOf(movie_id)->Save();
}

std::shared_ptr<MovieIndex> LogEventStore::IndexOf(absl::string_view movie_id) {
  MutexLock lock(mu_);
  std::shared_ptr<MovieIndex>& index = indexes_[movie_id];
  if (index == nullptr) {
    index = std::make_shared<MovieIndex>(events_, storage_, movie_id,
                                         options_.index);
  }
  return index;
}

void LogEventStore::Forget(absl::string_view movie_id) {
  pages_.Clear();
  std::shared_ptr<MovieIndex> index;
  {
    MutexLock lock(mu_);
    const auto found = indexes_.find(movie_id);
    if (found == indexes_.end()) return;
    index = std::move(found->second);
    indexes_.erase(found);
  }
  index->Close();
}

}  // namespace kinora
