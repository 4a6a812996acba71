#include "common/testing/temp_dir.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace kinora {

TempDir::TempDir() {
  const char* const root = std::getenv("TEST_TMPDIR");
  path_ = std::string(root != nullptr ? root : "/tmp") + "/kinora-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::Sub(absl::string_view name) const {
  return path_ + "/" + std::string(name);
}

}  // namespace kinora
