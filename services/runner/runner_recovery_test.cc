// What is told of runs that nobody carries out, that have ended, or that cannot
// be read; and that a restart of everything changes nothing of it.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/telemetry/metrics.h"
#include "common/testing/status_matchers.h"
#include "services/runner/actor/run_listener.h"
#include "services/runner/testing/runner_process.h"
#include "services/runner/testing/runner_questions_fixture.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/testing/forwarding_event_store.h"

namespace kinora {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using google::protobuf::util::MessageDifferencer;

// A store in which the ledger of one run is damaged, for a while.
class DamagedLedger final : public ForwardingEventStore {
 public:
  DamagedLedger(EventStore& base, std::string run_id)
      : ForwardingEventStore(base), run_id_(std::move(run_id)) {}

  void Mend() { is_mended_ = true; }

  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    if (!is_mended_ && request.log().run_id() == run_id_) {
      return DataCorrupt("ledger.log, line 7", "the checksum does not fit");
    }
    return ForwardingEventStore::ReadPage(request);
  }

 private:
  const std::string run_id_;
  std::atomic<bool> is_mended_{false};
};

// Looks whether the ledger has what it is told of.
class DoubtingListener final : public RunListener {
 public:
  explicit DoubtingListener(EventStore& events) : events_(events) {}

  int told() const { return told_; }
  int missing() const { return missing_; }

  void OnLedger(
      absl::string_view movie_id, absl::string_view run_id,
      int64_t first_sequence,
      const google::protobuf::RepeatedPtrField<v1::Event>& events) override {
    v1::ReadEventsRequest read;
    read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
    read.mutable_log()->set_movie_id(std::string(movie_id));
    read.mutable_log()->set_run_id(std::string(run_id));
    read.set_after_sequence(first_sequence + events.size() - 2);
    const absl::StatusOr<v1::ReadEventsResponse> page = events_.ReadPage(read);
    told_ += events.size();
    if (!page.ok() || page->events().empty()) ++missing_;
  }

 private:
  EventStore& events_;
  std::atomic<int> told_{0};
  std::atomic<int> missing_{0};
};

class RunnerRecoveryTest : public RunnerQuestionsFixture {
 protected:
  v1::RunRecovery Recovery(const std::string& run_id) {
    return Get(run_id).recovery();
  }

  absl::StatusOr<v1::ResumeRunResponse> Resume(const std::string& run_id) {
    v1::ResumeRunRequest resume;
    resume.set_run_id(run_id);
    return runner().Resume(resume);
  }

  void Cancel(const std::string& run_id) {
    v1::CancelRunRequest cancel;
    cancel.set_run_id(run_id);
    ASSERT_OK(runner().Cancel(cancel));
    Ledger(run_id);
    AwaitRecord(run_id, [](const v1::RunRecord& run) {
      return run.status() == v1::RUN_STATUS_CANCELLED;
    });
  }

  // A run that has been cancelled with one job done, E.
  std::string Cancelled() {
    MakeMovie(Asking(kText));
    const std::string run_id = Start();
    Ledger(run_id, WaitsFor("question"));
    Cancel(run_id);
    return run_id;
  }

  // Store and runner, as if the machine had been started anew. Nobody looks
  // for open runs yet.
  void RestartAll() {
    process_.reset();
    CoreFixture::Restart();
    process_ = NewProcess();
  }

  std::string StartIn(const std::string& movie_id) {
    v1::StartRunRequest request;
    request.set_movie_id(movie_id);
    absl::StatusOr<v1::StartRunResponse> started = runner().Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  std::vector<v1::RunRecord> Listed(const std::string& movie_id) {
    v1::ListRunsRequest list;
    list.set_movie_id(movie_id);
    absl::StatusOr<v1::ListRunsResponse> runs = runner().List(list);
    EXPECT_OK(runs);
    if (!runs.ok()) return {};
    return {runs->runs().begin(), runs->runs().end()};
  }
};

// F: S3-20
// Recovery, readiness, pending questions and the length of the ledger.
TEST_F(RunnerRecoveryTest, ARunThatGoesOnNeedsNothing) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  const v1::RunSnapshot run = Get(run_id);
  EXPECT_EQ(run.recovery().state(), v1::RUN_RECOVERY_STATE_NONE);
  EXPECT_FALSE(run.recovery().resume_ready());
  EXPECT_THAT(run.recovery().message(), HasSubstr("1 question is answered"));
  EXPECT_EQ(run.recovery().finished_jobs(), 1);
  EXPECT_TRUE(run.recovery().has_lease_expiry());
  EXPECT_THAT(run.pending_question_ids(), ElementsAre("sim"));
  EXPECT_GT(run.last_sequence(), 0);
  ASSERT_OK(Answer(run_id, "\"white\""));
  Finish(run_id);
  const v1::RunRecovery ended = Recovery(run_id);
  EXPECT_EQ(ended.state(), v1::RUN_RECOVERY_STATE_NONE);
  EXPECT_EQ(ended.finished_jobs(), 3);
}

