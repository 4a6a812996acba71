// An ObjectBlobReader reads one blob, or a part of it, from an object that
// stays open: the blob may be collected meanwhile.

#ifndef KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_READER_H_
#define KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "common/digest.h"
#include "common/telemetry/metrics.h"
#include "services/store/blob/blob_store.h"
#include "services/store/object/object_storage.h"

namespace kinora {

class ObjectBlobReader final : public BlobReader {
 public:
  // The bytes from `begin` up to `end` of `object`, which is null for the empty
  // blob. If `hash` is not empty, all that was read must have it at the end.
  // What is read is added to `read_bytes`, unless it is null; it MUST outlive
  // the reader.
  ObjectBlobReader(std::string key, std::unique_ptr<ObjectReader> object,
                   int64_t begin, int64_t end, std::string hash,
                   Counter* read_bytes = nullptr)
      : key_(std::move(key)),
        object_(std::move(object)),
        at_(begin),
        end_(end),
        hash_(std::move(hash)),
        read_bytes_(read_bytes) {}

  // DATA_LOSS (DATA_CORRUPT) if the object ends early or does not have its
  // hash.
  absl::StatusOr<size_t> Read(absl::Span<char> out) override;

  // Bytes that are still to come.
  int64_t left() const { return end_ - at_; }

 private:
  const std::string key_;
  const std::unique_ptr<ObjectReader> object_;
  int64_t at_;
  const int64_t end_;
  std::string hash_;  // to be checked
  Sha256 hasher_;
  Counter* const read_bytes_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_READER_H_
