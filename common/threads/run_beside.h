// RunBeside() uses a second core for a moment.

#ifndef KINORA_COMMON_THREADS_RUN_BESIDE_H_
#define KINORA_COMMON_THREADS_RUN_BESIDE_H_

#include "absl/functional/function_ref.h"

#include "common/threads/executor.h"

namespace kinora {

// Runs `own` on this thread and `other` on a thread of `helper` meanwhile, with
// this one's trace, and returns when both have ended. If nobody has begun with
// `other` when `own` has ended, this thread does it: so no wait depends on a
// free thread, whatever waits on `helper`'s.
void RunBeside(Executor& helper, absl::FunctionRef<void()> other,
               absl::FunctionRef<void()> own);

}  // namespace kinora

#endif  // KINORA_COMMON_THREADS_RUN_BESIDE_H_
