#include "clients/cpp/import/stray_file.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"

namespace kinora {
namespace {

constexpr std::array<absl::string_view, 11> kNames = {
    ".DS_Store",   ".Spotlight-V100", ".Trashes",   "__MACOSX", "Thumbs.db",
    "desktop.ini", "@eaDir",          ".directory", ".git",     ".svn",
    ".hg"};

}  // namespace

bool IsStrayName(absl::string_view name) {
  const bool known =
      std::any_of(kNames.begin(), kNames.end(), [name](absl::string_view each) {
        return absl::EqualsIgnoreCase(each, name);
      });
  if (known) return true;
  // Backups and locks of editors, and what macOS keeps beside a file.
  return absl::EndsWith(name, "~") || absl::StartsWith(name, "._") ||
         absl::StartsWith(name, ".#") || absl::EndsWith(name, ".bak") ||
         (absl::StartsWith(name, "#") && absl::EndsWith(name, "#")) ||
         (absl::StartsWith(name, ".") &&
          (absl::EndsWith(name, ".swp") || absl::EndsWith(name, ".swo")));
}

}  // namespace kinora
