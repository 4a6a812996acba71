// Spreads a loop over the threads of an Executor.

#ifndef KINORA_COMMON_THREADS_PARALLEL_FOR_H_
#define KINORA_COMMON_THREADS_PARALLEL_FOR_H_

#include <cstddef>

#include "absl/functional/function_ref.h"

#include "common/threads/executor.h"

namespace kinora {

// Calls `body(i)` once for each i below `count`, in any order and on several
// threads at once: the caller's and, as they are free, up to `helpers` of
// `executor`. Returns when all calls have. The caller never waits for a thread
// to become free, so it may itself be a task of the executor.
void ParallelFor(Executor& executor, int helpers, size_t count,
                 absl::FunctionRef<void(size_t)> body);

}  // namespace kinora

#endif  // KINORA_COMMON_THREADS_PARALLEL_FOR_H_
