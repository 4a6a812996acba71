#include "common/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace kinora {
namespace {

class KernelRandom final : public Random {
 public:
  uint64_t Next() override {
    uint64_t bits;
    Fill(absl::MakeSpan(reinterpret_cast<uint8_t*>(&bits), sizeof(bits)));
    return bits;
  }

  void Fill(absl::Span<uint8_t> out) override {
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got > 0) {
        out.remove_prefix(static_cast<size_t>(got));
      } else if (errno != EINTR) {
        // Cannot happen on a kernel that has the call; going on with bytes that
        // are not random would be worse than ending.
        std::abort();
      }
    }
  }
};

}  // namespace

Random& SystemRandom() {
  static KernelRandom* const random = new KernelRandom;
  return *random;
}

uint64_t SeededRandom::Next() {
  constexpr uint64_t kStep = 0x9E3779B97F4A7C15ull;
  uint64_t z = state_.fetch_add(kStep, std::memory_order_relaxed) + kStep;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

void SeededRandom::Fill(absl::Span<uint8_t> out) {
  while (!out.empty()) {
    const uint64_t bits = Next();
    const size_t n = out.size() < sizeof(bits) ? out.size() : sizeof(bits);
    std::memcpy(out.data(), &bits, n);
    out.remove_prefix(n);
  }
}

uint64_t UniformBelow(Random& random, uint64_t bound) {
  // Values below 2^64 mod bound would favour the small results: draw again.
  const uint64_t biased = (0 - bound) % bound;
  uint64_t bits = random.Next();
  while (bits < biased) bits = random.Next();
  return bits % bound;
}

double UniformUnit(Random& random) {
  return static_cast<double>(random.Next() >> 11) * 0x1.0p-53;
}

}  // namespace kinora
