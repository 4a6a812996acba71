// MemberSums are the hashes of the members of a copy, in their order: the last
// member, `SHA256SUMS`, which `sha256sum -c` reads where the copy is unpacked.
// It says what a whole copy holds, so that none that lacks something passes for
// one.

#ifndef KINORA_SERVICES_STORE_BACKUP_MEMBER_SUMS_H_
#define KINORA_SERVICES_STORE_BACKUP_MEMBER_SUMS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/digest.h"

namespace kinora {

// Not thread-safe. Costs 32 bytes for a blob, which is named by its hash.
class MemberSums {
 public:
  void Add(absl::string_view path, const Digest& digest) {
    members_.emplace_back(path, digest);
  }
  // Blobs come after all other members.
  void AddBlob(const Digest& digest) { blobs_.push_back(digest); }

  int64_t size_bytes() const;

  // Hands out the text, line by line.
  absl::Status Write(
      absl::FunctionRef<absl::Status(absl::string_view line)> take) const;

 private:
  std::vector<std::pair<std::string, Digest>> members_;
  std::vector<Digest> blobs_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_MEMBER_SUMS_H_
