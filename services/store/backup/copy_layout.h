// The members of a copy of a movie, in the order in which they come. The names
// are paths below the movie, as services/store/layout.h has them, so that an
// unpacked copy looks like a movie:
//
//   backup.json                              what this is (copy_head.h)
//   movie.json
//   retention.json                           if anything was pruned
//   events/artefacts.checkpoint.rev-0003.jsonl   if the beginning of a log was
//   events/inputs.checkpoint.rev-0003.json       removed: what stands for it
//   events/000000000001.artefacts.jsonl ...  artefacts.log in parts, each named
//                                            by its first record
//   events/000000000001.inputs.jsonl ...
//   manifests/rev-0001.json ...
//   current.json                             if there is a revision
//   runs/plans/<hash>.json ...
//   runs/rev-0001-plan.json ...
//   runs/rev-0001-progress.json ...
//   runs/<run_id>/record.json ...
//   runs/<run_id>/000000000001.ledger.jsonl ...
//   prompts/..., artifacts/text/...          files edited by hand, not scanned
//   blobs/7f/7f3c... ...                     by hash
//   SHA256SUMS                               of all before it (member_sums.h)
//
// An export of one run has the same members, fewer of them (run_scope.h).
//
// Not in it, as it comes back by itself: indexes, checkpoints of log files,
// readable files that nobody edited. Nor leases, which are a store's.

#ifndef KINORA_SERVICES_STORE_BACKUP_COPY_LAYOUT_H_
#define KINORA_SERVICES_STORE_BACKUP_COPY_LAYOUT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

#include "common/digest.h"

namespace kinora {

inline constexpr absl::string_view kHeadMember = "backup.json";
inline constexpr absl::string_view kMovieMember = "movie.json";
inline constexpr absl::string_view kRetentionMember = "retention.json";
inline constexpr absl::string_view kCurrentMember = "current.json";
inline constexpr absl::string_view kSumsMember = "SHA256SUMS";

// A part of the log that lies at `log`, below the movie, such as
// `events/inputs.log`.
std::string LogPartMember(absl::string_view log, int64_t first_sequence);

std::string BlobMember(const Digest& digest);

// What kind of member a path names, in their order. None for anything that is
// not spelled exactly as above: "..", a leading slash, an unknown name.
enum class MemberKind {
  kHead,
  kMovie,
  kRetention,
  kArtefactsCheckpoint,
  kInputsCheckpoint,
  kArtefacts,
  kInputs,
  kManifest,
  kCurrent,
  kPlan,
  kRevisionPlan,
  kProgress,
  kRunRecord,
  kLedger,
  kReadable,
  kBlob,
  kSums,
};

struct MemberName {
  MemberKind kind = MemberKind::kHead;
  // The revision, hash or run id in it; the whole path of a readable file.
  std::string id;
};

std::optional<MemberName> ParseMember(absl::string_view path);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_COPY_LAYOUT_H_
