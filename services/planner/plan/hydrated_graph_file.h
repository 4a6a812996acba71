// Files that hold what a HydratedGraph knows of its base, so that a planner
// that starts need not read the manifest's JSON nor compute keys again. They
// are derived: a missing, damaged or foreign one is as good as none, and all
// may be deleted at any time. Nothing waits until they are on stable storage.
//
//   <directory>/<manifest hash>-<blueprint hash>-<shape>.hydrated
//
// Format, version 1, numbers little-endian:
//   "kinora-hydrate1\n"
//   length of each section, u64 each
//   the sections, each padded with zeros to 8 bytes:
//     names       manifest hash, blueprint hash, shape of the graph, then
//                 media types and ids of removed artefacts, each list after
//                 its length; all of them ended by a NUL
//     head        a v1::Manifest without artefacts (HydratedBase::Head())
//     entries     BaseEntry of each artefact
//     contents    content hash of each artefact
//     keys        inputs hash of each artefact
//     inline      bytes of inline values
//     verified    the jobs verified, a bit each
//     inputs      hash of the value of each input at that, zero for none
//     nodes       hash of each node at that
//   crc32c of all before, u32
//
// Which jobs were verified holds as far as inputs and nodes are the same when
// the file is read.

#ifndef KINORA_SERVICES_PLANNER_PLAN_HYDRATED_GRAPH_FILE_H_
#define KINORA_SERVICES_PLANNER_PLAN_HYDRATED_GRAPH_FILE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/planner/plan/hydrated_base.h"
#include "services/planner/plan/hydrated_graph.h"

namespace kinora {

// What a file is for. `shape` stands for all that makes two graphs of one
// blueprint differ, in letters that a file name may have.
struct HydratedGraphName {
  std::string manifest_hash;
  std::string blueprint_hash;
  std::string shape;
};

// What a file holds.
struct SavedGraph {
  HydratedBase base;
  VerifiedJobs verified;
};

// Thread-safe.
class HydratedGraphFile {
 public:
  // Keeps the newest so many files in `directory`, which is made if missing.
  HydratedGraphFile(FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  // The saved graph; nullopt if there is none of use for `graph`. What is
  // damaged is logged.
  std::optional<SavedGraph> Load(const HydratedGraphName& name,
                                 const Graph& graph);

  // An error leaves no file behind and matters to nobody but the log.
  void Save(const HydratedGraphName& name, const HydratedGraph& hydrated);

 private:
  static constexpr size_t kMaxFiles = 16;

  std::string PathOf(const HydratedGraphName& name) const;
  absl::StatusOr<SavedGraph> Read(const HydratedGraphName& name,
                                  const Graph& graph, std::string bytes) const;
  absl::Status Write(const HydratedGraphName& name,
                     const HydratedGraph& hydrated);
  void RemoveOld();

  FileSystem& files_;
  const std::string directory_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_HYDRATED_GRAPH_FILE_H_
