// The checker of a store after a crash: the invariants of architecture.md that
// a store has, held against what its user knows (StoreFacts).
//
//   1  blobs: acknowledged ones are there with their bytes; every file below
//      `blobs/` is whole and has the hash it is named for
//   2  logs: acknowledged appends are there once, in their place, dense; others
//      whole or absent, never twice
//   3  nothing is damaged: every log reads to its end
//   4  `current` is the last acknowledged revision, or the one that was under
//      way, and never moves back; no manifest ever changes
//   8  run records and plans are the last acknowledged, or an attempt after it
//   9  a page after another delivers every event once
//   11 fencing tokens never go back
//   12 every manifest rebuilt from the logs has its bytes; the indexes of
//      artefacts and inputs answer what the logs say

#ifndef KINORA_TESTS_CRASH_STORE_CHECKER_H_
#define KINORA_TESTS_CRASH_STORE_CHECKER_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/store/local_store.h"
#include "tests/crash/store_facts.h"

namespace kinora {

// Checks a store that was just opened and settles `facts`: what was unsure is
// now known. The error says which promise is broken, of which movie.
absl::Status CheckStore(LocalStore& local, FileSystem& fs,
                        absl::string_view data_dir, StoreFacts* facts);

// What `kinora verify` says of a store that keeps its promises: nothing, of no
// movie and of the directories. No crash leaves what it takes for damage.
absl::Status VerifyStore(LocalStore& local, const StoreFacts& facts);

}  // namespace kinora

#endif  // KINORA_TESTS_CRASH_STORE_CHECKER_H_
