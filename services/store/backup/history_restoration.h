// A HistoryRestoration takes the part of a copy that is the movie's history:
// what was pruned, its two logs with what stands for their beginning, the
// manifests of its revisions, and the pointer to the last.

#ifndef KINORA_SERVICES_STORE_BACKUP_HISTORY_RESTORATION_H_
#define KINORA_SERVICES_STORE_BACKUP_HISTORY_RESTORATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "services/store/backup/copy_head.h"
#include "services/store/backup/copy_layout.h"
#include "services/store/backup/log_restoration.h"
#include "services/store/backup/needed_blobs.h"
#include "services/store/event/event_log.h"
#include "services/store/object/object_storage.h"
#include "services/store/retention/retention_record.h"

namespace kinora {

// Not thread-safe. Its errors are CopyDamaged() or those of the drivers.
class HistoryRestoration {
 public:
  // All MUST outlive this. `head` is filled in when the first member comes, and
  // says how far to go. What a copy that `is_cut` has behind that is left out.
  HistoryRestoration(ObjectStorage& storage, EventLog& log,
                     const CopyHead& head, absl::string_view movie_id,
                     NeededBlobs& blobs, bool is_cut)
      : storage_(storage),
        log_(log),
        head_(head),
        movie_id_(movie_id),
        blobs_(blobs),
        is_cut_(is_cut) {}

  // Members in the order of their kinds: kRetention, then from kArtefacts to
  // kCurrent.
  absl::Status Take(const MemberName& name, const std::string& path,
                    const std::string& bytes);

  // What comes between the kinds, in this order.
  void StartArtefacts();
  // What stands for the beginning of the logs must be there, as objects of the
  // movie, and be right. Its commits come before those of the log.
  absl::Status TakeUpCheckpoint();
  // Whether the log is whole.
  absl::Status FinishArtefacts();
  absl::Status FinishInputs();
  // Whether all revisions that were not pruned have their manifest.
  absl::Status FinishManifests() const;
  // Whether there is a pointer, if there is a revision.
  absl::Status FinishCurrent() const;

  // Empty if there is none.
  std::string last_revision() const {
    return commits_.empty() ? "" : commits_.back().revision();
  }

 private:
  absl::Status TakeRetention(const std::string& path, const std::string& bytes);
  absl::Status TakeManifest(const std::string& path, const std::string& bytes);
  absl::Status TakeCurrent(const std::string& path, const std::string& bytes);
  void StartInputs();
  absl::Status NeedBlobsOfEvents();

  ObjectStorage& storage_;
  EventLog& log_;
  const CopyHead& head_;
  const std::string movie_id_;
  NeededBlobs& blobs_;
  const bool is_cut_;

  RetentionRecord retention_;
  std::optional<LogRestoration> artefacts_;
  std::optional<LogRestoration> inputs_;
  std::vector<v1::RevisionCommitted> commits_;
  std::vector<v1::RevisionCommitted> due_manifests_;  // the next one last
  bool has_current_ = false;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_HISTORY_RESTORATION_H_
