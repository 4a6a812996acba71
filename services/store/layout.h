// The keys of everything a store holds: the one place that spells them. On
// local files a key is the path below the data directory.
//
//   builds/<movie>/movie.json                 makes the movie exist
//                  current.json               pointer to the live manifest
//                  retention.json            what was pruned
//                  manifests/rev-0001.json
//                  blobs/7f/7f3c...
//                  blob-uses.json            until when blobs were in use
//                  events/inputs.log, artefacts.log
//                  events/rev-0001.inputs.jsonl, rev-0001.artefacts.jsonl
//                  events/inputs.checkpoint.rev-0003.json   what is kept of
//                  events/artefacts.checkpoint.rev-0003.jsonl   removed logs
//                  events/inputs.checkpoint, artefacts.checkpoint   derived
//                  index/artefacts-<first>-<last>.index             derived
//                  runs/plans/<hash>.json, rev-0001-plan.json,
//                       rev-0001-progress.json
//                  runs/<run_id>/record.json, ledger.log
//                  metrics/aggregates.json                          derived
//                  prompts/<path>            readable text, see
//                  artifacts/text/<id>.txt   services/store/readable/
//   index/runs/<run_id>                       the run's movie
//   index/open-runs/<run_id>                  there while it has not ended
//   deleting/<movie>                          a deletion that was begun
//   restoring/<movie>                         a restoration that was begun
//   leases/movie/<movie>.json, leases/run/<run_id>.json
//   leases/run/<run_id>/<step>.json           while the step is carried out
//
// Callers validate ids first: none of these functions looks at what it is
// given.

#ifndef KINORA_SERVICES_STORE_LAYOUT_H_
#define KINORA_SERVICES_STORE_LAYOUT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace kinora {

inline constexpr absl::string_view kBuildsPrefix = "builds/";
inline constexpr absl::string_view kRunIndexPrefix = "index/runs/";
inline constexpr absl::string_view kOpenRunPrefix = "index/open-runs/";
inline constexpr absl::string_view kDeletionPrefix = "deleting/";
inline constexpr absl::string_view kRestorationPrefix = "restoring/";
// Below the movie.
inline constexpr absl::string_view kPromptsPath = "prompts/";
inline constexpr absl::string_view kArtifactsPath = "artifacts/";

// `builds/<movie>/`.
std::string MoviePrefix(absl::string_view movie_id);

std::string MovieKey(absl::string_view movie_id);
std::string CurrentKey(absl::string_view movie_id);
std::string RetentionKey(absl::string_view movie_id);
// True for the RetentionKey() of a movie.
bool IsRetentionKey(absl::string_view key);
std::string AggregatesKey(absl::string_view movie_id);

// `manifests/rev-0001.json`, as the pointer spells it: below the movie.
std::string ManifestPath(absl::string_view revision);
std::string ManifestKey(absl::string_view movie_id, absl::string_view revision);
std::string ManifestPrefix(absl::string_view movie_id);

std::string BlobPrefix(absl::string_view movie_id);
std::string BlobKey(absl::string_view movie_id, absl::string_view hash);
// Until when blobs may have been used (services/store/blob/use_horizon.h).
std::string BlobUsesKey(absl::string_view movie_id);

std::string InputsLogKey(absl::string_view movie_id);
std::string ArtefactsLogKey(absl::string_view movie_id);
std::string LedgerLogKey(absl::string_view movie_id, absl::string_view run_id);
std::string InputsArchiveKey(absl::string_view movie_id,
                             absl::string_view revision);
std::string ArtefactsArchiveKey(absl::string_view movie_id,
                                absl::string_view revision);

// Where the logs of inputs and artefacts are, with '/' at the end.
std::string EventsPrefix(absl::string_view movie_id);
// See services/store/checkpoint/revision_checkpoint.h.
std::string InputsCheckpointKey(absl::string_view movie_id,
                                absl::string_view revision);
std::string ArtefactsCheckpointKey(absl::string_view movie_id,
                                   absl::string_view revision);

// Where the indexes of the movie's logs are, with '/' at the end.
std::string IndexPrefix(absl::string_view movie_id);

std::string RunsPrefix(absl::string_view movie_id);
std::string PlanKey(absl::string_view movie_id, absl::string_view plan_hash);
// The plan of the run that targets `revision`, by the revision's name.
std::string RevisionPlanKey(absl::string_view movie_id,
                            absl::string_view revision);
// How far that run is.
std::string RevisionProgressKey(absl::string_view movie_id,
                                absl::string_view revision);
std::string RunRecordKey(absl::string_view movie_id, absl::string_view run_id);
std::string RunIndexKey(absl::string_view run_id);
std::string OpenRunKey(absl::string_view run_id);

// `artifacts/text/<id>.txt` below the movie, the id percent-encoded.
std::string LargeTextPath(absl::string_view artefact_id);

// There while the movie is being deleted.
std::string DeletionKey(absl::string_view movie_id);
// There while the movie is being restored.
std::string RestorationKey(absl::string_view movie_id);

// `lease_id` is `movie/<movie_id>` or `run/<run_id>`.
std::string LeaseKey(absl::string_view lease_id);
// `leases/run/<run_id>/`.
std::string StepLeasesPrefix(absl::string_view run_id);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_LAYOUT_H_
