#include "services/store/event/event_appender.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/event/event_references.h"
#include "services/store/event/event_validator.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

// The reason of an append that has to look at its condition again.
constexpr absl::string_view kLookAgain = "LOOK_AGAIN";

absl::Status CheckRequest(const v1::AppendEventsRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateLogName(request.log()));
  if (request.events().empty() || request.events_size() > kMaxEventsPerAppend) {
    return InvalidField(
        "events", absl::StrCat(request.events_size()),
        absl::StrCat("must be 1 to ", kMaxEventsPerAppend, " events"));
  }
  if (!request.inputs_unchanged_since().empty()) {
    if (request.log().kind() != v1::LOG_KIND_INPUTS) {
      return InvalidField("inputs_unchanged_since",
                          request.inputs_unchanged_since(),
                          "only holds for the log of inputs");
    }
    KINORA_RETURN_IF_ERROR(ValidateRevisionField(
        "inputs_unchanged_since", request.inputs_unchanged_since()));
  }
  if (request.request_id().size() > kMaxRequestIdBytes) {
    return InvalidField(
        "request_id", request.request_id(),
        absl::StrCat("must have at most ", kMaxRequestIdBytes, " bytes"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string LogKeyOf(const v1::LogName& name) {
  switch (name.kind()) {
    case v1::LOG_KIND_LEDGER:
      return LedgerLogKey(name.movie_id(), name.run_id());
    case v1::LOG_KIND_INPUTS:
      return InputsLogKey(name.movie_id());
    default:
      return ArtefactsLogKey(name.movie_id());
  }
}

absl::Status CheckLastSequence(absl::string_view log, int64_t expected,
                               int64_t last) {
  if (expected == last) return absl::OkStatus();
  return WithReason(
      absl::AbortedError(
          absl::StrCat(log, " is at sequence ", last, ", expected ", expected)),
      "SEQUENCE_MISMATCH", {{"current", absl::StrCat(last)}});
}

// One append on its way.
class EventAppender::Call {
 public:
  Call(v1::AppendEventsRequest* append, MovieCatalog& catalog)
      : request(*append), movies(catalog) {}

  // Decides in the log's critical section.
  absl::Status operator()(int64_t last) const {
    // A deletion removes the logs once it has made this fail.
    KINORA_RETURN_IF_ERROR(movies.Require(request.log().movie_id()));
    // It is another movie of that id by now.
    if (movie != nullptr && movie->deleted()) {
      return MovieNotFound(request.log().movie_id());
    }
    if (request.has_expected_sequence()) {
      KINORA_RETURN_IF_ERROR(
          CheckLastSequence(log, request.expected_sequence(), last));
    }
    if (condition_through.has_value() && *condition_through != last) {
      return WithReason(absl::AbortedError("inputs were edited meanwhile"),
                        kLookAgain);
    }
    return CheckEarlier(request, last);
  }

  // Ends the append: its request id is free again, or remembered.
  void Answer(absl::StatusOr<AppendedRange> range) {
    if (requests != nullptr) {
      requests->End(request.request_id(), range.ok() ? &*range : nullptr);
      requests = nullptr;
    }
    fence = LeaseTable::Fence();
    movie = nullptr;
    blobs = nullptr;
    if (paths != nullptr && range.ok()) paths->Keep(range->first_sequence);
    paths = nullptr;
    result = std::move(range);
  }

  v1::AppendEventsRequest& request;
  MovieCatalog& movies;
  std::string log;
  std::shared_ptr<AppendRequests> requests;  // begun there
  LeaseTable::Fence fence;
  std::shared_ptr<const MovieHolds::Hold> movie;  // of what has no fence
  std::shared_ptr<void> blobs;                    // held
  std::shared_ptr<RunPaths::Claim> paths;         // taken
  std::vector<std::string> bodies;
  // The condition of the append holds up to there.
  std::optional<int64_t> condition_through;
  absl::StatusOr<AppendedRange> result = absl::UnknownError("not appended");
};

std::vector<absl::StatusOr<v1::AppendEventsResponse>> EventAppender::AppendAll(
    absl::Span<v1::AppendEventsRequest* const> requests) {
  std::vector<absl::StatusOr<v1::AppendEventsResponse>> answers =
      TryAppendAll(requests);
  for (size_t i = 0; i < answers.size(); ++i) {
    while (!answers[i].ok() && ReasonOf(answers[i].status()) == kLookAgain) {
      // Somebody else's append went in, so this ends.
      for (v1::Event& event : *requests[i]->mutable_events()) {
        event.clear_time();
      }
      answers[i] = std::move(TryAppendAll(requests.subspan(i, 1)).front());
    }
  }
  return answers;
}

std::vector<absl::StatusOr<v1::AppendEventsResponse>>
EventAppender::TryAppendAll(
    absl::Span<v1::AppendEventsRequest* const> requests) {
  std::vector<Call> calls;
  calls.reserve(requests.size());
  std::vector<Call*> prepared;
  for (v1::AppendEventsRequest* request : requests) {
    Call* const call = &calls.emplace_back(request, movies_);
    bool busy = false;
    bool ready = Prepare(call, false, &busy);
    if (busy) {
      // Its twin may be one of ours, or wait for one of ours.
      AppendPrepared(&prepared);
      ready = Prepare(call, true, &busy);
    }
    if (ready) prepared.push_back(call);
  }
  AppendPrepared(&prepared);

  std::vector<absl::StatusOr<v1::AppendEventsResponse>> answers;
  answers.reserve(calls.size());
  for (const Call& call : calls) {
    if (!call.result.ok()) {
      answers.emplace_back(call.result.status());
      continue;
    }
    v1::AppendEventsResponse response;
    response.set_first_sequence(call.result->first_sequence);
    response.set_last_sequence(call.result->last_sequence);
    answers.emplace_back(std::move(response));
  }
  return answers;
}

bool EventAppender::Prepare(Call* call, bool wait, bool* busy) {
  *busy = false;
  absl::Status status = Check(call);
  if (status.ok() && !call->request.request_id().empty()) {
    std::shared_ptr<AppendRequests> requests = requests_.Of(call->log);
    absl::StatusOr<AppendRequests::Begun> begun =
        requests->Begin(events_, call->log, call->request.request_id(), wait);
    status = begun.status();
    if (status.ok()) {
      if (begun->done.has_value()) {
        status = CheckRepeats(events_, call->log, call->request, *begun->done);
        if (status.ok()) {
          call->Answer(*begun->done);
        } else {
          call->Answer(status);
        }
        return false;
      }
      if (begun->busy) {
        *busy = true;
        return false;
      }
      call->requests = std::move(requests);
    }
  }
  if (status.ok()) status = EnterAndWriteBodies(call);
  if (!status.ok()) call->Answer(status);
  return status.ok();
}

absl::Status EventAppender::Check(Call* call) {
  v1::AppendEventsRequest& request = call->request;
  KINORA_RETURN_IF_ERROR(CheckRequest(request));
  if (request.log().kind() == v1::LOG_KIND_INPUTS) {
    call->movie = movies_.holds().ForUpload(request.log().movie_id());
  }
  KINORA_RETURN_IF_ERROR(movies_.RequireWritable(request.log().movie_id()));
  for (int i = 0; i < request.events_size(); ++i) {
    absl::Status valid = ValidateEvent("", request.log(), inline_limit_bytes_,
                                       request.mutable_events(i));
    if (valid.ok()) continue;
    // Said again with the place, which costs too much to spell for each event.
    return ValidateEvent(absl::StrCat("events[", i, "]"), request.log(),
                         inline_limit_bytes_, request.mutable_events(i));
  }
  call->log = LogKeyOf(request.log());
  return absl::OkStatus();
}

absl::Status EventAppender::EnterAndWriteBodies(Call* call) {
  v1::AppendEventsRequest& request = call->request;
  const v1::LogName& name = request.log();
  if (name.kind() != v1::LOG_KIND_INPUTS) {
    KINORA_ASSIGN_OR_RETURN(
        call->fence,
        leases_.Enter(request.lease(), name.movie_id(), name.run_id()));
  }
  if (!request.inputs_unchanged_since().empty()) {
    KINORA_ASSIGN_OR_RETURN(call->condition_through,
                            inputs_condition_(request));
  }
  KINORA_RETURN_IF_ERROR(CheckRevisions(*call));
  KINORA_RETURN_IF_ERROR(CheckRestored(events_, call->log, request));
  KINORA_ASSIGN_OR_RETURN(call->blobs, HoldBlobsOf(blobs_, request));
  KINORA_RETURN_IF_ERROR(TakePaths(call));
  const google::protobuf::Timestamp now = ToTimestamp(clock_.Now());
  const RequestMark mark = {request.request_id(), request.events_size()};
  call->bodies.reserve(request.events_size());
  for (int i = 0; i < request.events_size(); ++i) {
    v1::Event& event = *request.mutable_events(i);
    *event.mutable_time() = now;
    const bool marked =
        i + 1 == request.events_size() && !mark.request_id.empty();
    call->bodies.push_back(EventToBody(event, marked ? &mark : nullptr));
  }
  return absl::OkStatus();
}

absl::Status EventAppender::CheckRevisions(const Call& call) {
  const v1::AppendEventsRequest& request = call.request;
  if (request.log().kind() == v1::LOG_KIND_LEDGER) return absl::OkStatus();
  const std::string& movie_id = request.log().movie_id();
  Revision newest;
  bool is_known = false;
  {
    MutexLock lock(mu_);
    const auto known = newest_.find(movie_id);
    is_known = known != newest_.end();
    if (is_known) newest = known->second;
  }
  bool looked = false;
  for (int i = 0; i < request.events_size(); ++i) {
    KINORA_ASSIGN_OR_RETURN(const Revision revision,
                            Revision::Parse(request.events(i).revision()));
    // The first append to a movie always looks: lost inputs are seen so.
    if (is_known && revision <= newest.Next()) continue;
    if (!std::exchange(looked, true)) {
      const absl::StatusOr<Revision> found = newest_revision_(movie_id);
      // Damage that the look has found ends writing to the movie.
      KINORA_RETURN_IF_ERROR(movies_.RequireWritable(movie_id));
      KINORA_RETURN_IF_ERROR(found.status());
      newest = *found;
      is_known = true;
      MutexLock lock(mu_);
      newest_[movie_id] = newest;
      if (revision <= newest.Next()) continue;
    }
    return InvalidField(absl::StrCat("events[", i, "].revision"),
                        request.events(i).revision(),
                        absl::StrCat("the next revision of movie \"", movie_id,
                                     "\" is ", newest.Next().ToString()));
  }
  return absl::OkStatus();
}

absl::Status EventAppender::TakePaths(Call* call) {
  const v1::LogName& log = call->request.log();
  if (log.kind() != v1::LOG_KIND_ARTEFACTS) return absl::OkStatus();
  absl::StatusOr<std::shared_ptr<RunPaths::Claim>> claim =
      paths_.Take(call->request);
  if (absl::IsDataLoss(claim.status())) {
    // Damage in the log ends writing to the movie.
    KINORA_RETURN_IF_ERROR(movies_.RequireWritable(log.movie_id()));
  }
  KINORA_ASSIGN_OR_RETURN(call->paths, std::move(claim));
  return absl::OkStatus();
}

void EventAppender::AppendPrepared(std::vector<Call*>* prepared) {
  std::vector<EventLog::AppendCall> appends;
  appends.reserve(prepared->size());
  for (Call* call : *prepared) {
    appends.push_back(
        {.log = call->log, .bodies = call->bodies, .admit = *call});
  }
  events_.AppendAll(absl::MakeSpan(appends));
  for (size_t i = 0; i < appends.size(); ++i) {
    (*prepared)[i]->Answer(std::move(appends[i].result));
  }
  prepared->clear();
}

void EventAppender::Forget(absl::string_view movie_id) {
  requests_.Forget(MoviePrefix(movie_id));
  MutexLock lock(mu_);
  newest_.erase(movie_id);
}

}  // namespace kinora
