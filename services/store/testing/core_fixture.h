// A CoreFixture is a whole store in memory for tests, with its parts in reach,
// and the small steps that stories are told in.

#ifndef KINORA_SERVICES_STORE_TESTING_CORE_FIXTURE_H_
#define KINORA_SERVICES_STORE_TESTING_CORE_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"
#include "services/store/event/memory_event_log.h"
#include "services/store/object/memory_object_storage.h"
#include "services/store/store.h"
#include "services/store/store_core.h"

namespace kinora {

inline constexpr absl::string_view kRun1 = "run-01KDV3N3C00000000000000001";
inline constexpr absl::string_view kRun2 = "run-01KDV3N3C00000000000000002";

// 64 times the digit `c`: a hash for where any will do.
std::string HashOf(char c);

// Requests in one line each; `film` is the movie throughout.
v1::AppendEventsRequest InputEdit(absl::string_view input_id,
                                  absl::string_view text,
                                  absl::string_view revision = "rev-0001");
v1::AppendEventsRequest ArtefactMade(absl::string_view artefact_id,
                                     char inputs_hash, absl::string_view text,
                                     const v1::LeaseToken& lease,
                                     absl::string_view run_id = kRun1,
                                     absl::string_view revision = "rev-0001");
v1::CommitRevisionRequest CommitOf(const v1::LeaseToken& lease,
                                   absl::string_view run_id,
                                   absl::string_view revision,
                                   absl::string_view base_hash,
                                   int64_t inputs_through);

// Steps on any store. They fail the test on an error.
void MakeFilm(Store store);
v1::LeaseToken TakeFilmLease(Store store, absl::string_view holder = "runner-1",
                             absl::string_view purpose = kRun1);
v1::BlobRef PutBlob(Store store, absl::string_view bytes,
                    absl::string_view mime_type = "image/png");
v1::ManifestPointer CurrentOf(Store store);
std::string ManifestJson(Store store, absl::string_view revision = "");

class CoreFixture : public ::testing::Test {
 protected:
  using Core = StoreCore;

  CoreFixture();

  void Restart() { core_ = std::make_unique<Core>(storage_, log_, clock_); }
  Core& core() { return *core_; }
  Store store() { return core_->store(); }

  FakeClock clock_;
  MemoryObjectStorage storage_{clock_};
  MemoryEventLog log_;

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_TESTING_CORE_FIXTURE_H_
