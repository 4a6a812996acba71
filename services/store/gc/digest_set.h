// A DigestSet holds many digests in little memory: 32 bytes each, and up to
// twice that while it grows. Digests are added, then looked up shard by shard;
// a shard is what has the same first byte, as a directory of blobs has.

#ifndef KINORA_SERVICES_STORE_GC_DIGEST_SET_H_
#define KINORA_SERVICES_STORE_GC_DIGEST_SET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/digest.h"

namespace kinora {

// Not thread-safe.
class DigestSet {
 public:
  static constexpr int kShards = 256;

  void Add(const Digest& digest);

  // Of no use after Drop() of the digest's shard.
  bool Contains(const Digest& digest);

  // Frees the memory of a shard.
  void Drop(int shard) { shards_[shard] = Shard(); }

  // Digests in the set; also those of dropped shards count no more.
  size_t size();

 private:
  // Sorted up to `sorted`; what comes after it may be there twice.
  struct Shard {
    std::vector<Digest> digests;
    size_t sorted = 0;
  };

  static void Sort(Shard* shard);

  std::array<Shard, kShards> shards_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_GC_DIGEST_SET_H_
