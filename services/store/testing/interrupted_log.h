// InterruptedLog is an EventLog in which something else happens once, ahead of
// an append that holds a word.

#ifndef KINORA_SERVICES_STORE_TESTING_INTERRUPTED_LOG_H_
#define KINORA_SERVICES_STORE_TESTING_INTERRUPTED_LOG_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "services/store/event/event_log.h"

namespace kinora {

// As thread-safe as its base; the interruption happens on the appending thread.
class InterruptedLog final : public EventLog {
 public:
  // `base` MUST outlive this.
  InterruptedLog(EventLog& base, std::string word, std::function<void()> before)
      : base_(base), word_(std::move(word)), before_(std::move(before)) {}

  absl::StatusOr<AppendedRange> Append(absl::string_view log,
                                       absl::Span<const std::string> bodies,
                                       Admit admit) override {
    if (before_ != nullptr && bodies[0].find(word_) != std::string::npos) {
      std::exchange(before_, nullptr)();
    }
    return base_.Append(log, bodies, admit);
  }
  absl::StatusOr<std::vector<LogRecord>> Read(absl::string_view log,
                                              int64_t after, int64_t limit,
                                              int64_t max_bytes) override {
    return base_.Read(log, after, limit, max_bytes);
  }
  WaiterId NotifyAfter(absl::string_view log, int64_t after,
                       absl::AnyInvocable<void()> callback) override {
    return base_.NotifyAfter(log, after, std::move(callback));
  }
  void CancelNotify(WaiterId id) override { base_.CancelNotify(id); }
  absl::StatusOr<LogExtent> Extent(absl::string_view log) override {
    return base_.Extent(log);
  }
  absl::Status Archive(absl::string_view log, int64_t through,
                       absl::string_view archive) override {
    return base_.Archive(log, through, archive);
  }
  absl::Status Checkpoint(absl::string_view log) override {
    return base_.Checkpoint(log);
  }
  absl::Status Trim(absl::string_view log, int64_t through) override {
    return base_.Trim(log, through);
  }
  absl::Status Remove(absl::string_view log) override {
    return base_.Remove(log);
  }
  absl::StatusOr<AppendedRange> Restore(
      absl::string_view log, int64_t first_sequence,
      absl::Span<const std::string> bodies) override {
    return base_.Restore(log, first_sequence, bodies);
  }

 private:
  EventLog& base_;
  const std::string word_;
  std::function<void()> before_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_TESTING_INTERRUPTED_LOG_H_
