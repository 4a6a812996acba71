// A RunState under a scheduler that is out to get it: of everything that is
// under way, whatever may come next does, in virtual time, too early, too late
// or twice; attempts fail and get lost, a person retries and cancels, the
// planner's answers come when other artefacts have landed long since. After
// each step RunRules (run_rules.h) look at what it did.
//
// One test is a block of seeds, so that shards share them out. A failing seed
// alone, with all that happened:
//   bazel run //tests/model:run_state_model_test -- --seed=N
// More seeds than usual: --seeds=1000000 (make kill-all).

#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

#include "common/random.h"
#include "common/status.h"
#include "common/testing/seed_range.h"
#include "services/runner/state/run_state.h"
#include "tests/model/random_plan.h"
#include "tests/model/run_rules.h"

namespace kinora {
namespace {

constexpr int kBlocks = 100;
// A run of 40 jobs takes some hundred steps; one that takes so many never ends.
constexpr int kMaxSteps = 20'000;

SeedRange seeds = {.count = 20'000};

class RunStateWalk {
 public:
  explicit RunStateWalk(uint64_t seed) : random_(seed), plan_(random_) {
    // Some runs have no faults at all, some hardly anything else.
    faults_ = Below(3) == 0 ? 0 : Below(60);
    is_adopted_ = Below(3) == 0;
    cancels_ = Below(6) == 0;
    disorder_ = Below(100);
    refusals_ = Below(3) == 0 ? Below(60) : 0;
  }

  absl::Status Run() {
    const std::shared_ptr<const v1::Plan> plan = plan_.Plan();
    KINORA_ASSIGN_OR_RETURN(RunState created,
                            RunState::Create(plan, plan_.options(), random_));
    state_.emplace(std::move(created));
    rules_.emplace(plan_, *state_);
    KINORA_RETURN_IF_ERROR(rules_->Created(*plan));
    if (Percent(50)) Recall();
    for (int step = 0; step < kMaxSteps; ++step) {
      KINORA_ASSIGN_OR_RETURN(const bool goes_on, Step());
      if (!goes_on) return rules_->Ended();
    }
    return absl::InternalError("the run does not come to an end");
  }

  const std::vector<std::string>& story() const { return story_; }

 private:
  // What will answer a command.
  enum class Kind { kLookUp, kAttempt, kRetry, kDoubt, kAnswer, kExpansion };
  struct Pending {
    absl::Duration due;
    Kind kind = Kind::kLookUp;
    JobIndex job = 0;
    std::vector<std::string> asked;  // of an expansion
  };

  int Below(int bound) {
    return static_cast<int>(
        UniformBelow(random_, static_cast<uint64_t>(bound)));
  }
  bool Percent(int chance) { return Below(100) < chance; }

  // False if there is nothing left to do.
  absl::StatusOr<bool> Step() {
    if (pending_.empty() || Percent(60)) {
      KINORA_ASSIGN_OR_RETURN(const bool commanded, Command());
      if (!commanded && pending_.empty()) return false;
    }
    if (cancels_ && Below(60) == 0) {
      KINORA_RETURN_IF_ERROR(Tell(CancelRequested{}, "cancel"));
    }
    if (Percent(8)) KINORA_RETURN_IF_ERROR(TellNonsense());
    if (!pending_.empty() && Percent(80)) KINORA_RETURN_IF_ERROR(Deliver());
    return true;
  }

  // True if something was commanded.
  absl::StatusOr<bool> Command() {
    std::set<JobIndex> refused;
    const RunCommands commands = state_->NextCommands([&](JobIndex job) {
      if (!Percent(refusals_)) return true;
      refused.insert(job);
      return false;
    });
    story_.push_back(absl::StrCat(
        "commands: look up ", absl::StrJoin(commands.look_ups, ","),
        "; ask about ", absl::StrJoin(commands.doubts, ","), "; start ",
        absl::StrJoin(commands.starts, ",")));
    KINORA_RETURN_IF_ERROR(rules_->Commanded(commands, refused));
    for (JobIndex job : commands.look_ups) Expect(Kind::kLookUp, job);
    for (JobIndex job : commands.doubts) Expect(Kind::kDoubt, job);
    for (JobIndex job : commands.starts) Expect(Kind::kAttempt, job);
    const std::vector<std::string> landed = state_->landed_deciders();
    if (landed.empty() || expanding_)
      return !commands.empty() || !refused.empty();
    expanding_ = true;
    Expect(Kind::kExpansion, 0, Milliseconds(200));
    pending_.back().asked = landed;
    return true;
  }

  absl::Duration Milliseconds(int bound) {
    return absl::Milliseconds(Below(bound));
  }
  void Expect(Kind kind, JobIndex job) {
    Expect(kind, job, Milliseconds(kind == Kind::kAttempt ? 1000 : 20));
  }
  void Expect(Kind kind, JobIndex job, absl::Duration delay) {
    pending_.push_back({now_ + delay, kind, job, {}});
  }

  // What is due next, or anything else.
  absl::Status Deliver() {
    size_t which = 0;
    for (size_t i = 1; i < pending_.size(); ++i) {
      if (pending_[i].due < pending_[which].due) which = i;
    }
    if (Percent(disorder_)) {
      which = static_cast<size_t>(Below(static_cast<int>(pending_.size())));
    }
    const Pending next = pending_[which];
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(which));
    now_ = std::max(now_, next.due);
    switch (next.kind) {
      case Kind::kLookUp:
        return Tell(DrawLookUp(next.job), "looked up");
      case Kind::kAttempt:
        return Tell(DrawAttempt(next.job), "attempt ended");
      case Kind::kRetry:
        return Tell(RetryDue{next.job}, "retry is due");
      case Kind::kDoubt:
        return Tell(DoubtResolved{next.job, Percent(50)}, "doubt resolved");
      case Kind::kAnswer:
        if (Percent(10)) {
          return Tell(AnswerMissing{next.job, DrawFailure(false)},
                      "not answered");
        }
        return Tell(AnswerGiven{next.job}, "answered");
      case Kind::kExpansion:
        return Expand(next.asked);
    }
    return absl::OkStatus();
  }

  absl::Status Expand(const std::vector<std::string>& asked) {
    std::set<std::string> landed = expanded_;
    landed.insert(asked.begin(), asked.end());
    // A planner that looks late knows what landed after it was asked.
    for (const std::string& id : state_->landed_deciders()) {
      if (Percent(50)) landed.insert(id);
    }
    const auto answer =
        plan_.Expand(landed, Percent(50) ? &expanded_ : nullptr);
    expanding_ = false;
    expanded_ = landed;
    story_.push_back("expanded by " + absl::StrJoin(landed, ","));
    KINORA_ASSIGN_OR_RETURN(const RunState::Extension extension,
                            state_->Extend(answer, asked));
    return rules_->Extended(*answer, extension);
  }

  absl::Status Tell(const RunFact& fact, const std::string& what) {
    facts_.push_back(fact);
    const std::vector<JobChange> changes = state_->Apply(fact);
    story_.push_back(absl::StrCat(Subject(fact), " ", what, ": ",
                                  changes.size(), " changes"));
    KINORA_RETURN_IF_ERROR(rules_->Applied(fact, changes));
    for (const JobChange& change : changes) {
      if (change.status == JobStatus::kRetrying) {
        Expect(Kind::kRetry, change.job, change.delay);
      } else if (change.status == JobStatus::kAsking) {
        Expect(Kind::kAnswer, change.job, Milliseconds(5000));
      }
    }
    if (const LookedUp* found = std::get_if<LookedUp>(&fact);
        found != nullptr && state_->status(found->job) == JobStatus::kAsking) {
      Expect(Kind::kAnswer, found->job);
    }
    return absl::OkStatus();
  }

  // A fact of before once more, or one that never was.
  absl::Status TellNonsense() {
    RunFact fact = CancelRequested{};
    if (!facts_.empty() && Percent(60)) {
      fact =
          facts_[static_cast<size_t>(Below(static_cast<int>(facts_.size())))];
    } else if (state_->job_count() > 0) {
      const JobIndex job = Below(static_cast<int>(state_->job_count()));
      switch (Below(5)) {
        case 0:
          fact = DrawLookUp(job);
          break;
        case 1:
          fact = DrawAttempt(job);
          break;
        case 2:
          fact = RetryDue{job};
          break;
        case 3:
          fact = AnswerGiven{job};
          break;
        default:
          fact = DoubtResolved{job, Percent(50)};
          break;
      }
    }
    const bool is_cancel = std::holds_alternative<CancelRequested>(fact);
    if ((is_cancel && !state_->cancelled()) || !rules_->MayBeTold(fact)) {
      return absl::OkStatus();
    }
    return Tell(fact, "out of turn");
  }

  std::string Subject(const RunFact& fact) const {
    return std::visit(
        [this](const auto& what) -> std::string {
          if constexpr (requires { what.job; }) {
            return absl::StrCat(what.job, " (", state_->job(what.job).job_id(),
                                ")");
          } else {
            return "the run";
          }
        },
        fact);
  }

  std::vector<v1::Content> DrawOutputs(JobIndex job) {
    std::vector<v1::Content> outputs;
    for (int i = 0; i < state_->job(job).artefacts_size(); ++i) {
      // Sometimes the same bytes as another time.
      outputs.push_back(
          TextContent(absl::StrCat("made ", Below(5)), Below(2) == 0));
    }
    return outputs;
  }

  v1::Failure DrawFailure(bool retryable) {
    v1::Failure failure;
    failure.set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
    failure.set_message(absl::StrCat("failure ", Below(1000)));
    failure.set_retryable(retryable);
    return failure;
  }

  void Recall() {
    std::map<std::string, absl::Duration> recorded;
    for (const v1::PlannedNode& node : plan_.nodes()) {
      recorded[node.producer().name()] = absl::Milliseconds(1 + Below(1000));
    }
    state_->Recall(recorded);
    rules_->Recalled(std::move(recorded));
  }

  LookedUp DrawLookUp(JobIndex job) {
    LookedUp found{job, {}, false, {}};
    if (is_adopted_ && Percent(60)) {
      const uint32_t failures = static_cast<uint32_t>(Below(3));
      found.past.failures = failures;
      found.past.attempts = failures + static_cast<uint32_t>(Below(3));
      found.past.in_doubt = found.past.attempts > failures && Percent(50);
      if (failures >= rules_->MaxAttempts(job) ||
          (failures > 0 && Percent(30))) {
        found.past.failure = DrawFailure(false);
      }
      if (found.past.attempts > failures && Percent(20)) {
        found.past.asking = "question";
      }
      if (found.past.attempts > 0) found.past.time_used = DrawTimeUsed();
    }
    if (Percent(20)) found.outputs = DrawOutputs(job);
    found.is_own = is_adopted_ && !found.outputs.empty() && Percent(50);
    return found;
  }

  RunFact DrawAttempt(JobIndex job) {
    if (Percent(5)) return AttemptAsks{job, Percent(20)};
    if (!Percent(faults_)) return AttemptSucceeded{job, DrawOutputs(job)};
    return AttemptFailed{job, DrawFailure(Percent(75)), Percent(40),
                         Percent(90), DrawTimeUsed()};
  }

  // Of the time that a job may take, if that has a limit: little, or all.
  absl::Duration DrawTimeUsed() {
    return Percent(10) ? absl::Hours(48) : absl::Minutes(1);
  }

  SeededRandom random_;
  const RandomPlan plan_;
  std::optional<RunState> state_;
  std::optional<RunRules> rules_;
  int faults_ = 0;  // of a hundred attempts
  bool is_adopted_ = false;
  bool cancels_ = false;
  int refusals_ = 0;  // by the gate, of a hundred times that it is asked
  int disorder_ = 0;  // of a hundred events, not the one that is due
  absl::Duration now_;
  std::vector<Pending> pending_;
  std::vector<RunFact> facts_;  // told so far
  bool expanding_ = false;
  std::set<std::string> expanded_;
  std::vector<std::string> story_;
};

class RunStateModelTest : public ::testing::TestWithParam<int> {};

TEST_P(RunStateModelTest, TheRunKeepsItsRules) {
  for (uint64_t i = GetParam(); i < seeds.count; i += kBlocks) {
    const uint64_t seed = seeds.first + i;
    RunStateWalk walk(seed);
    const absl::Status status = walk.Run();
    if (status.ok() && !seeds.verbose) continue;
    for (const std::string& line : walk.story()) std::cerr << line << "\n";
    ASSERT_TRUE(status.ok()) << status << "\n"
                             << "bazel run //tests/model:run_state_model_test "
                                "-- --seed="
                             << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RunStateModelTest,
                         ::testing::Range(0, kBlocks));

}  // namespace
}  // namespace kinora

// See tests/crash/power_loss_test.cc.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "malloc_context_size=2";
}

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (!kinora::ParseSeedFlags(argc, argv, &kinora::seeds)) return 2;
  return RUN_ALL_TESTS();
}
