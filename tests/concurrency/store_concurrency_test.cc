// Many writers and followers, commits, checkpoints and garbage collection at
// once on one store with real files. Under ThreadSanitizer, which also watches
// the order of locks.
//
// Proves that every acknowledged append is in its place and nothing else is,
// that each follower saw every event once and in order, wherever it began, and
// that no blob that an event names was collected.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/store/local_store.h"
#include "tests/concurrency/log_follower.h"

namespace kinora {
namespace {

constexpr int kWriters = 64;
constexpr int kAppendsPerWriter = 25;
constexpr int kFollowers = 16;
constexpr int kBlobWriters = 4;
constexpr int kBlobsPerWriter = 15;
constexpr int kCommits = 12;
constexpr const char* kMovies[] = {"film", "short"};
constexpr const char* kRun = "run-01KDV3N3C000000000000000";

v1::LogName LogOf(const std::string& movie, v1::LogKind kind) {
  v1::LogName log;
  log.set_movie_id(movie);
  log.set_kind(kind);
  return log;
}

// An append that was acknowledged.
struct Acknowledged {
  std::string movie;
  int64_t sequence = 0;
  std::string text;
};

class StoreConcurrencyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogLevel(LogLevel::kOff);
    LocalStoreOptions options;
    options.data_dir = dir_.path();
    // Segments come and go all the time.
    options.log_limits = {.journal_segment_bytes = 32 << 10,
                          .max_unsynced_logs = 2};
    ASSERT_OK_AND_ASSIGN(
        local_, LocalStore::Open(options, PosixFileSystem(), RealClock(),
                                 SystemRandom(), pool_));
    for (const char* movie : kMovies) {
      v1::CreateMovieRequest request;
      request.set_movie_id(movie);
      request.set_blueprint("name: film\n");
      ASSERT_OK(store().movies.Create(request));
    }
  }

  Store store() { return local_->store(); }

  void Start(std::function<void()> body) {
    threads_.emplace_back(std::move(body));
  }
  void JoinAll() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  void Acknowledge(Acknowledged append) {
    MutexLock lock(mu_);
    acknowledged_.push_back(std::move(append));
  }

  // Appends input edits, some of them twice, as after a lost answer.
  void Write(int writer) {
    SeededRandom random(writer);
    for (int i = 0; i < kAppendsPerWriter; ++i) {
      const std::string movie = kMovies[writer % 2];
      v1::AppendEventsRequest request =
          Edit(movie, absl::StrCat("Input:Topic", writer % 5),
               absl::StrCat("text ", writer, " ", i));
      request.set_request_id(absl::StrCat("request-", writer, "-", i));
      AppendAcknowledged(request);
      if (UniformBelow(random, 4) == 0) AppendAgain(request);
    }
  }

  v1::AppendEventsRequest Edit(const std::string& movie,
                               const std::string& input,
                               const std::string& text) {
    v1::AppendEventsRequest request;
    *request.mutable_log() = LogOf(movie, v1::LOG_KIND_INPUTS);
    v1::Event& event = *request.add_events();
    event.set_revision("rev-0001");
    event.mutable_input()->set_input_id(input);
    event.mutable_input()->set_edited_by(v1::EDITED_BY_USER);
    v1::InlineValue& value =
        *event.mutable_input()->mutable_content()->mutable_inline_();
    value.set_mime_type("text/plain");
    value.set_data(text);
    return request;
  }

  void AppendAcknowledged(const v1::AppendEventsRequest& request) {
    ASSERT_OK_AND_ASSIGN(v1::AppendEventsResponse response,
                         store().events.Append(request));
    Acknowledge({request.log().movie_id(), response.first_sequence(),
                 request.events(0).input().content().inline_().data()});
    MutexLock lock(mu_);
    ranges_[request.request_id()] = response.first_sequence();
  }

  void AppendAgain(const v1::AppendEventsRequest& request) {
    ASSERT_OK_AND_ASSIGN(v1::AppendEventsResponse response,
                         store().events.Append(request));
    MutexLock lock(mu_);
    EXPECT_EQ(response.first_sequence(), ranges_[request.request_id()]);
  }

  // Writes a blob and names it in an event. Without a grace period a collection
  // may come between the two: then the append is refused and both are done
  // again, as the error tells its caller.
  absl::StatusOr<v1::AppendEventsResponse> UploadAndName(
      const v1::BatchWriteBlobsRequest& batch,
      const v1::AppendEventsRequest& edit) {
    for (;;) {
      KINORA_ASSIGN_OR_RETURN(v1::BatchWriteBlobsResponse written,
                              store().blobs.BatchWrite(batch));
      absl::StatusOr<v1::AppendEventsResponse> response =
          store().events.Append(edit);
      if (response.ok() ||
          !absl::StrContains(response.status().message(), "upload it first")) {
        return response;
      }
    }
  }

