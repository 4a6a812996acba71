#include "common/testing/seed_range.h"

#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace kinora {

bool ParseSeedFlags(int argc, char** argv, SeedRange* seeds) {
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    bool valid = false;
    if (absl::ConsumePrefix(&argument, "--seed=")) {
      valid = absl::SimpleAtoi(argument, &seeds->first);
      seeds->count = 1;
      seeds->verbose = true;
    } else if (absl::ConsumePrefix(&argument, "--seeds=")) {
      valid = absl::SimpleAtoi(argument, &seeds->count);
    }
    if (valid) continue;
    std::cerr << "usage: [--seed=N | --seeds=COUNT]\n";
    return false;
  }
  return true;
}

}  // namespace kinora
