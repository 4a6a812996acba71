#include "services/runner/log_intake.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/utf8.h"

namespace kinora {
namespace {

// The reducer drops blank lines, which would shift the numbers of the others.
constexpr absl::string_view kBlankLine = "(blank log line)";

bool IsBlank(absl::string_view line) {
  return absl::StripAsciiWhitespace(line).empty();
}

absl::string_view Cut(absl::string_view line) {
  if (line.size() <= kMaxLogLineBytes) return line;
  line = line.substr(0, kMaxLogLineBytes);
  // The cut may fall into a character.
  const size_t valid = ValidUtf8Prefix(line);
  return valid + 4 > line.size() ? line.substr(0, valid) : line;
}

}  // namespace

std::optional<v1::LogAppendedEvent> LogIntake::Take(const std::string& job_id,
                                                    uint32_t attempt,
                                                    const v1::LogLines& batch) {
  Channel& channel = channels_[job_id];
  if (channel.attempt != attempt) {
    channel.attempt = attempt;
    channel.base = batch.channel_offset() == 0 ? channel.taken : 0;
  }
  const int64_t first =
      channel.base + std::max<int64_t>(0, batch.channel_offset());
  const int64_t skip = std::min<int64_t>(
      std::max<int64_t>(0, channel.taken - first), batch.lines_size());
  if (skip == batch.lines_size()) return std::nullopt;

  v1::LogAppendedEvent event;
  event.set_channel(job_id);
  event.set_channel_offset(first + skip);
  event.set_first_seq(total_ + 1);
  if (first > channel.taken) {
    Store(absl::StrCat("[kinora] ", first - channel.taken, " log lines of ",
                       job_id, " are missing"),
          &event);
  }
  for (int i = static_cast<int>(skip); i < batch.lines_size(); ++i) {
    const std::string& line = batch.lines(i);
    Store(IsBlank(line) ? kBlankLine : Cut(line), &event);
  }
  channel.taken = first + batch.lines_size();
  if (event.lines().empty()) return std::nullopt;
  return event;
}

void LogIntake::Recall(const v1::LogAppendedEvent& event) {
  int64_t lines = event.lines_size();
  // Steps of a run that go on beside each other number no lines.
  total_ = event.has_first_seq()
               ? std::max(total_, event.first_seq() - 1 + lines)
               : total_ + lines;
  for (const std::string& line : event.lines()) {
    stored_bytes_ += static_cast<int64_t>(line.size());
  }
  stored_lines_ += lines;
  truncated_ = truncated_ || event.logs_truncated();
  if (event.channel().empty()) return;
  Channel& channel = channels_[event.channel()];
  // A line of ours says that others are missing, or that the log is full.
  if (event.channel_offset() > channel.taken) --lines;
  if (event.logs_truncated()) --lines;
  channel.taken = event.channel_offset() + std::max<int64_t>(0, lines);
}

void LogIntake::Store(absl::string_view line, v1::LogAppendedEvent* event) {
  ++total_;
  if (truncated_) return;
  const int64_t size = static_cast<int64_t>(line.size());
  if (stored_lines_ + 1 >= kMaxStoredLogLines ||
      stored_bytes_ + size > kMaxStoredLogBytes) {
    truncated_ = true;
    event->set_logs_truncated(true);
    event->add_lines("[kinora] the log is full: further lines are not stored");
    return;
  }
  ++stored_lines_;
  stored_bytes_ += size;
  event->add_lines(std::string(line));
}

}  // namespace kinora
