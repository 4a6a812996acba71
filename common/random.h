// A Random is the only source of randomness: what draws numbers takes a Random&
// in its constructor, so that a test can repeat a run from its seed.

#ifndef KINORA_COMMON_RANDOM_H_
#define KINORA_COMMON_RANDOM_H_

#include <atomic>
#include <cstdint>

#include "absl/types/span.h"

namespace kinora {

// All methods of a Random are safe to call from any thread.
class Random {
 public:
  virtual ~Random() = default;

  // 64 uniformly distributed bits.
  virtual uint64_t Next() = 0;

  // Overwrites `out` with uniformly distributed bytes.
  virtual void Fill(absl::Span<uint8_t> out) = 0;
};

// The kernel's generator (getrandom), fit for tokens and ids that nobody may
// guess. Lives as long as the process.
Random& SystemRandom();

// A SeededRandom yields the same numbers for the same seed (SplitMix64). Not
// for secrets. With several threads the sequence is the same, but which thread
// draws which number is not.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next() override;
  void Fill(absl::Span<uint8_t> out) override;

 private:
  std::atomic<uint64_t> state_;
};

// A number in [0, bound), free of modulo bias. REQUIRES: bound > 0.
uint64_t UniformBelow(Random& random, uint64_t bound);

// A number in [0, 1) with 53 random bits.
double UniformUnit(Random& random);

}  // namespace kinora

#endif  // KINORA_COMMON_RANDOM_H_
