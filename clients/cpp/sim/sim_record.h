// What a simulated producer knows of its work: like the records of a provider,
// it may outlive the producer.

#ifndef KINORA_CLIENTS_CPP_SIM_SIM_RECORD_H_
#define KINORA_CLIENTS_CPP_SIM_SIM_RECORD_H_

#include <map>
#include <string>

#include "common/mutex.h"
#include "kinora/v1/producer.pb.h"

namespace kinora {

// Thread-safe.
class SimRecord {
 public:
  void Started(const std::string& idempotency_key) {
    MutexLock lock(mu_);
    states_.emplace(idempotency_key, v1::LOOK_UP_STATE_RUNNING);
  }
  void Finished(const std::string& idempotency_key) {
    MutexLock lock(mu_);
    states_[idempotency_key] = v1::LOOK_UP_STATE_FINISHED;
  }
  v1::LookUpState StateOf(const std::string& idempotency_key) const {
    MutexLock lock(mu_);
    const auto found = states_.find(idempotency_key);
    return found == states_.end() ? v1::LOOK_UP_STATE_NEVER_STARTED
                                  : found->second;
  }

 private:
  mutable Mutex mu_;
  std::map<std::string, v1::LookUpState> states_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_SIM_SIM_RECORD_H_