  // Writes a blob that nothing will ever name.
  void WriteScrap(const std::string& movie, const std::string& bytes) {
    v1::BatchWriteBlobsRequest batch;
    batch.set_movie_id(movie);
    batch.add_blobs()->set_data(bytes);
    ASSERT_OK_AND_ASSIGN(v1::BatchWriteBlobsResponse written,
                         store().blobs.BatchWrite(batch));
    ASSERT_EQ(written.results(0).code(), 0) << written.results(0).message();
    MutexLock lock(mu_);
    scraps_.emplace_back(movie, written.results(0).digest());
  }

  // Writes blobs and names each in an event, as uploads of typed inputs do.
  void WriteBlobs(int writer) {
    for (int i = 0; i < kBlobsPerWriter; ++i) {
      const std::string movie = kMovies[writer % 2];
      v1::BatchWriteBlobsRequest batch;
      batch.set_movie_id(movie);
      // Others write the same bytes.
      batch.add_blobs()->set_data(absl::StrCat("blob ", i));
      batch.add_blobs()->set_data(absl::StrCat("blob ", writer, " ", i));
      WriteScrap(movie, absl::StrCat("scrap ", writer, " ", i));
      ASSERT_OK_AND_ASSIGN(v1::BatchWriteBlobsResponse written,
                           store().blobs.BatchWrite(batch));
      for (const v1::BatchBlobResult& result : written.results()) {
        ASSERT_EQ(result.code(), 0) << result.message();
        v1::AppendEventsRequest edit = Edit(movie, "Input:Picture", "");
        v1::BlobRef& blob = *edit.mutable_events(0)
                                 ->mutable_input()
                                 ->mutable_content()
                                 ->mutable_blob();
        *blob.mutable_digest() = result.digest();
        blob.set_mime_type("image/png");
        ASSERT_OK_AND_ASSIGN(v1::AppendEventsResponse response,
                             UploadAndName(batch, edit));
        Acknowledge({movie, response.first_sequence(), result.digest().hash()});
      }
    }
  }

  void Follow(int follower) {
    SeededRandom random(1000 + follower);
    const std::string movie = kMovies[follower % 2];
    // Every fourth is slow: it takes two events a page.
    const int64_t limit = follower % 4 == 0 ? 2 : 50 + follower;
    const int64_t start =
        static_cast<int64_t>(UniformBelow(random, InputsPerMovie() / 2));
    const v1::LogName name = LogOf(movie, v1::LOG_KIND_INPUTS);
    // Nobody may begin past the end.
    EXPECT_OK(LogFollower(store().events, name, 0, limit).FollowTo(start));
    LogFollower log(store().events, name, start, limit);
    EXPECT_OK(log.FollowTo(InputsPerMovie())) << "follower " << follower;
  }

  // The blueprint, the edits and the pictures.
  static int64_t InputsPerMovie() {
    return 1 + kWriters / 2 * kAppendsPerWriter +
           kBlobWriters / 2 * kBlobsPerWriter * 2;
  }

