#include "clients/cpp/input_history.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "clients/cpp/input_edits.h"
#include "common/content.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {
namespace {

constexpr int kMaxTries = 20;

// The edit an event stands for: itself, or the one it brought back.
int64_t EditOf(const v1::Event& event) {
  return event.input().restored_sequence() != 0
             ? event.input().restored_sequence()
             : event.sequence();
}

// Equal for equal values; the events in the log have their hashes.
std::string ValueOf(const v1::InputEvent& input) {
  if (input.cleared()) return "";
  return ContentHash(input.content());
}

v1::InputEvent BringBack(absl::string_view input_id, const v1::Event& event) {
  v1::InputEvent undo;
  undo.set_input_id(std::string(input_id));
  undo.set_edited_by(v1::EDITED_BY_USER);
  undo.set_restored_sequence(EditOf(event));
  if (event.input().cleared()) {
    undo.set_cleared(true);
  } else {
    *undo.mutable_content() = event.input().content();
  }
  return undo;
}

// As it was before the first edit.
v1::InputEvent Clear(absl::string_view input_id, const v1::Event& first) {
  v1::InputEvent undo;
  undo.set_input_id(std::string(input_id));
  undo.set_edited_by(v1::EDITED_BY_USER);
  undo.set_cleared(true);
  // Nothing is before that, so a further undo ends there.
  undo.set_restored_sequence(first.sequence() - 1);
  return undo;
}

absl::Status NothingToUndo(absl::string_view input_id, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat(input_id, " ", why));
}

}  // namespace

absl::StatusOr<std::vector<v1::Event>> ReadInputHistory(
    const Store& store, absl::string_view movie_id,
    absl::string_view input_id) {
  std::vector<v1::Event> history;
  v1::ReadEventsRequest request;
  request.mutable_log()->set_movie_id(std::string(movie_id));
  request.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  request.set_include_kept(true);
  while (true) {
    KINORA_ASSIGN_OR_RETURN(v1::ReadEventsResponse page,
                            store.events.ReadPage(request));
    for (v1::Event& event : *page.mutable_events()) {
      if (!input_id.empty() && event.input().input_id() != input_id) continue;
      history.push_back(std::move(event));
    }
    if (page.bookmark().sequence() <= request.after_sequence()) break;
    request.set_after_sequence(page.bookmark().sequence());
  }
  return history;
}

absl::StatusOr<std::string> NeverSet(const Store& store,
                                     absl::string_view movie_id,
                                     absl::string_view input_id) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::Event> history,
                          ReadInputHistory(store, movie_id, ""));
  std::set<absl::string_view> ids;
  for (const v1::Event& event : history) ids.insert(event.input().input_id());
  return absl::StrCat(input_id, " was never set",
                      DidYouMeanId(input_id, {ids.begin(), ids.end()}));
}

absl::StatusOr<v1::InputEvent> UndoOf(absl::string_view input_id,
                                      absl::Span<const v1::Event> history,
                                      std::optional<int64_t> to) {
  if (history.empty()) return NothingToUndo(input_id, "was never set");
  const v1::InputEvent& now = history.back().input();
  if (to.has_value()) {
    for (const v1::Event& event : history) {
      if (event.sequence() == *to) return BringBack(input_id, event);
    }
    return absl::NotFoundError(absl::StrCat(input_id, " has no event ", *to,
                                            ": see kinora input history"));
  }
  const int64_t edit = EditOf(history.back());
  for (size_t i = history.size(); i-- > 0;) {
    const v1::Event& before = history[i];
    if (before.sequence() >= edit || ValueOf(before.input()) == ValueOf(now)) {
      continue;
    }
    return BringBack(input_id, before);
  }
  if (now.cleared()) return NothingToUndo(input_id, "is not set");
  return Clear(input_id, history.front());
}

absl::StatusOr<v1::Event> UndoInput(const Store& store,
                                    absl::string_view movie_id,
                                    absl::string_view input_id,
                                    std::optional<int64_t> to) {
  for (int tries = 0;; ++tries) {
    v1::GetLogStatusRequest status;
    status.mutable_log()->set_movie_id(std::string(movie_id));
    status.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
    KINORA_ASSIGN_OR_RETURN(const v1::GetLogStatusResponse extent,
                            store.events.GetLogStatus(status));
    KINORA_ASSIGN_OR_RETURN(const std::vector<v1::Event> history,
                            ReadInputHistory(store, movie_id, input_id));
    if (history.empty()) {
      KINORA_ASSIGN_OR_RETURN(const std::string why,
                              NeverSet(store, movie_id, input_id));
      return absl::FailedPreconditionError(why);
    }
    KINORA_ASSIGN_OR_RETURN(v1::InputEvent undo, UndoOf(input_id, history, to));
    KINORA_ASSIGN_OR_RETURN(const Revision revision,
                            NextRevision(store, movie_id));
    v1::AppendEventsRequest append;
    *append.mutable_log() = status.log();
    append.set_expected_sequence(extent.last_sequence());
    v1::Event& event = *append.add_events();
    event.set_revision(revision.ToString());
    *event.mutable_input() = std::move(undo);
    const absl::StatusOr<v1::AppendEventsResponse> appended =
        store.events.Append(append);
    if (appended.ok()) {
      event.set_sequence(appended->first_sequence());
      return event;
    }
    if (tries == kMaxTries ||
        ReasonOf(appended.status()) != "SEQUENCE_MISMATCH") {
      return appended.status();
    }
  }
}

}  // namespace kinora
