// What the inputs of a movie were, and going back to it: what `kinora input
// history` and `kinora input undo` do.

#ifndef KINORA_CLIENTS_CPP_INPUT_HISTORY_H_
#define KINORA_CLIENTS_CPP_INPUT_HISTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "kinora/v1/event.pb.h"
#include "services/store/store.h"

namespace kinora {

// The events of one input, or of all if `input_id` is empty, oldest first.
// Those that retention has removed are missing, but never an input's first.
absl::StatusOr<std::vector<v1::Event>> ReadInputHistory(
    const Store& store, absl::string_view movie_id, absl::string_view input_id);

// Says of an input that has no events that it was never set, and which one that
// was set has a name near to it.
absl::StatusOr<std::string> NeverSet(const Store& store,
                                     absl::string_view movie_id,
                                     absl::string_view input_id);

// The event that takes the last edit of an input back, without sequence, time
// and revision. Pure: `history` is that of the input.
//
// It brings back the value before the one that is in effect; an edit that was
// made by an undo counts as the one it brought back, so undoing again goes
// further back. Before the first edit the input is not set. With `to` it brings
// back the value of that event.
//
// FAILED_PRECONDITION if there is nothing to undo; NOT_FOUND if the input has
// no event `to`.
absl::StatusOr<v1::InputEvent> UndoOf(absl::string_view input_id,
                                      absl::Span<const v1::Event> history,
                                      std::optional<int64_t> to);

// Appends that event, unless somebody edits an input at the same time: then it
// looks again.
absl::StatusOr<v1::Event> UndoInput(const Store& store,
                                    absl::string_view movie_id,
                                    absl::string_view input_id,
                                    std::optional<int64_t> to);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_INPUT_HISTORY_H_
