// Which takes a movie keeps: succeeded events of artefacts.log that keep their
// bytes alive by themselves, not only through a manifest.

#ifndef KINORA_SERVICES_STORE_RETENTION_KEPT_TAKES_H_
#define KINORA_SERVICES_STORE_RETENTION_KEPT_TAKES_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "kinora/v1/event.pb.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/retention/retention_record.h"

namespace kinora {

// Immutable once made. Memory: `keep` numbers for each artefact and rule.
class KeptTakes {
 public:
  // Keeps all.
  KeptTakes() = default;

  // Reads the events of artefacts.log as far as the rules go. Errors are those
  // of LogHistory::Read(). Gives the same of what a checkpoint has kept.
  static absl::StatusOr<KeptTakes> Make(LogHistory& artefacts,
                                        const std::vector<TakesRule>& rules);

  // False for a succeeded event that was pruned as a take.
  bool Keeps(const v1::Event& event) const;

 private:
  struct Kept {
    TakesRule rule;
    // The newest ones by artefact, ascending.
    absl::flat_hash_map<std::string, std::deque<int64_t>> newest;
  };

  std::vector<Kept> kept_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_RETENTION_KEPT_TAKES_H_
