// Producers that take their time: attempts go on until they are told to end or
// cancelled, and look-ups until they are cut short, unless they are told what
// to answer.

#ifndef KINORA_SERVICES_RUNNER_TESTING_HELD_PRODUCERS_H_
#define KINORA_SERVICES_RUNNER_TESTING_HELD_PRODUCERS_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/digest.h"
#include "common/proto_time.h"
#include "common/threads/mutex.h"
#include "services/runner/calls/producer_caller.h"

namespace kinora {

// Of version 1. Thread-safe. MUST outlive the attempts.
class HeldProducers final : public ProducerCaller {
 public:
  absl::StatusOr<v1::DescribeResponse> Describe(
      absl::string_view /*producer*/, const std::string& /*version*/) override {
    v1::DescribeResponse description;
    description.mutable_identity()->set_version("1");
    description.set_supports_look_up(true);
    return description;
  }

  absl::StatusOr<FoundWork> LookUp(absl::string_view /*producer*/,
                                   const std::string& /*idempotency_key*/,
                                   CallStop& stop) override {
    {
      MutexLock lock(mu_);
      if (found_.has_value()) return *found_;
      ++looking_;
      changed_.SignalAll();
    }
    {
      Cut cut;
      const CallStop::Way way(stop, [&cut] { cut.Set(); });
      cut.Wait();
    }
    MutexLock lock(mu_);
    --looking_;
    return absl::CancelledError("cut short");
  }

  std::unique_ptr<Attempt> Start(
      AttemptRequest request,
      std::shared_ptr<AttemptObserver> observer) override {
    const std::string job_id = request.header.job_id();
    MutexLock lock(mu_);
    ++calls_;
    held_[job_id] = {std::move(request), std::move(observer)};
    changed_.SignalAll();
    return std::make_unique<HeldAttempt>(*this, job_id);
  }

  // Attempts that are cancelled from now on have cost that.
  void ChargeCancelled(const v1::Cost& cost) {
    MutexLock lock(mu_);
    cost_of_cancelled_ = cost;
  }

  // What look-ups answer from now on.
  void AnswerLookUps(v1::LookUpState state) {
    MutexLock lock(mu_);
    found_ = FoundWork{state, std::nullopt};
  }
  // From now on nobody answers them.
  void FailLookUps() {
    MutexLock lock(mu_);
    found_ = absl::UnavailableError("away");
  }

  // The attempt at a job that is under way makes a text for each output.
  void Succeed(const std::string& job_id) {
    const Held held = Take(job_id);
    ASSERT_NE(held.observer, nullptr);
    AttemptResult result;
    for (size_t i = 0; i < held.request.outputs.size(); ++i) {
      AttemptResult::Output& output = result.outputs.emplace_back();
      v1::InlineValue* value = output.content.mutable_inline_();
      value->set_mime_type("text/plain");
      value->set_data("made");
      value->set_hash(Sha256Of("made").Hex());
    }
    result.contact = Contact::kAnswered;
    held.observer->OnDone(std::move(result));
  }

  // It fails, and may be made again, though not before `retry_after`.
  void Fail(const std::string& job_id,
            absl::Duration retry_after = absl::ZeroDuration()) {
    const Held held = Take(job_id);
    ASSERT_NE(held.observer, nullptr);
    AttemptResult result;
    result.failure.emplace();
    result.failure->set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
    result.failure->set_retryable(true);
    if (retry_after > absl::ZeroDuration()) {
      *result.failure->mutable_retry_after() = ToProto(retry_after);
    }
    result.contact = Contact::kAnswered;
    held.observer->OnDone(std::move(result));
  }

  // Its time is up, after the producer has taken the job.
  void TimeOut(const std::string& job_id) {
    const Held held = Take(job_id);
    ASSERT_NE(held.observer, nullptr);
    AttemptResult result;
    result.failure.emplace();
    result.failure->set_reason(v1::FAILURE_REASON_DEADLINE_EXCEEDED);
    result.failure->set_message("no result in time");
    result.failure->set_retryable(true);
    result.in_doubt = true;
    result.contact = Contact::kAnswered;
    held.observer->OnDone(std::move(result));
  }

  // It asks whether to go on. `takes_answer` as of AttemptObserver.
  void Ask(const std::string& job_id, bool takes_answer) {
    v1::Question question;
    question.set_question_id("go");
    question.set_prompt("Go on?");
    question.set_kind(v1::QUESTION_KIND_CONFIRM);
    std::shared_ptr<AttemptObserver> observer;
    {
      MutexLock lock(mu_);
      const auto found = held_.find(job_id);
      if (found != held_.end()) observer = found->second.observer;
    }
    ASSERT_NE(observer, nullptr);
    observer->OnQuestion(question, takes_answer);
  }

