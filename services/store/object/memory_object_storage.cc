#include "services/store/object/memory_object_storage.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {
namespace {

absl::Status NoObject(absl::string_view key) {
  return absl::NotFoundError(absl::StrCat("no object \"", key, "\""));
}

ObjectInfo InfoOf(absl::string_view key, const std::string& bytes,
                  absl::Time create_time) {
  return ObjectInfo{.key = std::string(key),
                    .size_bytes = static_cast<int64_t>(bytes.size()),
                    .create_time = create_time};
}

}  // namespace

class MemoryObjectStorage::Reader final : public ObjectReader {
 public:
  explicit Reader(std::shared_ptr<const std::string> bytes)
      : bytes_(std::move(bytes)) {}

  absl::StatusOr<size_t> ReadAt(int64_t offset,
                                absl::Span<char> out) const override {
    if (offset >= size_bytes()) return size_t{0};
    return bytes_->copy(out.data(), out.size(), static_cast<size_t>(offset));
  }
  int64_t size_bytes() const override {
    return static_cast<int64_t>(bytes_->size());
  }

 private:
  const std::shared_ptr<const std::string> bytes_;
};

class MemoryObjectStorage::Writer final : public ObjectWriter {
 public:
  explicit Writer(MemoryObjectStorage& storage) : storage_(storage) {}

  absl::Status Append(absl::string_view bytes) override {
    bytes_.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }

  absl::StatusOr<bool> CommitIfAbsent(absl::string_view key) override {
    KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
    Object object = storage_.MakeObject(std::move(bytes_));
    MutexLock lock(storage_.mu_);
    return storage_.objects_.emplace(std::string(key), std::move(object))
        .second;
  }

 private:
  MemoryObjectStorage& storage_;
  std::string bytes_;
};

MemoryObjectStorage::Object MemoryObjectStorage::MakeObject(std::string bytes) {
  return Object{std::make_shared<const std::string>(std::move(bytes)),
                clock_.Now()};
}

absl::StatusOr<std::string> MemoryObjectStorage::Read(absl::string_view key,
                                                      int64_t offset,
                                                      int64_t limit) {
  KINORA_RETURN_IF_ERROR(ValidateObjectRange(key, offset, limit));
  std::shared_ptr<const std::string> bytes;
  {
    MutexLock lock(mu_);
    const auto found = objects_.find(std::string(key));
    if (found == objects_.end()) return NoObject(key);
    bytes = found->second.bytes;
  }
  const int64_t size = static_cast<int64_t>(bytes->size());
  if (offset > size) return PastObjectEnd(key, offset, size);
  return bytes->substr(offset, std::min(limit, size - offset));
}

absl::StatusOr<std::unique_ptr<ObjectReader>> MemoryObjectStorage::OpenRead(
    absl::string_view key) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  MutexLock lock(mu_);
  const auto found = objects_.find(std::string(key));
  if (found == objects_.end()) return NoObject(key);
  return std::make_unique<Reader>(found->second.bytes);
}

absl::StatusOr<ObjectInfo> MemoryObjectStorage::Stat(absl::string_view key) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  MutexLock lock(mu_);
  const auto found = objects_.find(std::string(key));
  if (found == objects_.end()) return NoObject(key);
  return InfoOf(key, *found->second.bytes, found->second.create_time);
}

absl::StatusOr<std::unique_ptr<ObjectWriter>> MemoryObjectStorage::StartWrite(
    absl::string_view prefix) {
  KINORA_RETURN_IF_ERROR(ValidateObjectPrefix(prefix));
  return std::make_unique<Writer>(*this);
}

void MemoryObjectStorage::CreateAll(absl::Span<NewObject> objects) {
  for (NewObject& object : objects) {
    Writer writer(*this);
    writer.Append(object.bytes).IgnoreError();  // cannot fail
    object.created = writer.CommitIfAbsent(object.key);
  }
}

absl::Status MemoryObjectStorage::Write(absl::string_view key,
                                        absl::string_view bytes) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  Object object = MakeObject(std::string(bytes));
  MutexLock lock(mu_);
  objects_[std::string(key)] = std::move(object);
  return absl::OkStatus();
}

absl::Status MemoryObjectStorage::CompareAndSwap(
    absl::string_view key, const std::optional<std::string>& expected,
    absl::string_view bytes) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  Object object = MakeObject(std::string(bytes));
  MutexLock lock(mu_);
  const auto found = objects_.find(std::string(key));
  const bool exists = found != objects_.end();
  if (exists != expected.has_value() ||
      (exists && *found->second.bytes != *expected)) {
    return absl::AbortedError(
        absl::StrCat("\"", key, "\" is not what was expected"));
  }
  objects_[std::string(key)] = std::move(object);
  return absl::OkStatus();
}

absl::StatusOr<ObjectPage> MemoryObjectStorage::List(absl::string_view prefix,
                                                     int page_size,
                                                     absl::string_view token) {
  KINORA_RETURN_IF_ERROR(ValidateObjectPage(prefix, page_size));
  ObjectPage page;
  int entries = 0;
  MutexLock lock(mu_);
  // A token is the full key or prefix with which the next page begins.
  auto at = objects_.lower_bound(std::string(token.empty() ? prefix : token));
  while (at != objects_.end() && absl::StartsWith(at->first, prefix)) {
    if (entries++ == page_size) {
      page.next_token = at->first;
      break;
    }
    const size_t slash = at->first.find('/', prefix.size());
    if (slash == std::string::npos) {
      page.objects.push_back(
          InfoOf(at->first, *at->second.bytes, at->second.create_time));
      ++at;
      continue;
    }
    std::string below = at->first.substr(0, slash + 1);
    // '0' follows '/': the first key that is not below this prefix.
    at = objects_.lower_bound(at->first.substr(0, slash) + '0');
    page.prefixes.push_back(std::move(below));
  }
  return page;
}

absl::Status MemoryObjectStorage::Delete(absl::string_view key) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  MutexLock lock(mu_);
  objects_.erase(std::string(key));
  return absl::OkStatus();
}

absl::Status MemoryObjectStorage::DeleteAll(
    absl::Span<const std::string> keys) {
  for (const std::string& key : keys) KINORA_RETURN_IF_ERROR(Delete(key));
  return absl::OkStatus();
}

absl::Status MemoryObjectStorage::Renew(absl::string_view key) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  const absl::Time now = clock_.Now();
  MutexLock lock(mu_);
  const auto found = objects_.find(std::string(key));
  if (found == objects_.end()) return NoObject(key);
  found->second.create_time = now;
  return absl::OkStatus();
}

}  // namespace kinora
