#include "tests/model/model_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/status.h"

namespace kinora {
namespace {

constexpr char kDataDir[] = "/data";
// How long it is down, at most: from shorter than a lease to longer.
constexpr int kLongestOutageMillis = 9'000;

}  // namespace

ModelStore::ModelStore(const ModelStoreOptions& options, FakeClock& clock,
                       Executor& executor, Random& random)
    : options_(options), clock_(clock), executor_(executor), random_(random) {}

absl::Status ModelStore::Open() { return StartProcess(); }

void ModelStore::Arm() {
  armed_at_ = fs_.changes();
  SetKill();
}

void ModelStore::SetKill() {
  if (next_kill_ == options_.kills.size()) return;
  fs_.StopAfter(options_.kills[next_kill_++]);
}

absl::Status ModelStore::Down() {
  return absl::UnavailableError("the store is down");
}

// Small, so that whatever happens now and then happens here.
absl::Status ModelStore::StartProcess() {
  LocalStoreOptions options;
  if (options_.has_disk) options.data_dir = kDataDir;
  options.log_limits = {.journal_segment_bytes = 16384, .max_unsynced_logs = 3};
  options.checkpoint_events = 40;
  KINORA_ASSIGN_OR_RETURN(
      local_, LocalStore::Open(options, fs_, clock_, random_, executor_));
  return absl::OkStatus();
}

void ModelStore::StartAgain() {
  if (changes_.has_value() || local_ != nullptr) return;
  SetKill();
  absl::Status started = StartProcess();
  if (started.ok()) started = on_restart_(local_->store());
  if (fs_.stopped()) return Die();
  broken_.Update(Annotate(started, "start the store again"));
}

void ModelStore::Die() {
  deaths_.push_back(absl::StrCat("store killed at change ", changes()));
  is_struck_ = false;
  local_.reset();
  fs_.Crash(random_.Next());
  BreakStreams();
  executor_.PostAfter(
      absl::Milliseconds(UniformBelow(random_, uint64_t{kLongestOutageMillis})),
      [this] { StartAgain(); });
}

void ModelStore::BreakStreams() {
  for (const auto& waiter : waiters_) {
    executor_.Post([this, id = waiter.first] { Fire(id); });
  }
}

absl::Status ModelStore::RestartNow() {
  changes_ = changes();
  if (!options_.has_disk) return absl::OkStatus();
  local_.reset();
  fs_.Crash(FaultyFileSystem::Survival::kNothing, 0);
  BreakStreams();
  KINORA_RETURN_IF_ERROR(StartProcess());
  return on_restart_(local_->store());
}

ModelStore::WaiterId ModelStore::NotifyAfter(
    const v1::LogName& log, int64_t after,
    absl::AnyInvocable<void()> callback) {
  const WaiterId id = next_waiter_++;
  waiters_.emplace(id, std::move(callback));
  auto fire = [this, id] { executor_.Post([this, id] { Fire(id); }); };
  if (local_ == nullptr) {
    fire();
  } else {
    local_->store().events.NotifyAfter(log, after, std::move(fire));
  }
  return id;
}

void ModelStore::CancelNotify(WaiterId id) { waiters_.erase(id); }

void ModelStore::Fire(WaiterId id) {
  const auto waiter = waiters_.find(id);
  if (waiter == waiters_.end()) return;
  absl::AnyInvocable<void()> callback = std::move(waiter->second);
  waiters_.erase(waiter);
  callback();
}

}  // namespace kinora