  // Commits one revision after another of the first movie.
  void Commit() {
    v1::AcquireLeaseRequest acquire;
    acquire.set_lease_id("movie/film");
    acquire.set_holder("runner");
    acquire.mutable_ttl()->set_seconds(3600);
    ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse lease,
                         store().leases.Acquire(acquire));
    std::string base;
    for (int i = 1; i <= kCommits; ++i) {
      v1::GetLogStatusRequest inputs;
      *inputs.mutable_log() = LogOf("film", v1::LOG_KIND_INPUTS);
      ASSERT_OK_AND_ASSIGN(v1::GetLogStatusResponse status,
                           store().events.GetLogStatus(inputs));
      v1::CommitRevisionRequest request;
      request.set_movie_id("film");
      *request.mutable_lease() = lease.lease().token();
      v1::RevisionSource& source = *request.mutable_source();
      source.set_run_id(absl::StrCat(kRun, i / 10, i % 10));
      source.set_target_revision(absl::StrCat("rev-00", i / 10, i % 10));
      source.set_base_manifest_hash(base);
      source.set_inputs_through_sequence(status.last_sequence());
      ASSERT_OK_AND_ASSIGN(v1::CommitRevisionResponse committed,
                           store().manifests.Commit(request));
      // Nothing was edited meanwhile: the same revision comes next.
      if (!committed.published()) {
        --i;
        std::this_thread::yield();
        if (writers_left_ == 0) return;
        continue;
      }
      base = committed.current().hash();
    }
  }

  // Calls `maintain` for each movie until the writers are done; and at least
  // once.
  void Maintain(
      const std::function<absl::Status(const std::string& movie)>& maintain) {
    do {
      for (const char* movie : kMovies) {
        const absl::Status status = maintain(movie);
        EXPECT_OK(status);
        if (!status.ok()) return;
      }
    } while (writers_left_ > 0);
  }

  absl::Status CollectGarbage(const std::string& movie) {
    v1::CollectGarbageRequest request;
    request.set_movie_id(movie);
    request.mutable_grace();
    return store().maintenance.CollectGarbage(
        request, [this](const v1::CollectGarbageResponse& response) {
          collected_ += response.removed_size();
          return absl::OkStatus();
        });
  }

  // After a last collection nothing that no event names is left.
  void CheckScraps() {
    for (const char* movie : kMovies) EXPECT_OK(CollectGarbage(movie));
    MutexLock lock(mu_);
    ASSERT_EQ(scraps_.size(), size_t{kBlobWriters * kBlobsPerWriter});
    EXPECT_GE(collected_, static_cast<int64_t>(scraps_.size()));
    for (const auto& scrap : scraps_) {
      v1::FindMissingBlobsRequest find;
      find.set_movie_id(scrap.first);
      *find.add_digests() = scrap.second;
      ASSERT_OK_AND_ASSIGN(v1::FindMissingBlobsResponse missing,
                           store().blobs.FindMissing(find));
      EXPECT_EQ(missing.missing_size(), 1) << scrap.second.hash() << " is left";
    }
  }

  absl::Status Checkpoint(const std::string& movie) {
    v1::CheckpointMovieRequest request;
    request.set_movie_id(movie);
    return store().maintenance.CheckpointMovie(request).status();
  }

  void CheckLogs() {
    for (const char* movie : kMovies) {
      std::vector<v1::Event> events;
      v1::ReadEventsRequest request;
      *request.mutable_log() = LogOf(movie, v1::LOG_KIND_INPUTS);
      for (;;) {
        request.set_after_sequence(static_cast<int64_t>(events.size()));
        ASSERT_OK_AND_ASSIGN(v1::ReadEventsResponse page,
                             store().events.ReadPage(request));
        if (page.events().empty()) break;
        events.insert(events.end(), page.events().begin(), page.events().end());
      }
      ASSERT_EQ(static_cast<int64_t>(events.size()), InputsPerMovie());
      MutexLock lock(mu_);
      for (const Acknowledged& append : acknowledged_) {
        if (append.movie != movie) continue;
        const v1::Event& event = events[append.sequence - 1];
        EXPECT_EQ(event.sequence(), append.sequence);
        const v1::Content& content = event.input().content();
        EXPECT_EQ(content.has_blob() ? content.blob().digest().hash()
                                     : content.inline_().data(),
                  append.text);
        if (!content.has_blob()) continue;
        v1::FindMissingBlobsRequest find;
        find.set_movie_id(movie);
        *find.add_digests() = content.blob().digest();
        ASSERT_OK_AND_ASSIGN(v1::FindMissingBlobsResponse missing,
                             store().blobs.FindMissing(find));
        EXPECT_EQ(missing.missing_size(), 0) << append.text << " was collected";
      }
    }
  }

  TempDir dir_;
  ThreadPool pool_{"test", 3};
  std::unique_ptr<LocalStore> local_;
  std::atomic<int> writers_left_ = kWriters;
  std::atomic<int64_t> collected_ = 0;
  std::vector<std::thread> threads_;
  Mutex mu_;
  std::vector<Acknowledged> acknowledged_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int64_t> ranges_ ABSL_GUARDED_BY(mu_);
  std::vector<std::pair<std::string, v1::Digest>> scraps_ ABSL_GUARDED_BY(mu_);
};

// F: S1-10
TEST_F(StoreConcurrencyTest, EveryFollowerSeesEveryEventOnceWhileAllElseRuns) {
  for (int i = 0; i < kFollowers; ++i) Start([this, i] { Follow(i); });
  for (int i = 0; i < kWriters; ++i) {
    Start([this, i] {
      Write(i);
      --writers_left_;
    });
  }
  for (int i = 0; i < kBlobWriters; ++i) Start([this, i] { WriteBlobs(i); });
  Start([this] { Commit(); });
  Start([this] {
    Maintain(
        [this](const std::string& movie) { return CollectGarbage(movie); });
  });
  Start([this] {
    Maintain([this](const std::string& movie) { return Checkpoint(movie); });
  });
  JoinAll();
  CheckScraps();
  CheckLogs();
}

}  // namespace
}  // namespace kinora
