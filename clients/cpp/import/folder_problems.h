// FolderProblems gathers what is wrong with a folder, so that whoever mends it
// is told of all at once.

#ifndef KINORA_CLIENTS_CPP_IMPORT_FOLDER_PROBLEMS_H_
#define KINORA_CLIENTS_CPP_IMPORT_FOLDER_PROBLEMS_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace kinora {

// As many are told of; how many more there are is counted.
inline constexpr size_t kMaxToldProblems = 20;

// INVALID_ARGUMENT for what a document says of `what`.
absl::Status ProblemIn(absl::string_view file, absl::string_view what,
                       absl::string_view value, absl::string_view why);

// Not thread-safe.
class FolderProblems {
 public:
  // Takes note of what `status` says is wrong with the folder, unless it was
  // said before, and returns OK: the reading goes on. Any other error, as one
  // of the disk, is returned and ends it.
  absl::Status Note(const absl::Status& status);

  // So many were noted.
  size_t count() const { return count_; }

  // OK if there are none. The problem itself if there is one; else
  // INVALID_ARGUMENT with one in a line, in the order in which they were noted.
  absl::Status Told(absl::string_view dir) const;

 private:
  size_t count_ = 0;
  std::vector<absl::Status> told_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_FOLDER_PROBLEMS_H_
