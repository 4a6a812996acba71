// The inputs of an older revision against the blueprint.

#ifndef KINORA_CLIENTS_CPP_IMPORT_FOLDER_INPUTS_H_
#define KINORA_CLIENTS_CPP_IMPORT_FOLDER_INPUTS_H_

#include <map>
#include <string>

#include "absl/status/status.h"

#include "clients/cpp/import/revision_folder.h"
#include "services/planner/blueprint/blueprint.h"

namespace kinora {

// Puts what a revision gives, by full id, over what was in effect before it, in
// the form in which `kinora input set` would. Values that are no files are
// JSON. INVALID_ARGUMENT names the input and the value that the blueprint does
// not take: an unknown input, one of another type or out of range, an index
// beyond its dimension. Then nothing is changed.
absl::Status TakeInputs(const Blueprint& blueprint,
                        std::map<std::string, FolderValue> given,
                        std::map<std::string, FolderValue>* in_effect);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_FOLDER_INPUTS_H_
