#include "services/store/backup/log_restoration.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "services/store/backup/copy_layout.h"
#include "services/store/backup/tar_reader.h"
#include "services/store/event/event_json.h"
#include "services/store/event/log_line.h"

namespace kinora {
namespace {

// `events/inputs.log` of `builds/film/events/inputs.log`.
absl::string_view BelowMovie(absl::string_view key) {
  for (int part = 0; part < 2; ++part) key.remove_prefix(key.find('/') + 1);
  return key;
}

}  // namespace

LogRestoration::LogRestoration(EventLog& log, std::string key, v1::LogKind kind,
                               const LogExtent& extent, bool is_cut, Look look)
    : log_(log),
      key_(std::move(key)),
      kind_(kind),
      extent_(extent),
      is_cut_(is_cut),
      look_(std::move(look)),
      next_(std::max<int64_t>(extent.oldest_sequence, 1)),
      appended_(next_ - 1) {}

absl::Status LogRestoration::Take(const std::string& member,
                                  absl::string_view lines) {
  if (LeavesOut()) return absl::OkStatus();
  if (member != LogPartMember(BelowMovie(key_), next_)) {
    return CopyDamaged(member, absl::StrCat("where record ", next_, " is due"));
  }
  while (!lines.empty() && !LeavesOut()) {
    const size_t end = lines.find('\n');
    if (end == absl::string_view::npos) {
      return CopyDamaged(member, "ends within a line");
    }
    KINORA_RETURN_IF_ERROR(TakeLine(member, lines.substr(0, end)));
    lines.remove_prefix(end + 1);
  }
  return AppendTaken();
}

absl::Status LogRestoration::TakeLine(const std::string& member,
                                      absl::string_view line) {
  const absl::Status sound = CheckLogLineIs(next_, line);
  if (!sound.ok()) {
    return CopyDamaged(member,
                       absl::StrCat("record ", next_, ": ", sound.message()));
  }
  if (next_ > extent_.last_sequence) {
    return CopyDamaged(
        member, absl::StrCat("has record ", next_, " behind the log's end"));
  }
  const absl::StatusOr<v1::Event> event =
      EventFromRecord(key_, kind_, {next_, std::string(line)});
  if (!event.ok()) return CopyDamaged(member, event.status().message());
  KINORA_ASSIGN_OR_RETURN(const std::string archive, look_(*event));

  // What will be read back is what was read.
  std::string body = LogLineBody(line);
  std::string again;
  AppendLogLine(next_, body, &again);
  if (!ValidateLogBody(body).ok() || absl::StripSuffix(again, "\n") != line) {
    return CopyDamaged(
        member, absl::StrCat("record ", next_, " is not as a store writes it"));
  }
  bodies_.push_back(std::move(body));
  ++next_;
  if (archive.empty()) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(AppendTaken());
  return log_.Archive(key_, next_ - 1, archive);
}

absl::Status LogRestoration::AppendTaken() {
  if (bodies_.empty()) return absl::OkStatus();
  const bool first = appended_ < std::max<int64_t>(extent_.oldest_sequence, 1);
  const absl::StatusOr<AppendedRange> range =
      first ? log_.Restore(key_, appended_ + 1, bodies_)
            : log_.Append(key_, bodies_, AdmitAlways);
  KINORA_RETURN_IF_ERROR(range.status());
  if (range->last_sequence != next_ - 1) {
    return absl::InternalError(absl::StrCat(
        key_, " ends at ", range->last_sequence, " instead of ", next_ - 1));
  }
  appended_ = range->last_sequence;
  bodies_.clear();
  return absl::OkStatus();
}

absl::Status LogRestoration::Finish() const {
  if (appended_ >= extent_.last_sequence) return absl::OkStatus();
  return CopyDamaged(BelowMovie(key_),
                     absl::StrCat("ends at record ", appended_, ", not ",
                                  extent_.last_sequence));
}

}  // namespace kinora
