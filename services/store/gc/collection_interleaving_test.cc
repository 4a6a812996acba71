// Writers, readers, commits and collections of one movie take their steps in
// random order, the disk loses power now and then, and no blob that something
// names may ever be gone. Every seed is one story.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "common/digest.h"
#include "common/random.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log.h"
#include "services/store/gc/collector.h"
#include "services/store/layout.h"
#include "services/store/object/file_object_storage.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

constexpr int kBlocks = 20;
constexpr int kSeedsPerBlock = 15;
constexpr int kSteps = 60;
// Few, so that one is written, named, forgotten and collected again and again.
constexpr int kTexts = 10;

class Story : public CoreFixture {
 public:
  explicit Story(uint64_t seed) : random_(seed) {}

  void TestBody() override {}

  void Run() {
    Open();
    MakeFilm(parts_->store());
    for (int actor = 0; actor < 3; ++actor) Post([this] { Write(); });
    Post([this] { Commit(); });
    Post([this] { Read(); });
    for (int step = 0; step < kSteps && !HasFailure(); ++step) {
      clock_.Advance(absl::Minutes(Below(40)));
      fs_.SetNow(clock_.Now());
      if (Below(3) == 0) StepCollection();
      Check();
      if (Below(25) == 0) LosePower();
      if (!executor_->RunOne()) return;
    }
    executor_ = nullptr;  // with every hold
    CollectEverything();
  }

 private:
  int Below(int bound) {
    return static_cast<int>(
        UniformBelow(random_, static_cast<uint64_t>(bound)));
  }
  std::string AnyText() { return absl::StrCat("text ", Below(kTexts)); }

  void Post(Executor::Task task) { executor_->Post(std::move(task)); }

  void Open() {
    if (executor_ == nullptr) {
      executor_ = std::make_unique<ManualExecutor>(clock_, random_.Next());
    }
    fs_.SetNow(clock_.Now());
    ASSERT_OK_AND_ASSIGN(file_log_, FileEventLog::Open(fs_, "/data", {}));
    ASSERT_OK_AND_ASSIGN(file_storage_, FileObjectStorage::Open(fs_, "/data"));
    parts_ = std::make_unique<Core>(*file_storage_, *file_log_, clock_);
  }

  // Everything under way ends, as its process does.
  void LosePower() {
    const uint64_t seed = random_.Next();
    fs_.StopAfter(Below(6));
    if (Below(2) == 0) {
      StepCollection();
    } else {
      PutBlobQuietly(AnyText());
    }
    executor_ = nullptr;
    collection_ = nullptr;
    parts_ = nullptr;
    file_storage_ = nullptr;
    file_log_ = nullptr;
    fs_.Crash(seed);
    Open();
    for (int actor = 0; actor < 3; ++actor) Post([this] { Write(); });
    Post([this] { Commit(); });
    Post([this] { Read(); });
  }

  CollectorParts Parts() {
    return CollectorParts{.storage = *file_storage_,
                          .log = *file_log_,
                          .catalog = parts_->catalog,
                          .manifests = parts_->manifests,
                          .blobs = parts_->blobs,
                          .readable = parts_->events.readable(),
                          .clock = clock_};
  }

  void StepCollection() {
    if (collection_ == nullptr) {
      v1::CollectGarbageRequest request;
      request.set_movie_id("film");
      if (Below(3) > 0) request.mutable_grace()->set_seconds(Below(2) * 900);
      auto begun = Collection::Begin(Parts(), request);
      if (begun.ok()) collection_ = *std::move(begun);
      return;
    }
    // A sweep of all shards takes 256 steps.
    for (int i = Below(2) == 0 ? 1 : Below(200); i > 0; --i) {
      v1::CollectGarbageResponse response;
      const absl::StatusOr<bool> more = collection_->Step(&response);
      if (more.ok() && *more) continue;
      collection_ = nullptr;
      return;
    }
  }

  bool PutBlobQuietly(const std::string& text) {
    v1::BatchWriteBlobsRequest request;
    request.set_movie_id("film");
    request.add_blobs()->set_data(text);
    const auto response = parts_->blobs.BatchWrite(request);
    return response.ok() && response->results(0).code() == 0;
  }

  static v1::Digest DigestOf(const std::string& text) {
    v1::Digest digest;
    digest.set_hash(Sha256Of(text).Hex());
    digest.set_size_bytes(static_cast<int64_t>(text.size()));
    return digest;
  }

  // What an append does, with a pause after each step: hold, look, name.
  void Write() {
    const std::string text = AnyText();
    std::shared_ptr<void> hold = parts_->blobs.HoldBlobs("film");
    Post([this, text, hold] {
      v1::FindMissingBlobsRequest question;
      question.set_movie_id("film");
      *question.add_digests() = DigestOf(text);
      ASSERT_OK_AND_ASSIGN(const auto answer,
                           parts_->blobs.FindMissing(question));
      const bool missing = answer.missing_size() > 0;
      // Half of the writers name only what is there.
      if (missing && Below(2) == 0) {
        ASSERT_TRUE(PutBlobQuietly(text));
      } else if (missing) {
        Post([this] { Write(); });
        return;
      }
      Post([this, text, hold] {
        if (Below(3) > 0) {  // changes its mind
          Post([this] { Write(); });
          return;
        }
        v1::Event event;
        event.set_revision("rev-0001");
        event.mutable_input()->set_input_id("Input:Topic");
        v1::BlobRef* blob =
            event.mutable_input()->mutable_content()->mutable_blob();
        blob->set_mime_type("text/plain");
        *blob->mutable_digest() = DigestOf(text);
        ASSERT_OK(parts_->events.AppendOwn(InputsLogKey("film"), event, {}));
        Post([this, hold] { Write(); });
      });
    });
  }

