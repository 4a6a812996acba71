// A RunLog takes log lines into the log of a run: every line once, numbered
// through the run. Pure: no clock, no I/O.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_RUN_LOG_H_
#define KINORA_SERVICES_RUNNER_LEDGER_RUN_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/ledger.pb.h"

namespace kinora {

// A run stores at most this much of its log, the line that says so included;
// later lines are counted only.
inline constexpr int64_t kMaxStoredLogLines = 25'000;
inline constexpr int64_t kMaxStoredLogBytes = 5'000'000;
// Longer lines are cut.
inline constexpr size_t kMaxLogLineBytes = 16 * 1024;
// Lines without a position are compared with so many of the last.
inline constexpr size_t kLogTextWindow = 1'000;
// So many lines of a channel that are counted only make an event, so that a
// flood of lines is none of events.
inline constexpr int64_t kCountedLinesATime = 1'000;

// The events that the methods give MUST be appended to the ledger in their
// order; a log that is told them by Recall() goes on from there. They have
// lines, or the number of the next one, `firstSeq`, behind lines that are
// counted only. Not thread-safe. Copyable.
class RunLog {
 public:
  using Lines = google::protobuf::RepeatedPtrField<std::string>;

  // Takes lines of a channel, whose sender counts every line it ever emitted:
  // `offset` are those before the first of these, and a negative one is 0.
  // Lines that were taken before are skipped by their position, so that equal
  // lines survive; where lines are missing, one loud line says so. A blank line
  // becomes kBlankLogLine. nullopt if there is nothing new to tell.
  std::optional<v1::LogAppendedEvent> TakeAt(const std::string& channel,
                                             int64_t offset,
                                             const Lines& lines);

  // Takes lines that another log of the run has numbered: those up to total()
  // are skipped, and a gap is told by a line in the place of its last
  // (F: S2-70, S2-71). REQUIRES: first_seq > 0.
  std::optional<v1::LogAppendedEvent> TakeNumbered(int64_t first_seq,
                                                   const Lines& lines);

  // Takes lines that have no position, such as those found after a crash. A
  // line is skipped if the last kLogTextWindow lines of the run, of whichever
  // channel, have it as often as this batch had it so far, itself included:
  // a batch that is sent again adds nothing, and equal lines within one stay.
  // Blank lines are dropped.
  std::optional<v1::LogAppendedEvent> TakeByText(const std::string& channel,
                                                 const Lines& lines);

  // Takes an event that was given before, in another process; in their order,
  // before anything else.
  void Recall(const v1::LogAppendedEvent& event);

  // Gives up the numbers of the last `numbers` lines to others, who have put
  // `event` into the ledger before the events that this log has given and that
  // are not there yet: the numbers of those go on behind.
  void GiveWay(const v1::LogAppendedEvent& event, int64_t numbers);

  // What tells of all lines that were counted and that no event tells of yet:
  // an event for each channel that has any.
  std::vector<v1::LogAppendedEvent> TellCounted();

  // Counts a line that readers add by themselves when they reduce the ledger:
  // the one about a conflict of ends.
  void NoteReducersLine();

  // How many lines of the channel were taken.
  int64_t taken(const std::string& channel) const;

  // The channels with positions: each is kept for as long as the log is.
  bool HasChannel(const std::string& channel) const {
    return channels_.contains(channel);
  }
  size_t channels() const { return channels_.size(); }

  // Lines of the run so far, those not stored included.
  int64_t total() const { return total_; }
  bool truncated() const { return truncated_; }

 private:
  struct Channel {
    int64_t taken = 0;
    int64_t untold = 0;  // counted, but in no event yet
  };

  std::optional<v1::LogAppendedEvent> Count(int64_t lines, Channel* channel);
  void Store(absl::string_view line, v1::LogAppendedEvent* event);
  // Notes what of the log the event tells.
  void NoteTold(const v1::LogAppendedEvent& event, Channel* channel);
  void Remember(absl::string_view line);
  // Takes what the event stores.
  void Keep(const v1::LogAppendedEvent& event);

  absl::flat_hash_map<std::string, Channel> channels_;
  Channel others_;  // lines without a position
  int64_t total_ = 0;
  int64_t told_ = 0;  // of which events tell; the others are `untold`
  int64_t stored_lines_ = 0;
  int64_t stored_bytes_ = 0;
  bool truncated_ = false;
  std::deque<size_t> window_;  // hashes of the last lines
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_RUN_LOG_H_