// F: S3-14
// Whoever looks knows that somebody will go on with it, and from what.
TEST_F(RunnerRecoveryTest, ARunThatNobodyCarriesOutIsAdopted) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  RestartAll();
  const v1::RunRecovery left = Recovery(run_id);
  EXPECT_EQ(left.state(), v1::RUN_RECOVERY_STATE_AVAILABLE);
  EXPECT_EQ(left.action(), v1::RUN_RECOVERY_ACTION_ADOPT);
  EXPECT_EQ(left.finished_jobs(), 1);
  EXPECT_FALSE(left.has_lease_expiry());
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Recovery(run_id).state(), v1::RUN_RECOVERY_STATE_NONE);
}

// F: S3-1, S3-2, S3-4, S3-8 (record, events, question, results and artefacts)
TEST_F(RunnerRecoveryTest, AllThatIsOfARunIsFoundAfterARestart) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  const size_t events = Ledger(run_id, WaitsFor("question")).size();
  RestartAll();
  const v1::RunSnapshot run = Get(run_id);
  EXPECT_EQ(run.record().movie_id(), "film");
  EXPECT_EQ(run.record().target_revision(), "rev-0001");
  EXPECT_NE(run.record().plan_hash(), "");
  EXPECT_TRUE(run.record().has_create_time());
  EXPECT_GE(run.last_sequence(), static_cast<int64_t>(events));
  EXPECT_EQ(Ledger(run_id, WaitsFor("question")).size(), events);
  EXPECT_THAT(Questions(run_id), ElementsAre("A Which whale?"));
  EXPECT_THAT(Jobs(run), Contains("E completed"));
  EXPECT_NE(Output("EText"), "");
}

// F: S3-11
TEST_F(RunnerRecoveryTest, WhoeverIsToldOfAnEventFindsItInTheLedger) {
  DoubtingListener listener(store().events);
  process_.reset();
  process_ = std::make_unique<RunnerProcess>(
      store(), clock_, SimProducerOptions(), /*metrics=*/nullptr, &listener);
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  ASSERT_OK(Answer(run_id, "\"white\""));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  process_.reset();
  EXPECT_EQ(listener.missing(), 0);
  EXPECT_GT(listener.told(), 8);
}

TEST_F(RunnerRecoveryTest, APausedRunIsReadyToBeResumed) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  v1::PauseRunRequest pause;
  pause.set_run_id(run_id);
  ASSERT_OK(runner().Pause(pause));
  const v1::RunRecovery paused = Recovery(run_id);
  EXPECT_EQ(paused.state(), v1::RUN_RECOVERY_STATE_AVAILABLE);
  EXPECT_EQ(paused.action(), v1::RUN_RECOVERY_ACTION_RESUME);
  EXPECT_TRUE(paused.resume_ready());
  ASSERT_OK_AND_ASSIGN(const v1::ResumeRunResponse same, Resume(run_id));
  EXPECT_EQ(same.run().run_id(), run_id);
  EXPECT_NE(Recovery(run_id).action(), v1::RUN_RECOVERY_ACTION_RESUME);
}

// F: S3-19
TEST_F(RunnerRecoveryTest, ACancelledRunIsResumedByOneThatReusesItsResults) {
  const std::string first = Cancelled();
  const v1::RunRecovery recovery = Recovery(first);
  EXPECT_EQ(recovery.state(), v1::RUN_RECOVERY_STATE_AVAILABLE);
  EXPECT_EQ(recovery.action(), v1::RUN_RECOVERY_ACTION_START_ANEW);
  EXPECT_TRUE(recovery.resume_ready());
  EXPECT_THAT(recovery.message(), HasSubstr("1 result of this one"));
  ASSERT_OK_AND_ASSIGN(const v1::ResumeRunResponse second, Resume(first));
  EXPECT_EQ(second.run().resumes_run_id(), first);
  Ledger(second.run().run_id(), WaitsFor("question"));
  EXPECT_THAT(Jobs(Get(second.run().run_id())), Contains("E skipped reused"));
}

