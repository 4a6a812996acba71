// A RunsRestoration takes the part of a copy below `runs/`: plans and their
// copies by revision, progress, records, ledgers. Under another movie's id a
// plan names that movie and has another hash, which what names the plan gets,
// too; ledgers are history and stay as they are.

#ifndef KINORA_SERVICES_STORE_BACKUP_RUNS_RESTORATION_H_
#define KINORA_SERVICES_STORE_BACKUP_RUNS_RESTORATION_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "services/store/backup/copy_head.h"
#include "services/store/backup/copy_layout.h"
#include "services/store/backup/log_restoration.h"
#include "services/store/backup/needed_blobs.h"
#include "services/store/event/event_log.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Not thread-safe. Its errors are CopyDamaged() or those of the drivers.
class RunsRestoration {
 public:
  // All MUST outlive this. `head` is filled in when the first member comes.
  RunsRestoration(ObjectStorage& storage, EventLog& log, const CopyHead& head,
                  absl::string_view movie_id, NeededBlobs& blobs)
      : storage_(storage),
        log_(log),
        head_(head),
        movie_id_(movie_id),
        blobs_(blobs) {}

  // Members in the order of their kinds, from kPlan to kLedger.
  absl::Status Take(const MemberName& name, const std::string& path,
                    const std::string& bytes);

  // Whether all runs of the copy have their record.
  absl::Status FinishRecords() const;
  // And their whole ledger.
  absl::Status FinishLedgers() const;
  // Those that had not ended.
  const std::vector<std::string>& open_runs() const { return open_runs_; }

 private:
  absl::Status TakePlan(const std::string& path, const std::string& hash,
                        const std::string& bytes);
  absl::Status TakeRevisionPlan(const std::string& path,
                                const std::string& revision,
                                const std::string& bytes);
  absl::Status TakeProgress(const std::string& path,
                            const std::string& revision,
                            const std::string& bytes);
  absl::Status TakeRecord(const std::string& path, const std::string& run_id,
                          const std::string& bytes);
  absl::Status TakeLedger(const std::string& path, const std::string& run_id,
                          const std::string& bytes);
  // The hash under which a plan is known here.
  std::string PlanHere(const std::string& hash) const;

  ObjectStorage& storage_;
  EventLog& log_;
  const CopyHead& head_;
  const std::string movie_id_;
  NeededBlobs& blobs_;

  absl::flat_hash_map<std::string, std::string> renamed_plans_;  // by hash
  size_t records_ = 0;
  std::vector<std::string> open_runs_;
  std::map<std::string, LogRestoration> ledgers_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_RUNS_RESTORATION_H_
