#include "services/planner/plan/job_set.h"

#include <sys/mman.h>

#include <cstdlib>

namespace kinora {
namespace {

// Smaller ones are not worth pages of their own.
constexpr size_t kMinMappedBytes = 64 << 10;

void* Allocate(size_t bytes) {
  if (bytes < kMinMappedBytes) {
    void* const data = std::calloc(bytes == 0 ? 1 : bytes, 1);
    if (data == nullptr) std::abort();
    return data;
  }
  void* const data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) std::abort();
  return data;
}

}  // namespace

ZeroedPages::ZeroedPages(size_t bytes)
    : bytes_(bytes), data_(Allocate(bytes)) {}

ZeroedPages::~ZeroedPages() {
  if (bytes_ < kMinMappedBytes) {
    std::free(data_);
  } else {
    munmap(data_, bytes_);
  }
}

}  // namespace kinora