// F: S3-19
// What is told is what resuming it fails with.
TEST_F(RunnerRecoveryTest, ARunIsNotResumedWhileAnotherIsActive) {
  const std::string first = Cancelled();
  const std::string second = Start();
  Ledger(second, WaitsFor("question"));
  const v1::RunRecovery recovery = Recovery(first);
  EXPECT_EQ(recovery.state(), v1::RUN_RECOVERY_STATE_REFUSED);
  EXPECT_FALSE(recovery.resume_ready());
  ASSERT_THAT(recovery.refusals(), SizeIs(1));
  EXPECT_EQ(recovery.refusals(0).reason(), "RUN_ACTIVE");
  EXPECT_THAT(recovery.refusals(0).message(), HasSubstr(second));
  const absl::Status refused = Resume(first).status();
  EXPECT_EQ(ReasonOf(refused), "RUN_ACTIVE");
  EXPECT_EQ(refused.message(), recovery.refusals(0).message());
  Cancel(second);
  EXPECT_TRUE(Recovery(first).resume_ready());
}

// F: S3-19
TEST_F(RunnerRecoveryTest, ARunWhosePlanIsLostIsNotResumed) {
  const std::string first = Cancelled();
  const std::string plan = Get(first).record().plan_hash();
  ASSERT_OK(storage_.Delete(PlanKey("film", plan)));
  const v1::RunRecovery recovery = Recovery(first);
  EXPECT_EQ(recovery.state(), v1::RUN_RECOVERY_STATE_REFUSED);
  ASSERT_THAT(recovery.refusals(), SizeIs(1));
  EXPECT_EQ(recovery.refusals(0).reason(), "PLAN_NOT_FOUND");
  EXPECT_THAT(recovery.refusals(0).message(), HasSubstr(plan));
  const absl::Status refused = Resume(first).status();
  EXPECT_EQ(ReasonOf(refused), "PLAN_NOT_FOUND");
  EXPECT_EQ(refused.message(), recovery.refusals(0).message());
}

// F: S3-10
// Reported with the file, and nobody else's trouble.
TEST_F(RunnerRecoveryTest, ARunWithADamagedRecordIsQuarantinedAndListed) {
  const std::string damaged = Cancelled();
  MakeMovie(Asking("{}"), "other");
  const std::string sound = StartIn("other");
  Ledger(sound, nullptr, "other");
  const std::string key = RunRecordKey("film", damaged);
  ASSERT_OK_AND_ASSIGN(const std::string record, ReadObject(storage_, key));
  ASSERT_OK(storage_.Write(key, "{\"runId"));

  const v1::RunSnapshot run = Get(damaged);
  EXPECT_EQ(run.record().run_id(), damaged);
  EXPECT_EQ(run.record().movie_id(), "film");
  EXPECT_EQ(run.recovery().state(), v1::RUN_RECOVERY_STATE_QUARANTINED);
  ASSERT_THAT(run.recovery().refusals(), SizeIs(1));
  EXPECT_EQ(run.recovery().refusals(0).reason(), "DATA_CORRUPT");
  EXPECT_THAT(run.recovery().refusals(0).message(), HasSubstr(key));
  EXPECT_EQ(Resume(damaged).status().message(),
            run.recovery().refusals(0).message());
  for (const char* movie : {"film", ""}) {
    const std::vector<v1::RunRecord> listed = Listed(movie);
    ASSERT_THAT(listed, SizeIs(*movie == '\0' ? 2 : 1));
    for (const v1::RunRecord& one : listed) {
      if (one.run_id() == sound) continue;
      EXPECT_EQ(one.run_id(), damaged);
      EXPECT_EQ(one.movie_id(), "film");
      EXPECT_EQ(one.status(), v1::RUN_STATUS_UNSPECIFIED);
      EXPECT_THAT(one.error(), HasSubstr(key));
    }
  }
  EXPECT_THAT(Listed("other"), SizeIs(1));
  EXPECT_EQ(Recovery(sound).state(), v1::RUN_RECOVERY_STATE_NONE);

  ASSERT_OK(storage_.Write(key, record));
  EXPECT_TRUE(Recovery(damaged).resume_ready());
  EXPECT_EQ(Listed("film").at(0).status(), v1::RUN_STATUS_CANCELLED);
}