  // It ends to wait for the answer to what it has asked; it has told its cost.
  void AwaitAnswer(const std::string& job_id, const v1::Cost& cost) {
    const Held held = Take(job_id);
    ASSERT_NE(held.observer, nullptr);
    AttemptResult result;
    result.waits_for = "go";
    result.cost = cost;
    result.contact = Contact::kAnswered;
    held.observer->OnDone(std::move(result));
  }

  // It breaks, after the producer has taken the job and told what it costs.
  void Lose(const std::string& job_id,
            const std::optional<v1::Cost>& cost = std::nullopt) {
    const Held held = Take(job_id);
    ASSERT_NE(held.observer, nullptr);
    AttemptResult result;
    result.failure.emplace();
    result.failure->set_reason(v1::FAILURE_REASON_PRODUCER_UNAVAILABLE);
    result.failure->set_retryable(true);
    result.in_doubt = true;
    result.cost = cost;
    held.observer->OnDone(std::move(result));
  }

  // All wait for it, not for longer than a test should take.
  void WaitForAttempt(const std::string& job_id) {
    WaitFor([&] {
      mu_.AssertHeld();
      return held_.count(job_id) > 0;
    });
  }
  void WaitForCancel(const std::string& job_id) {
    WaitFor([&] {
      mu_.AssertHeld();
      return cancelled_.count(job_id) > 0;
    });
  }
  void WaitForLookUp() {
    WaitFor([&] {
      mu_.AssertHeld();
      return looking_ > 0;
    });
  }

  // For how long the attempt that is under way may go on; zero if there is
  // none.
  absl::Duration TimeoutOf(const std::string& job_id) const {
    MutexLock lock(mu_);
    const auto found = held_.find(job_id);
    return found == held_.end() ? absl::ZeroDuration()
                                : found->second.request.timeout;
  }

  int looking() const {
    MutexLock lock(mu_);
    return looking_;
  }
  int calls() const {
    MutexLock lock(mu_);
    return calls_;
  }

 private:
  struct Held {
    AttemptRequest request;
    std::shared_ptr<AttemptObserver> observer;
  };

  class Cut {
   public:
    void Set() {
      MutexLock lock(mu_);
      set_ = true;
      cv_.SignalAll();
    }
    void Wait() {
      MutexLock lock(mu_);
      while (!set_) cv_.Wait(mu_);
    }

   private:
    Mutex mu_;
    CondVar cv_;
    bool set_ ABSL_GUARDED_BY(mu_) = false;
  };

  class HeldAttempt final : public Attempt {
   public:
    HeldAttempt(HeldProducers& producers, std::string job_id)
        : producers_(producers), job_id_(std::move(job_id)) {}
    void Cancel() override { producers_.Cancelled(job_id_); }
    void Answer(const v1::Answer&) override {}

   private:
    HeldProducers& producers_;
    const std::string job_id_;
  };

  Held Take(const std::string& job_id) {
    MutexLock lock(mu_);
    const auto found = held_.find(job_id);
    if (found == held_.end()) return {};
    Held held = std::move(found->second);
    held_.erase(found);
    return held;
  }

  void Cancelled(const std::string& job_id) {
    const Held held = Take(job_id);
    if (held.observer == nullptr) return;
    AttemptResult result;
    result.failure.emplace();
    result.failure->set_reason(v1::FAILURE_REASON_CANCELLED);
    {
      MutexLock lock(mu_);
      result.cost = cost_of_cancelled_;
      cancelled_.insert(job_id);
      changed_.SignalAll();
    }
    held.observer->OnDone(std::move(result));
  }

  template <typename Condition>
  void WaitFor(Condition condition) {
    const int64_t deadline = DeadlineAfter(RealClock(), absl::Seconds(60));
    MutexLock lock(mu_);
    while (!condition()) {
      ASSERT_TRUE(changed_.WaitUntil(mu_, deadline) || condition());
    }
  }

  mutable Mutex mu_;
  CondVar changed_;
  int looking_ ABSL_GUARDED_BY(mu_) = 0;
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<std::string, Held> held_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> cancelled_ ABSL_GUARDED_BY(mu_);
  std::optional<v1::Cost> cost_of_cancelled_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::StatusOr<FoundWork>> found_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_TESTING_HELD_PRODUCERS_H_
