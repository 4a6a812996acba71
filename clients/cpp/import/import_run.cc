#include "clients/cpp/import/import_run.h"

#include "absl/strings/match.h"

namespace kinora {
namespace {

constexpr absl::string_view kPrefix = "run-0000000000";

}  // namespace

std::string ImportRunId(const Digest& content) {
  constexpr absl::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  // Ten digits of time, sixteen that are else random.
  std::string id(kPrefix);
  for (int i = 0; i < 16; ++i) id.push_back(kDigits[content.bytes[i] % 32]);
  return id;
}

bool IsImportRun(absl::string_view run_id) {
  return absl::StartsWith(run_id, kPrefix);
}

}  // namespace kinora