// F: S3-10
// Found by whoever would go on with it, and told to who looks.
TEST_F(RunnerRecoveryTest, ARunWithADamagedLedgerIsQuarantinedUntilItIsMended) {
  MakeMovie(Asking(kText));
  const std::string damaged = Start();
  Ledger(damaged, WaitsFor("question"));
  MakeMovie(Asking(kText), "other");
  const std::string sound = StartIn("other");
  Ledger(sound, WaitsFor("question"), "other");
  process_.reset();
  DamagedLedger events(store().events, damaged);
  MetricsRegistry metrics;
  process_ = std::make_unique<RunnerProcess>(events.Within(store()), clock_,
                                             SimProducerOptions(), &metrics);

  ASSERT_OK(runner().AdoptOpenRuns());
  const std::vector<v1::RunRecord> listed = Listed("film");
  ASSERT_THAT(listed, SizeIs(1));
  EXPECT_EQ(listed[0].status(), v1::RUN_STATUS_UNSPECIFIED);
  EXPECT_THAT(listed[0].error(), HasSubstr("ledger.log, line 7"));
  EXPECT_THAT(metrics.RenderPrometheus(),
              HasSubstr("\nkinora_runner_runs_damaged 1\n"));
  const v1::RunSnapshot run = Get(damaged);
  EXPECT_EQ(run.record().movie_id(), "film");
  EXPECT_EQ(run.recovery().state(), v1::RUN_RECOVERY_STATE_QUARANTINED);
  ASSERT_THAT(run.recovery().refusals(), SizeIs(1));
  EXPECT_THAT(run.recovery().refusals(0).message(), HasSubstr("line 7"));
  EXPECT_EQ(ReasonOf(Resume(damaged).status()), "DATA_CORRUPT");
  // All others go on.
  EXPECT_EQ(Recovery(sound).state(), v1::RUN_RECOVERY_STATE_NONE);
  EXPECT_NE(Listed("other").at(0).status(), v1::RUN_STATUS_UNSPECIFIED);
  ASSERT_OK(Answer(sound, "\"white\""));
  EXPECT_TRUE(Ledger(sound, nullptr, "other").back().has_run_completed());

  events.Mend();
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Recovery(damaged).state(), v1::RUN_RECOVERY_STATE_NONE);
  EXPECT_THAT(metrics.RenderPrometheus(),
              HasSubstr("\nkinora_runner_runs_damaged 0\n"));
  EXPECT_NE(Listed("film").at(0).status(), v1::RUN_STATUS_UNSPECIFIED);
  ASSERT_OK(Answer(damaged, "\"white\""));
  EXPECT_EQ(Finish(damaged).record().status(), v1::RUN_STATUS_COMPLETED);
  process_.reset();
}

// F: S3-14, S3-17, S3-18, S3-23, S3-25
// Wherever store and runner are stopped, the run is told as it was, and comes
// to the same end, asked once and answered once.
TEST_F(RunnerRecoveryTest, ARestartAfterAnyEventChangesNothing) {
  bool ended = false;
  int cuts = 0;
  for (int cut = 1; !ended; ++cut) {
    SCOPED_TRACE(absl::StrCat("cut behind event ", cut));
    const std::string movie = absl::StrCat("film-", cut);
    MakeMovie(Asking(kText), movie);
    const std::string run_id = StartIn(movie);
    bool waits = false;
    int seen = 0;
    const auto is_cut = [&](const v1::LedgerEvent& event) {
      waits = waits || event.run_waiting().reason() == "question";
      return ++seen == cut;
    };
    Ledger(
        run_id,
        [&](const v1::LedgerEvent& event) { return is_cut(event) || waits; },
        movie);
    bool is_answered = false;
    if (seen < cut) {
      ASSERT_TRUE(waits);
      ASSERT_OK(Answer(run_id, "\"white\""));
      is_answered = true;
      seen = 0;
      const std::vector<v1::LedgerEvent> all = Ledger(run_id, is_cut, movie);
      ended = seen < cut || all.back().has_run_completed();
    }
    process_.reset();
    CoreFixture::Restart();
    process_ = NewProcess();
    const v1::RunSnapshot before = Get(run_id);
    RestartAll();
    const v1::RunSnapshot after = Get(run_id);
    EXPECT_TRUE(MessageDifferencer::Equals(before, after))
        << before.DebugString() << after.DebugString();

    // Nobody waits for the answer.
    if (!is_answered && after.pending_question_ids_size() > 0) {
      ASSERT_OK(Answer(run_id, "\"white\""));
      is_answered = true;
      EXPECT_THAT(Get(run_id).pending_question_ids(), IsEmpty());
    }
    ASSERT_OK(runner().AdoptOpenRuns());
    if (!is_answered) {
      Ledger(run_id, WaitsFor("question"), movie);
      ASSERT_OK(Answer(run_id, "\"white\""));
    }
    int questions = 0;
    int answers = 0;
    for (const v1::LedgerEvent& event : Ledger(run_id, nullptr, movie)) {
      questions += event.job().type() == "question";
      answers += event.job().type() == "answered";
    }
    EXPECT_EQ(questions, 1);
    EXPECT_EQ(answers, 1);
    const v1::RunSnapshot end = Get(run_id);
    EXPECT_EQ(end.record().status(), v1::RUN_STATUS_COMPLETED)
        << end.record().error();
    ++cuts;
    ASSERT_LT(cuts, 100);
  }
  EXPECT_GT(cuts, 5);
}

}  // namespace
}  // namespace kinora
