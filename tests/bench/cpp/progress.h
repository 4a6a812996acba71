// How far one reader of a log is, for those who wait for it.

#ifndef KINORA_TESTS_BENCH_CPP_PROGRESS_H_
#define KINORA_TESTS_BENCH_CPP_PROGRESS_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/repeated_ptr_field.h"

#include "common/threads/mutex.h"
#include "kinora/v1/event.pb.h"
#include "tests/bench/cpp/bench.h"

namespace kinora {

// Thread-safe.
class Progress {
 public:
  // Of a reader who has seen, or does not want, the events up to `seen`.
  explicit Progress(int64_t seen = 0) : seen_(seen) {}

  // `events` MUST be the next ones: else the benchmark ends.
  void Saw(const google::protobuf::RepeatedPtrField<v1::Event>& events) {
    MutexLock lock(mu_);
    for (const v1::Event& event : events) {
      if (event.sequence() != ++seen_) {
        FailBench(absl::DataLossError(absl::StrCat(
            "event ", event.sequence(), " came where ", seen_, " was due")));
      }
    }
    changed_.SignalAll();
  }
  void AwaitSeen(int64_t sequence) {
    MutexLock lock(mu_);
    while (seen_ < sequence) changed_.Wait(mu_);
  }
  int64_t seen() {
    MutexLock lock(mu_);
    return seen_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  int64_t seen_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_TESTS_BENCH_CPP_PROGRESS_H_
