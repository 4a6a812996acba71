// A TempDir is a fresh directory that is removed, with all in it, at the end of
// its scope.

#ifndef KINORA_COMMON_TESTING_TEMP_DIR_H_
#define KINORA_COMMON_TESTING_TEMP_DIR_H_

#include <string>

#include "absl/strings/string_view.h"

namespace kinora {

class TempDir {
 public:
  // Makes the directory under $TEST_TMPDIR, or else /tmp. Aborts on failure.
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  // Absolute, without a slash at the end.
  const std::string& path() const { return path_; }

  // "<path>/<name>".
  std::string Sub(absl::string_view name) const;

 private:
  std::string path_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_TESTING_TEMP_DIR_H_
