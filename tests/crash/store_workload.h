// The workload of the crash tests: a list of steps, each a few changes that a
// runner or a user makes. A new operation of the store is one more step.

#ifndef KINORA_TESTS_CRASH_STORE_WORKLOAD_H_
#define KINORA_TESTS_CRASH_STORE_WORKLOAD_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/random.h"
#include "tests/crash/store_call.h"
#include "tests/crash/store_facts.h"

namespace kinora {

// What a step works with.
struct StepContext {
  StoreCaller& caller;
  StoreFacts& facts;
  Random& random;
  std::string movie_id;  // the one this step is about
  int64_t* next_id;      // for texts and ids that occur once

  MovieFacts& movie() { return facts.movies()[movie_id]; }
  int64_t Id() { return (*next_id)++; }
  int Below(int bound) {
    return static_cast<int>(UniformBelow(random, static_cast<uint64_t>(bound)));
  }
};

struct WorkloadStep {
  absl::string_view name;
  int weight;  // how often, relative to the others
  // OK also if there is nothing to do. REQUIRES: the movie exists.
  std::function<absl::Status(StepContext&)> run;
};

const std::vector<WorkloadStep>& WorkloadSteps();

// Creates the movie.
absl::Status CreateMovieStep(StepContext& context);

// Asks again for what got no answer, as after a restart.
absl::Status RepeatUnanswered(StepContext& context);

// One step, drawn by weight; creates the movie if it does not exist.
absl::Status RunRandomStep(StepContext& context);

}  // namespace kinora

#endif  // KINORA_TESTS_CRASH_STORE_WORKLOAD_H_
