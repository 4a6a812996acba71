// The movie that plan_bench plans: one script, A x B x C segments of six stages
// each, and a film of all clips, read at once or through a tree.

#ifndef KINORA_TESTS_BENCH_CPP_PLAN_MOVIE_H_
#define KINORA_TESTS_BENCH_CPP_PLAN_MOVIE_H_

#include <cstdint>
#include <vector>

#include "services/store/store.h"

namespace kinora {

inline constexpr char kPlanMovie[] = "film";

// Makes the movie in an empty store, with a first revision in which every job
// has succeeded, its output inline, under the key that a planner computes. No
// producer is called: the events are those of a run.
void FillPlanMovie(Store store, const std::vector<uint32_t>& sizes, bool tree);

}  // namespace kinora

#endif  // KINORA_TESTS_BENCH_CPP_PLAN_MOVIE_H_
