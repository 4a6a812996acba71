// The graph of plan_movie.h as files for ninja and GNU make: the same script,
// stages and fan-in, every output there and up to date. Prompts are left out,
// so there is less for them to look at.

#ifndef KINORA_TESTS_BENCH_CPP_PLAN_PEERS_H_
#define KINORA_TESTS_BENCH_CPP_PLAN_PEERS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace kinora {

// Writes build.ninja, .ninja_log (version 5), Makefile and the files below
// `directory`: `script`, `dN/sA_B_C.txt` (a leaf is changed by touching one)
// and so on up to `film`.
void WritePlanPeers(const std::string& directory,
                    const std::vector<uint32_t>& sizes, bool tree);

}  // namespace kinora

#endif  // KINORA_TESTS_BENCH_CPP_PLAN_PEERS_H_
