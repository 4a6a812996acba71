#include "clients/cpp/import/import_run.h"

namespace kinora {

std::string ImportRunId(const Digest& content) {
  constexpr absl::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  // Ten digits of time, sixteen that are else random.
  std::string id = "run-0000000000";
  for (int i = 0; i < 16; ++i) id.push_back(kDigits[content.bytes[i] % 32]);
  return id;
}

}  // namespace kinora
