// A FaultyObjectStorage passes calls on to another storage until it is told to
// stop: from then on every change fails and does nothing, as if the process had
// died there. Reads or writes of one object can be made to fail as well, and
// something can be done in the midst of a removal.

#ifndef KINORA_SERVICES_STORE_TESTING_FAULTY_OBJECT_STORAGE_H_
#define KINORA_SERVICES_STORE_TESTING_FAULTY_OBJECT_STORAGE_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

#include "common/status.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Thread-safe.
class FaultyObjectStorage final : public ObjectStorage {
 public:
  // `base` MUST outlive this.
  explicit FaultyObjectStorage(ObjectStorage& base) : base_(base) {}

  // Lets `changes` more changes through, then fails each with UNAVAILABLE.
  void StopAfter(int changes) { left_ = changes; }

  // Fails reads of the object with `error`. REQUIRES: no call is in progress.
  void FailReadsOf(absl::string_view key, const absl::Status& error) {
    unreadable_ = std::string(key);
    unreadable_error_ = error;
  }

  // Fails what would make or replace the object with `error`; an empty key ends
  // it. REQUIRES: no call is in progress.
  void FailWritesOf(absl::string_view key, const absl::Status& error) {
    unwritable_ = std::string(key);
    unwritable_error_ = error;
  }

  // Calls `then` once, after the first removal of objects below `prefix`.
  // REQUIRES: no call is in progress.
  void AfterRemovalBelow(absl::string_view prefix,
                         absl::AnyInvocable<void()> then) {
    removal_prefix_ = std::string(prefix);
    after_removal_ = std::move(then);
  }

  absl::StatusOr<std::string> Read(absl::string_view key, int64_t offset,
                                   int64_t limit) override {
    if (key == unreadable_) return unreadable_error_;
    return base_.Read(key, offset, limit);
  }
  absl::StatusOr<std::unique_ptr<ObjectReader>> OpenRead(
      absl::string_view key) override {
    if (key == unreadable_) return unreadable_error_;
    return base_.OpenRead(key);
  }
  absl::StatusOr<ObjectInfo> Stat(absl::string_view key) override {
    return base_.Stat(key);
  }
  absl::StatusOr<std::unique_ptr<ObjectWriter>> StartWrite(
      absl::string_view prefix) override {
    KINORA_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> base,
                            base_.StartWrite(prefix));
    return std::unique_ptr<ObjectWriter>(
        std::make_unique<Writer>(*this, std::move(base)));
  }
  void CreateAll(absl::Span<NewObject> objects) override {
    for (NewObject& object : objects) {
      const absl::Status counted =
          object.key == unwritable_ ? unwritable_error_ : Count();
      if (counted.ok()) {
        base_.CreateAll(absl::MakeSpan(&object, 1));
      } else {
        object.created = counted;
      }
    }
  }
  absl::Status Write(absl::string_view key, absl::string_view bytes) override {
    if (key == unwritable_) return unwritable_error_;
    KINORA_RETURN_IF_ERROR(Count());
    return base_.Write(key, bytes);
  }
  absl::Status CompareAndSwap(absl::string_view key,
                              const std::optional<std::string>& expected,
                              absl::string_view bytes) override {
    if (key == unwritable_) return unwritable_error_;
    KINORA_RETURN_IF_ERROR(Count());
    return base_.CompareAndSwap(key, expected, bytes);
  }
  absl::StatusOr<ObjectPage> List(absl::string_view prefix, int page_size,
                                  absl::string_view token) override {
    return base_.List(prefix, page_size, token);
  }
  absl::Status Delete(absl::string_view key) override {
    KINORA_RETURN_IF_ERROR(Count());
    return base_.Delete(key);
  }
  absl::Status DeleteAll(absl::Span<const std::string> keys) override {
    KINORA_RETURN_IF_ERROR(Count());
    KINORA_RETURN_IF_ERROR(base_.DeleteAll(keys));
    if (after_removal_ != nullptr && !keys.empty() &&
        absl::StartsWith(keys[0], removal_prefix_)) {
      std::exchange(after_removal_, nullptr)();
    }
    return absl::OkStatus();
  }
  absl::Status Renew(absl::string_view key) override {
    KINORA_RETURN_IF_ERROR(Count());
    return base_.Renew(key);
  }
  std::string UrlOf(absl::string_view key) const override {
    return base_.UrlOf(key);
  }

 private:
  class Writer final : public ObjectWriter {
   public:
    Writer(FaultyObjectStorage& storage, std::unique_ptr<ObjectWriter> base)
        : storage_(storage), base_(std::move(base)) {}
    absl::Status Append(absl::string_view bytes) override {
      return base_->Append(bytes);
    }
    absl::StatusOr<bool> CommitIfAbsent(absl::string_view key) override {
      if (key == storage_.unwritable_) return storage_.unwritable_error_;
      KINORA_RETURN_IF_ERROR(storage_.Count());
      return base_->CommitIfAbsent(key);
    }

   private:
    FaultyObjectStorage& storage_;
    const std::unique_ptr<ObjectWriter> base_;
  };

  absl::Status Count() {
    if (left_.fetch_sub(1) > 0) return absl::OkStatus();
    left_ = 0;
    return absl::UnavailableError("stopped by the test");
  }

  ObjectStorage& base_;
  std::atomic<int> left_ = 1'000'000;
  std::string removal_prefix_;
  absl::AnyInvocable<void()> after_removal_;
  std::string unreadable_;
  absl::Status unreadable_error_;
  std::string unwritable_;
  absl::Status unwritable_error_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_TESTING_FAULTY_OBJECT_STORAGE_H_
