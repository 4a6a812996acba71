#include "clients/cli/recovery_text.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace kinora {

std::vector<std::string> RecoveryLines(const v1::RunSnapshot& run) {
  const v1::RunRecovery& recovery = run.recovery();
  std::vector<std::string> lines;
  if (recovery.state() == v1::RUN_RECOVERY_STATE_UNSPECIFIED ||
      recovery.state() == v1::RUN_RECOVERY_STATE_NONE) {
    return lines;
  }
  if (!recovery.message().empty()) {
    lines.push_back(absl::StrCat("recovery: ", recovery.message()));
  }
  if (recovery.resume_ready()) {
    lines.push_back(
        absl::StrCat("    kinora runs resume ", run.record().run_id()));
  }
  if (!recovery.known_limit().empty()) {
    lines.push_back(
        absl::StrCat("    not known before: ", recovery.known_limit()));
  }
  const bool is_quarantined =
      recovery.state() == v1::RUN_RECOVERY_STATE_QUARANTINED;
  for (const v1::RunRefusal& refusal : recovery.refusals()) {
    absl::string_view what = "refused: ";
    if (is_quarantined) {
      // What the disk does not give back may be sound.
      what = refusal.reason() == "DATA_CORRUPT" ? "damaged: " : "unreadable: ";
    }
    std::string line = absl::StrCat(what, refusal.message());
    if (!refusal.reason().empty()) {
      absl::StrAppend(&line, " (", refusal.reason(), ")");
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace kinora
