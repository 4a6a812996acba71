// Edits by hand while a run waits for its turn, on real files.

#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/threads/thread_pool.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_process.h"
#include "services/store/local_store.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// B takes as long as that.
std::string Notes(int b_millis) {
  return absl::StrCat(R"(
blueprint: notes
inputs:
  Topic: {type: text, default: "sea"}
nodes:
  A:
    producer: sim
    inputs: {topic: "Input:Topic"}
    outputs: {AText: {type: text/plain, readable: "a.txt"}}
  B:
    producer: sim
    settings: {delay_ms: )",
                      b_millis, R"(}
    inputs: {a: AText}
    outputs: {BText: text/plain}
outputs: [BText]
)");
}

class RunnerHandEditsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    LocalStoreOptions options;
    options.data_dir = dir_.path();
    ASSERT_OK_AND_ASSIGN(
        local_, LocalStore::Open(options, fs_, RealClock(), random_, pool_));
    process_ = std::make_unique<RunnerProcess>(store(), RealClock(),
                                               SimProducerOptions());
    v1::CreateMovieRequest request;
    request.set_movie_id("film");
    request.set_blueprint(Notes(600'000));
    ASSERT_OK(store().movies.Create(request));
  }

  Store store() { return local_->store(); }
  Runner& runner() { return process_->runner(); }

  std::string Start(v1::IfActive if_active) {
    v1::StartRunRequest request;
    request.set_movie_id("film");
    request.set_if_active(if_active);
    const absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }
  void Cancel(const std::string& run_id) {
    v1::CancelRunRequest request;
    request.set_run_id(run_id);
    ASSERT_OK(runner().Cancel(request));
  }
  void Await(const std::string& run_id, bool (*is_it)(const v1::LedgerEvent&)) {
    v1::ReadEventsRequest read;
    read.mutable_log()->set_movie_id("film");
    read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
    read.mutable_log()->set_run_id(run_id);
    for (;;) {
      ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse page,
                           store().events.ReadPage(read));
      for (const v1::Event& event : page.events()) {
        if (is_it(event.ledger())) return;
        ASSERT_FALSE(event.ledger().has_run_failed())
            << event.ledger().run_failed().error();
      }
      read.set_after_sequence(page.bookmark().sequence());
      if (!page.events().empty()) continue;
      // Shared: a waiter may fire while it is being cancelled.
      auto more = std::make_shared<std::promise<void>>();
      const EventStore::WaiterId id = store().events.NotifyAfter(
          read.log(), read.after_sequence(), [more] { more->set_value(); });
      const std::future_status status =
          more->get_future().wait_for(std::chrono::seconds(60));
      store().events.CancelNotify(id);
      ASSERT_EQ(status, std::future_status::ready);
    }
  }
  void AwaitB(const std::string& run_id) {
    Await(run_id, [](const v1::LedgerEvent& event) {
      return event.step_started().step().step_id() == "B";
    });
  }
  void AwaitCompletion(const std::string& run_id) {
    Await(run_id, [](const v1::LedgerEvent& event) {
      return event.has_run_completed();
    });
  }

  void LetBEndAtOnce() {
    v1::SetBlueprintRequest request;
    request.set_movie_id("film");
    request.set_blueprint(Notes(0));
    ASSERT_OK(store().movies.SetBlueprint(request));
  }
  void EditByHand(const std::string& text) {
    ASSERT_OK(
        WriteFileAtomically(fs_, dir_.Sub("builds/film/prompts/a.txt"), text));
  }
  // The value of A in the current revision.
  std::string CurrentA() {
    v1::GetManifestRequest get;
    get.set_movie_id("film");
    const absl::StatusOr<StoredManifest> manifest = store().manifests.Get(get);
    EXPECT_OK(manifest);
    return manifest.ok() ? manifest->json : "";
  }

  TempDir dir_;
  FileSystem& fs_ = PosixFileSystem();
  SeededRandom random_{1};
  ThreadPool pool_{"test", 2};
  std::unique_ptr<LocalStore> local_;
  std::unique_ptr<RunnerProcess> process_;
};

TEST_F(RunnerHandEditsTest, ARunThatWaitedTakesWhatWasEditedMeanwhile) {
  const std::string first = Start(v1::IF_ACTIVE_UNSPECIFIED);
  AwaitB(first);
  LetBEndAtOnce();
  const std::string second = Start(v1::IF_ACTIVE_QUEUE);
  EditByHand("a green sea");
  Cancel(first);
  AwaitCompletion(second);
  EXPECT_THAT(CurrentA(), HasSubstr("a green sea"));
  EXPECT_EQ(process_->calls(), 3);  // A, and B twice
}

TEST_F(RunnerHandEditsTest, ARunThatReplacesAnotherTakesThemToo) {
  const std::string first = Start(v1::IF_ACTIVE_UNSPECIFIED);
  AwaitB(first);
  LetBEndAtOnce();
  EditByHand("a green sea");
  AwaitCompletion(Start(v1::IF_ACTIVE_REPLACE));
  EXPECT_THAT(CurrentA(), HasSubstr("a green sea"));
}

}  // namespace
}  // namespace kinora
