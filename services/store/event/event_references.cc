#include "services/store/event/event_references.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/event/event_json.h"
#include "services/store/event/event_validator.h"

namespace kinora {
namespace {

constexpr int64_t kReadBytes = int64_t{1} << 20;

// What a caller says in an event, and says again when he repeats it.
std::string ContentOfBody(v1::Event event) {
  event.clear_sequence();
  event.clear_time();
  event.clear_revision();
  return EventToBody(event, nullptr);
}

}  // namespace

absl::Status CheckEarlier(const v1::AppendEventsRequest& request,
                          int64_t last_sequence) {
  for (const v1::Event& event : request.events()) {
    const int64_t reused = event.artefact().reused_sequence();
    const int64_t restored = event.input().restored_sequence();
    if (reused <= last_sequence && restored <= last_sequence) continue;
    const bool is_input = event.has_input();
    return InvalidField(is_input ? "events.input.restored_sequence"
                                 : "events.artefact.reused_sequence",
                        absl::StrCat(is_input ? restored : reused),
                        absl::StrCat("the log ends at ", last_sequence));
  }
  return absl::OkStatus();
}

absl::Status CheckRestored(EventLog& events, absl::string_view log,
                           const v1::AppendEventsRequest& request) {
  for (int i = 0; i < request.events_size(); ++i) {
    const v1::InputEvent& input = request.events(i).input();
    const int64_t restored = input.restored_sequence();
    // One that is cleared goes back to before its first edit.
    if (restored == 0 || input.cleared()) continue;
    const absl::StatusOr<std::vector<LogRecord>> records =
        events.Read(log, restored - 1, 1, kReadBytes);
    if (absl::IsOutOfRange(records.status())) continue;  // it was removed
    KINORA_RETURN_IF_ERROR(records.status());
    if (records->empty()) continue;  // refused where the log's end is known
    KINORA_ASSIGN_OR_RETURN(
        const v1::Event event,
        EventFromRecord(log, request.log().kind(), records->front()));
    if (event.input().input_id() == input.input_id()) continue;
    return InvalidField(
        absl::StrCat("events[", i, "].input.restored_sequence"),
        absl::StrCat(restored),
        absl::StrCat("that event is of ", event.input().input_id()));
  }
  return absl::OkStatus();
}

absl::Status CheckRepeats(EventLog& events, absl::string_view log,
                          const v1::AppendEventsRequest& request,
                          const AppendedRange& range) {
  const absl::Status other = InvalidField(
      "request_id", request.request_id(),
      absl::StrCat("names an append of other events, ", range.first_sequence,
                   " to ", range.last_sequence, " of ", log));
  if (range.last_sequence - range.first_sequence + 1 != request.events_size()) {
    return other;
  }
  for (int i = 0; i < request.events_size();) {
    const absl::StatusOr<std::vector<LogRecord>> records =
        events.Read(log, range.first_sequence + i - 1,
                    request.events_size() - i, kReadBytes);
    if (absl::IsOutOfRange(records.status())) return absl::OkStatus();
    KINORA_RETURN_IF_ERROR(records.status());
    if (records->empty()) return other;
    for (const LogRecord& record : *records) {
      KINORA_ASSIGN_OR_RETURN(
          const v1::Event done,
          EventFromRecord(log, request.log().kind(), record));
      if (ContentOfBody(done) != ContentOfBody(request.events(i++))) {
        return other;
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<void>> HoldBlobsOf(
    BlobStore& blobs, const v1::AppendEventsRequest& append) {
  v1::FindMissingBlobsRequest request;
  request.set_movie_id(append.log().movie_id());
  for (const v1::Event& event : append.events()) {
    const v1::Content* content = ContentOf(event);
    if (content != nullptr && content->has_blob()) {
      *request.add_digests() = content->blob().digest();
    }
  }
  if (request.digests().empty()) return nullptr;
  std::shared_ptr<void> held = blobs.HoldBlobs(request.movie_id());
  KINORA_ASSIGN_OR_RETURN(v1::FindMissingBlobsResponse response,
                          blobs.FindMissing(request));
  if (response.missing().empty()) return held;
  const v1::Digest& missing = response.missing(0);
  for (int i = 0; i < append.events_size(); ++i) {
    const v1::Content* content = ContentOf(append.events(i));
    if (content == nullptr || !content->has_blob() ||
        content->blob().digest().hash() != missing.hash()) {
      continue;
    }
    return InvalidField(absl::StrCat("events[", i, "] blob"),
                        absl::StrCat(missing.hash(), "/", missing.size_bytes()),
                        absl::StrCat("movie \"", append.log().movie_id(),
                                     "\" has no such blob: upload it first"));
  }
  return absl::InternalError("a blob nobody asked for is missing");
}

}  // namespace kinora
