// A MemoryObjectStorage keeps objects in memory: for tests and for movies that
// need not outlive the process. It keeps every promise of ObjectStorage but
// durability.

#ifndef KINORA_SERVICES_STORE_OBJECT_MEMORY_OBJECT_STORAGE_H_
#define KINORA_SERVICES_STORE_OBJECT_MEMORY_OBJECT_STORAGE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/clock.h"
#include "common/threads/mutex.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Thread-safe. MUST outlive its writers.
class MemoryObjectStorage final : public ObjectStorage {
 public:
  // `clock` gives objects their times and MUST outlive the storage.
  explicit MemoryObjectStorage(Clock& clock) : clock_(clock) {}

  absl::StatusOr<std::string> Read(absl::string_view key, int64_t offset,
                                   int64_t limit) override;
  absl::StatusOr<std::unique_ptr<ObjectReader>> OpenRead(
      absl::string_view key) override;
  absl::StatusOr<ObjectInfo> Stat(absl::string_view key) override;
  absl::StatusOr<std::unique_ptr<ObjectWriter>> StartWrite(
      absl::string_view prefix) override;
  void CreateAll(absl::Span<NewObject> objects) override;
  absl::Status Write(absl::string_view key, absl::string_view bytes) override;
  absl::Status CompareAndSwap(absl::string_view key,
                              const std::optional<std::string>& expected,
                              absl::string_view bytes) override;
  absl::StatusOr<ObjectPage> List(absl::string_view prefix, int page_size,
                                  absl::string_view token) override;
  absl::Status Delete(absl::string_view key) override;
  absl::Status DeleteAll(absl::Span<const std::string> keys) override;
  absl::Status Renew(absl::string_view key) override;

 private:
  class Reader;
  class Writer;

  // The bytes are shared with readers that copy them outside the lock.
  struct Object {
    std::shared_ptr<const std::string> bytes;
    absl::Time create_time;
  };

  Object MakeObject(std::string bytes);

  Clock& clock_;
  Mutex mu_;
  std::map<std::string, Object> objects_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_OBJECT_MEMORY_OBJECT_STORAGE_H_
