// A ModelStore is a store's process in virtual time: a whole store on a disk in
// memory that is killed at given changes of that disk and starts again a while
// later. What was not synced is then gone, or there by chance; calls under way
// fail, as do those that come while it is down; followers lose their streams;
// and leases that were held get a full period (decision 20).
//
// What counts as a change is what FaultyFileSystem counts: a write, a sync, a
// rename. So a kill falls into the middle of a commit, or of a recovery.

#ifndef KINORA_TESTS_MODEL_MODEL_STORE_H_
#define KINORA_TESTS_MODEL_MODEL_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/threads/executor.h"
#include "services/store/local_store.h"
#include "services/store/store.h"

namespace kinora {

struct ModelStoreOptions {
  // On a disk that can be lost; else in memory, which is faster.
  bool has_disk = false;
  // One after another: how many changes the store gets to make since it was
  // armed or began to start again. REQUIRES: empty without a disk.
  std::vector<int> kills;
};

// For one thread.
class ModelStore {
 public:
  using WaiterId = EventStore::WaiterId;

  // References MUST outlive this.
  ModelStore(const ModelStoreOptions& options, FakeClock& clock,
             Executor& executor, Random& random);

  // Starts it for the first time.
  absl::Status Open();

  // From now on changes count.
  void Arm();

  // Kills it within the call that it answers now: what that has made durable
  // is. REQUIRES: has_disk.
  void KillNow() { is_struck_ = true; }

  // Called each time it has started again, before anybody else asks it: with
  // that process, which may be killed in it.
  void OnRestart(absl::AnyInvocable<absl::Status(const Store&)> on_restart) {
    on_restart_ = std::move(on_restart);
  }

  // Kills it for the last time, however few changes it has made, and starts it
  // again at once: what is there now is on the disk. In memory nothing happens.
  absl::Status RestartNow();

  // Asks the store something: `call` is given a Store and answers with a Status
  // or a StatusOr. UNAVAILABLE if the store is down or is killed meanwhile.
  template <typename Call>
  auto Ask(Call call) -> decltype(call(std::declval<const Store&>())) {
    if (local_ == nullptr || is_dying()) return Down();
    ++depth_;
    auto answer = call(local_->store());
    --depth_;
    if (!is_dying()) return answer;
    if (depth_ == 0) Die();
    return Down();
  }

  // As of an EventStore, through a stream that breaks with the store: then the
  // callback is called, too. It runs on the executor.
  WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                       absl::AnyInvocable<void()> callback);
  void CancelNotify(WaiterId id);

  // How often it was killed, and where.
  const std::vector<std::string>& deaths() const { return deaths_; }
  // Of the disk, since it was armed until RestartNow().
  int changes() const {
    return changes_.has_value() ? *changes_ : fs_.changes() - armed_at_;
  }

  // OK, or why a start has failed though nobody killed it.
  const absl::Status& broken() const { return broken_; }

 private:
  static absl::Status Down();

  bool is_dying() const { return is_struck_ || fs_.stopped(); }
  absl::Status StartProcess();
  void StartAgain();
  void Die();
  void BreakStreams();
  // The next kill, if there is one left.
  void SetKill();
  void Fire(WaiterId id);

  const ModelStoreOptions options_;
  FakeClock& clock_;
  Executor& executor_;
  Random& random_;
  FaultyFileSystem fs_;
  std::unique_ptr<LocalStore> local_;  // null while it is down
  absl::AnyInvocable<absl::Status(const Store&)> on_restart_;
  size_t next_kill_ = 0;
  int armed_at_ = 0;
  std::optional<int> changes_;  // once RestartNow() was called
  int depth_ = 0;               // of calls under way
  bool is_struck_ = false;      // by KillNow(), until it is dead
  std::vector<std::string> deaths_;
  absl::Status broken_;
  WaiterId next_waiter_ = 1;
  std::map<WaiterId, absl::AnyInvocable<void()>> waiters_;
};

}  // namespace kinora

#endif  // KINORA_TESTS_MODEL_MODEL_STORE_H_
