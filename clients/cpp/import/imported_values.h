// What an imported movie has as the results of a job that would make it.

#ifndef KINORA_CLIENTS_CPP_IMPORT_IMPORTED_VALUES_H_
#define KINORA_CLIENTS_CPP_IMPORT_IMPORTED_VALUES_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "common/json/json.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/types.pb.h"
#include "services/store/blob/blob_store.h"

namespace kinora {

// Not thread-safe.
class ImportedValues {
 public:
  // `producers` are those whose version is known. `blobs` and `movie_id` MUST
  // outlive this.
  ImportedValues(BlobStore& blobs, const std::string& movie_id,
                 const std::vector<v1::ProducerIdentity>& producers)
      : blobs_(blobs), movie_id_(movie_id) {
    for (const v1::ProducerIdentity& producer : producers) {
      known_producers_.insert(producer.name());
    }
  }

  // An artefact that was imported.
  void Add(const std::string& artefact_id, const v1::Content& content) {
    imported_[artefact_id] = content;
  }
  // By id.
  const std::map<std::string, v1::Content>& imported() const {
    return imported_;
  }

  // One value for each artefact of a job of the node; NOT_FOUND says why there
  // are none. Leaves are taken out of their documents, and large ones are
  // uploaded.
  absl::StatusOr<std::vector<v1::Content>> Of(const v1::PlannedNode& node,
                                              const v1::PlannedJob& job);

 private:
  // That of an artefact which is no leaf.
  absl::StatusOr<v1::Content> WholeValue(const v1::PlannedArtefact& artefact,
                                         const std::string& mime_type) const;
  absl::StatusOr<v1::Content> LeafValue(const v1::PlannedArtefact& leaf,
                                        const std::string& mime_type);
  // The document as JSON.
  absl::StatusOr<JsonValue> Split(const std::string& id,
                                  const v1::Content& document) const;

  BlobStore& blobs_;
  const std::string& movie_id_;
  std::set<std::string> known_producers_;
  std::map<std::string, v1::Content> imported_;
  std::string split_id_;  // whose JSON `split_` is
  JsonValue split_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_IMPORTED_VALUES_H_