  // As a runner: an output, then the revision with it.
  void Commit() {
    const v1::LeaseToken lease = TakeFilmLease(parts_->store());
    const std::string text = AnyText();
    ASSERT_TRUE(PutBlobQuietly(text));
    const v1::ManifestPointer current = CurrentOf(parts_->store());
    const int number = current.revision().empty()
                           ? 1
                           : std::stoi(current.revision().substr(4)) + 1;
    const std::string run =
        absl::StrCat("run-01KDV3N3C0", absl::Dec(number, absl::kZeroPad16));
    v1::AppendEventsRequest append =
        ArtefactMade("Artifact:Film", 'a', "", lease, run);
    v1::BlobRef* blob = append.mutable_events(0)
                            ->mutable_artefact()
                            ->mutable_output()
                            ->mutable_blob();
    blob->set_mime_type("text/plain");
    *blob->mutable_digest() = DigestOf(text);
    Post([this, append, lease, run, number, hash = current.hash()] {
      // The collector may have been here: the blob was not held.
      const auto appended = parts_->events.Append(append);
      if (appended.ok()) {
        ASSERT_OK_AND_ASSIGN(const LogExtent inputs,
                             file_log_->Extent(InputsLogKey("film")));
        ASSERT_OK(parts_->manifests.Commit(
            CommitOf(lease, run,
                     absl::StrCat("rev-", absl::Dec(number, absl::kZeroPad4)),
                     hash, inputs.last_sequence)));
      } else {
        ASSERT_THAT(appended, StatusIs(absl::StatusCode::kInvalidArgument));
      }
      Post([this] { Commit(); });
    });
  }

  // Opens a blob, pauses, and reads it: it may have been collected meanwhile.
  void Read() {
    const std::string text = AnyText();
    auto reader =
        file_storage_->OpenRead(BlobKey("film", Sha256Of(text).Hex()));
    if (!reader.ok()) {
      Post([this] { Read(); });
      return;
    }
    Post([this, text,
          reader = std::shared_ptr<ObjectReader>(*std::move(reader))] {
      std::string bytes(text.size() + 1, '\0');
      ASSERT_THAT(reader->ReadAt(0, absl::MakeSpan(bytes)),
                  IsOkAndHolds(text.size()));
      EXPECT_EQ(bytes.substr(0, text.size()), text);
      Post([this] { Read(); });
    });
  }

  // Everything that is named is there, with its bytes.
  void Check() {
    ASSERT_OK(VisitReachableBlobs(
        *file_storage_, *file_log_, parts_->manifests, "film",
        [&](const BlobReference& reference) -> absl::Status {
          const std::string& hash = reference.blob.digest().hash();
          absl::StatusOr<std::string> bytes =
              ReadObject(*file_storage_, BlobKey("film", hash));
          EXPECT_OK(bytes) << reference.Reason();
          if (!bytes.ok()) return bytes.status();
          EXPECT_EQ(Sha256Of(*bytes).Hex(), hash);
          return absl::OkStatus();
        }));
  }

  // Nobody holds anything and nothing is young: what is left is named.
  void CollectEverything() {
    collection_ = nullptr;
    v1::CollectGarbageRequest request;
    request.set_movie_id("film");
    request.mutable_grace();
    ASSERT_OK(CollectGarbage(
        Parts(), request,
        [](const v1::CollectGarbageResponse&) { return absl::OkStatus(); }));
    Check();
    std::map<std::string, bool> named;
    ASSERT_OK(VisitReachableBlobs(*file_storage_, *file_log_, parts_->manifests,
                                  "film", [&](const BlobReference& reference) {
                                    named[reference.blob.digest().hash()] =
                                        true;
                                    return absl::OkStatus();
                                  }));
    for (int i = 0; i < kTexts; ++i) {
      const std::string hash = Sha256Of(absl::StrCat("text ", i)).Hex();
      EXPECT_EQ(file_storage_->Stat(BlobKey("film", hash)).ok(),
                named.count(hash) > 0);
    }
  }

  SeededRandom random_;
  FaultyFileSystem fs_;
  std::unique_ptr<FileEventLog> file_log_;
  std::unique_ptr<FileObjectStorage> file_storage_;
  std::unique_ptr<Core> parts_;
  std::unique_ptr<Collection> collection_;
  std::unique_ptr<ManualExecutor> executor_;
};

class CollectionInterleavingTest : public ::testing::TestWithParam<int> {};

// Invariant 10.
// F: S1-54, S1-55
TEST_P(CollectionInterleavingTest, NothingThatIsNamedIsEverGone) {
  for (int i = 0; i < kSeedsPerBlock; ++i) {
    const uint64_t seed = GetParam() * kSeedsPerBlock + i;
    Story story(seed);
    story.Run();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, CollectionInterleavingTest,
                         ::testing::Range(0, kBlocks));

}  // namespace
}  // namespace kinora
