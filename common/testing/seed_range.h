// Which seeds a test of random stories goes through: some by default, one that
// failed, or many more.

#ifndef KINORA_COMMON_TESTING_SEED_RANGE_H_
#define KINORA_COMMON_TESTING_SEED_RANGE_H_

#include <cstdint>

namespace kinora {

struct SeedRange {
  uint64_t first = 1;
  uint64_t count = 10'000;
  bool verbose = false;  // one seed alone: tell its story though it is fine
};

// Reads what GoogleTest has left of the flags: --seed=N for that one alone,
// --seeds=COUNT for so many. False, with a line on standard error, if there is
// any other.
bool ParseSeedFlags(int argc, char** argv, SeedRange* seeds);

}  // namespace kinora

#endif  // KINORA_COMMON_TESTING_SEED_RANGE_H_
