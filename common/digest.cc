#include "common/digest.h"

#include <cstdlib>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include <openssl/evp.h>

#include "common/status.h"

namespace kinora {
namespace {

// Fetched once: looking the algorithm up by name on every hash doubles the cost
// of a small one.
const EVP_MD* Sha256Algorithm() {
  static const EVP_MD* const algorithm =
      EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

// OpenSSL's digest calls fail only without memory or without the algorithm;
// there is no hash to go on with then.
void Require(bool ok) {
  if (!ok) std::abort();
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

const Digest kEmptyDigest = {{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
                              0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
                              0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
                              0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};

absl::StatusOr<Digest> Digest::ParseHex(absl::string_view hex) {
  if (hex.size() != 2 * kSize) {
    return InvalidField(
        "digest", hex,
        absl::StrCat("must be 64 lower-case hex digits, has ", hex.size()));
  }
  Digest digest;
  for (size_t i = 0; i < hex.size(); ++i) {
    const int value = HexDigit(hex[i]);
    if (value < 0) {
      return InvalidField(
          "digest", hex,
          absl::StrCat("must be lower-case hex digits, is not at byte ", i));
    }
    digest.bytes[i / 2] =
        static_cast<uint8_t>(digest.bytes[i / 2] << 4 | value);
  }
  return digest;
}

absl::StatusOr<Digest> Digest::FromBytes(absl::string_view raw) {
  if (raw.size() != kSize) {
    return InvalidField("digest", absl::BytesToHexString(raw.substr(0, kSize)),
                        absl::StrCat("must be 32 bytes, has ", raw.size()));
  }
  Digest digest;
  std::memcpy(digest.bytes.data(), raw.data(), kSize);
  return digest;
}

std::string Digest::Hex() const { return absl::BytesToHexString(Bytes()); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) { Reset(); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&& other) noexcept = default;
Sha256& Sha256::operator=(Sha256&& other) noexcept = default;

void Sha256::FreeContext::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

void Sha256::Update(absl::string_view bytes) {
  Require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::Finish() {
  Digest digest;
  Require(EVP_DigestFinal_ex(context_.get(), digest.bytes.data(), nullptr) ==
          1);
  Reset();
  return digest;
}

void Sha256::Reset() {
  Require(EVP_DigestInit_ex2(context_.get(), Sha256Algorithm(), nullptr) == 1);
}

Digest Sha256Of(absl::string_view bytes) {
  thread_local Sha256 hasher;
  hasher.Update(bytes);
  return hasher.Finish();
}

}  // namespace kinora
