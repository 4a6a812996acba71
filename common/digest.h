// SHA-256: the Digest value and the hashers that make one. A blob's name, a
// manifest's hash and an inputs hash are all Digests.

#ifndef KINORA_COMMON_DIGEST_H_
#define KINORA_COMMON_DIGEST_H_

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace kinora {

// A Digest is the 32 bytes of a SHA-256. A default one is all zero, which no
// known input hashes to. Its text form is always 64 lower-case hex digits.
struct Digest {
  static constexpr size_t kSize = 32;

  std::array<uint8_t, kSize> bytes = {};

  // Reads 64 lower-case hex digits. Upper case is refused: a digest names a
  // file and must have one spelling. INVALID_ARGUMENT says what is wrong where.
  static absl::StatusOr<Digest> ParseHex(absl::string_view hex);

  // Takes 32 raw bytes; INVALID_ARGUMENT for any other length.
  static absl::StatusOr<Digest> FromBytes(absl::string_view raw);

  std::string Hex() const;

  // The 32 raw bytes, valid while this Digest is.
  absl::string_view Bytes() const {
    return absl::string_view(reinterpret_cast<const char*>(bytes.data()),
                             bytes.size());
  }

  friend bool operator==(const Digest&, const Digest&) = default;
  friend std::strong_ordering operator<=>(const Digest&,
                                          const Digest&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Digest& digest) {
    return H::combine(std::move(h), digest.bytes);
  }
};

// SHA-256 of no bytes.
extern const Digest kEmptyDigest;

// A Sha256 hashes a stream of bytes. Not thread-safe. Reusable: Finish() leaves
// it as new. Keep one and reuse it for many small hashes, as setting up an
// OpenSSL context costs as much as hashing a short text.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&& other) noexcept;
  Sha256& operator=(Sha256&& other) noexcept;

  void Update(absl::string_view bytes);

  // The hash of everything since construction or the last Finish() or Reset().
  Digest Finish();

  // Forgets what was hashed so far.
  void Reset();

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

// The hash of `bytes`. Thread-safe; reuses one context per thread.
Digest Sha256Of(absl::string_view bytes);

}  // namespace kinora

#endif  // KINORA_COMMON_DIGEST_H_
