// The inputs of an older revision against the blueprint.

#ifndef KINORA_CLIENTS_CPP_IMPORT_FOLDER_INPUTS_H_
#define KINORA_CLIENTS_CPP_IMPORT_FOLDER_INPUTS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "clients/cpp/import/revision_folder.h"
#include "services/planner/blueprint/blueprint.h"

namespace kinora {

// What became of the inputs that a revision gives.
struct InputsTaken {
  std::vector<std::string> ids;  // sorted
  // One for each that the blueprint does not take, by id: INVALID_ARGUMENT
  // naming the input and the value.
  std::vector<absl::Status> refused;
};

// Puts what a revision gives, by full id, over what was in effect before it, in
// the form in which `kinora input set` would. Values that are no files are
// JSON. What the blueprint does not take is refused: an unknown input, one of
// another type or out of range, an index beyond its dimension.
absl::StatusOr<InputsTaken> TakeInputs(
    const Blueprint& blueprint, std::map<std::string, FolderValue> given,
    std::map<std::string, FolderValue>* in_effect);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_FOLDER_INPUTS_H_
