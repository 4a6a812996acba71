#include "services/runner/ledger/run_log.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"

#include "common/json/json.h"
#include "common/utf8.h"
#include "services/runner/ledger/log_lines.h"
#include "services/runner/ledger/trimmed_text.h"

namespace kinora {
namespace {

// The last line that is stored of a log that is full.
constexpr absl::string_view kLogFull =
    "[kinora] the log is full: further lines are not stored";

absl::string_view Cut(absl::string_view line) {
  if (line.size() <= kMaxLogLineBytes) return line;
  line = line.substr(0, kMaxLogLineBytes);
  // The cut may fall into a character.
  const size_t valid = ValidUtf8Prefix(line);
  return valid + 4 > line.size() ? line.substr(0, valid) : line;
}

absl::string_view Placed(absl::string_view line) {
  return IsBlankText(line) ? kBlankLogLine : Cut(line);
}

std::string Missing(int64_t lines, absl::string_view whose) {
  return absl::StrCat("[kinora] ", lines, " log lines", whose, " are missing");
}

size_t HashOf(absl::string_view line) {
  return absl::Hash<absl::string_view>()(TrimmedText(line));
}

std::optional<v1::LogAppendedEvent> IfTelling(v1::LogAppendedEvent event) {
  if (event.lines().empty()) return std::nullopt;
  return event;
}

}  // namespace

std::optional<v1::LogAppendedEvent> RunLog::TakeAt(const std::string& channel,
                                                   int64_t offset,
                                                   const Lines& lines) {
  if (lines.empty()) return std::nullopt;
  Channel& its = channels_[channel];
  const int64_t first = std::clamp<int64_t>(offset, 0, kMaxJsonInteger);
  const int64_t end = first + lines.size();
  const int64_t taken = its.taken;
  if (end <= taken) return std::nullopt;
  its.taken = end;
  if (truncated_) {
    // Where the log is full, what is missing here may have been counted by a
    // process that could not tell it any more.
    std::optional<v1::LogAppendedEvent> counted = Count(end - taken, &its);
    if (counted.has_value()) {
      counted->set_channel(channel);
      counted->set_channel_offset(end);
    }
    return counted;
  }
  const int64_t skipped = std::max<int64_t>(0, taken - first);
  v1::LogAppendedEvent event;
  event.set_channel(channel);
  event.set_channel_offset(first + skipped);
  event.set_first_seq(total_ + 1);
  if (first > taken) {
    const std::string whose =
        channel.empty() ? std::string() : absl::StrCat(" of ", channel);
    Store(Missing(first - taken, whose), &event);
  }
  for (int i = static_cast<int>(skipped); i < lines.size(); ++i) {
    Store(Placed(lines[i]), &event);
  }
  NoteTold(event, &its);
  return IfTelling(std::move(event));
}

std::optional<v1::LogAppendedEvent> RunLog::TakeNumbered(int64_t first_seq,
                                                         const Lines& lines) {
  const int64_t before =
      std::min(first_seq, kMaxJsonInteger) - 1;  // lines before the first
  const int64_t end = before + lines.size();
  if (lines.empty() || end <= total_) return std::nullopt;
  if (truncated_) return Count(end - total_, &others_);
  v1::LogAppendedEvent event;
  if (before > total_) {
    const std::string missing = Missing(before - total_, "");
    total_ = before - 1;
    event.set_first_seq(before);
    Store(missing, &event);
  } else {
    event.set_first_seq(total_ + 1);
  }
  for (int i = static_cast<int>(std::max<int64_t>(0, total_ - before));
       i < lines.size(); ++i) {
    Store(Placed(lines[i]), &event);
  }
  NoteTold(event, &others_);
  return IfTelling(std::move(event));
}

std::optional<v1::LogAppendedEvent> RunLog::TakeByText(
    const std::string& channel, const Lines& lines) {
  absl::flat_hash_map<size_t, int64_t> known;
  for (const size_t hash : window_) ++known[hash];
  std::vector<absl::string_view> fresh;
  for (const std::string& line : lines) {
    if (IsBlankText(line)) continue;
    const absl::string_view cut = Cut(line);
    // One line of the window stands for one of the batch.
    if (--known[HashOf(cut)] < 0) fresh.push_back(cut);
  }
  if (truncated_) {
    for (const absl::string_view line : fresh) Remember(line);
    return Count(static_cast<int64_t>(fresh.size()), &others_);
  }
  v1::LogAppendedEvent event;
  event.set_channel(channel);
  event.set_first_seq(total_ + 1);
  for (const absl::string_view line : fresh) Store(line, &event);
  NoteTold(event, &others_);
  return IfTelling(std::move(event));
}

void RunLog::Recall(const v1::LogAppendedEvent& event) {
  int64_t lines = event.lines_size();
  // Steps of a run that go on beside each other number no lines.
  total_ = event.has_first_seq()
               ? std::max(total_, event.first_seq() - 1 + lines)
               : total_ + lines;
  told_ = total_;
  Keep(event);
  if (!event.has_channel_offset()) return;
  Channel& channel = channels_[event.channel()];
  // One line says that others are missing.
  if (lines > 0 && event.channel_offset() > channel.taken) --lines;
  channel.taken = event.channel_offset() + lines;
}

void RunLog::Keep(const v1::LogAppendedEvent& event) {
  const int lines = event.lines_size();
  for (const std::string& line : event.lines()) {
    stored_bytes_ += static_cast<int64_t>(line.size());
    Remember(line);
  }
  stored_lines_ += lines;
  // A worker may say, too, that it has lost lines; the log goes on then.
  truncated_ = truncated_ || (event.logs_truncated() && lines > 0 &&
                              event.lines(lines - 1) == kLogFull);
}

void RunLog::GiveWay(const v1::LogAppendedEvent& event, int64_t numbers) {
  total_ += numbers;
  told_ += numbers;
  Keep(event);
}

std::vector<v1::LogAppendedEvent> RunLog::TellCounted() {
  std::vector<v1::LogAppendedEvent> told;
  const auto tell = [this, &told](Channel* channel) {
    told_ += std::exchange(channel->untold, 0);
    told.emplace_back().set_first_seq(told_ + 1);
  };
  if (others_.untold > 0) tell(&others_);
  std::vector<std::string> names;
  for (const auto& channel : channels_) {
    if (channel.second.untold > 0) names.push_back(channel.first);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    Channel& channel = channels_[name];
    tell(&channel);
    told.back().set_channel(name);
    told.back().set_channel_offset(channel.taken);
  }
  return told;
}

void RunLog::NoteReducersLine() {
  ++total_;
  ++told_;
}

int64_t RunLog::taken(const std::string& channel) const {
  const auto found = channels_.find(channel);
  return found == channels_.end() ? 0 : found->second.taken;
}

std::optional<v1::LogAppendedEvent> RunLog::Count(int64_t lines,
                                                  Channel* channel) {
  // Many channels may each claim very many.
  lines = std::clamp<int64_t>(kMaxJsonInteger - total_, 0, lines);
  total_ += lines;
  channel->untold += lines;
  if (channel->untold < kCountedLinesATime) return std::nullopt;
  told_ += channel->untold;
  channel->untold = 0;
  v1::LogAppendedEvent event;
  event.set_first_seq(told_ + 1);
  return event;
}

void RunLog::NoteTold(const v1::LogAppendedEvent& event, Channel* channel) {
  if (event.lines().empty()) return;
  told_ = event.first_seq() - 1 + event.lines_size();
  channel->untold += total_ - told_;
}

void RunLog::Store(absl::string_view line, v1::LogAppendedEvent* event) {
  ++total_;
  Remember(line);
  if (truncated_) return;
  const int64_t size = static_cast<int64_t>(line.size());
  if (stored_lines_ + 1 >= kMaxStoredLogLines ||
      stored_bytes_ + size + static_cast<int64_t>(kLogFull.size()) >
          kMaxStoredLogBytes) {
    truncated_ = true;
    event->set_logs_truncated(true);
    line = kLogFull;
  }
  ++stored_lines_;
  stored_bytes_ += static_cast<int64_t>(line.size());
  event->add_lines(std::string(line));
}

void RunLog::Remember(absl::string_view line) {
  window_.push_back(HashOf(line));
  if (window_.size() > kLogTextWindow) window_.pop_front();
}

}  // namespace kinora
