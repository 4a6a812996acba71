#include "services/store/run/object_run_record_store.h"

#include <string>
#include <vector>

#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/proto_time.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"
#include "services/store/store_core.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/faulty_object_storage.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ObjectRunRecordStoreTest : public CoreFixture {
 protected:
  void SetUp() override {
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
  }

  absl::Status Put(const v1::RunRecord& record) {
    v1::PutRunRecordRequest request;
    *request.mutable_record() = record;
    *request.mutable_lease() = lease_;
    return core().runs.Put(request).status();
  }
  absl::StatusOr<v1::GetRunRecordResponse> Get(absl::string_view run_id) {
    v1::GetRunRecordRequest request;
    request.set_run_id(std::string(run_id));
    return core().runs.Get(request);
  }
  static v1::RunRecord Record(absl::string_view run_id) {
    v1::RunRecord record;
    record.set_run_id(std::string(run_id));
    record.set_movie_id("film");
    record.set_status(v1::RUN_STATUS_RUNNING);
    return record;
  }

  v1::LeaseToken lease_;
};

// F: S3-2, S3-5
TEST_F(ObjectRunRecordStoreTest, ARunIsFoundByItsIdAlone) {
  v1::RunRecord record = Record(kRun1);
  record.mutable_jobs()->set_total(3);
  (*record.mutable_labels())["why"] = "test";
  ASSERT_OK(Put(record));
  ASSERT_OK_AND_ASSIGN(v1::GetRunRecordResponse read, Get(kRun1));
  EXPECT_EQ(CanonicalBytes(read.record()), CanonicalBytes(record));

  record.set_status(v1::RUN_STATUS_COMPLETED);
  ASSERT_OK(Put(record));
  Restart();
  ASSERT_OK_AND_ASSIGN(read, Get(kRun1));
  EXPECT_EQ(read.record().status(), v1::RUN_STATUS_COMPLETED);
}

// F: S1-37
TEST_F(ObjectRunRecordStoreTest, OpenRunsAreFoundAmongThoseThatHaveEnded) {
  const std::string second = "run-01KDV3N3C00000000000000002";
  const std::string third = "run-01KDV3N3C00000000000000003";
  v1::RunRecord ended = Record(kRun1);
  ASSERT_OK(Put(ended));
  ASSERT_OK(Put(Record(second)));
  v1::RunRecord waiting = Record(third);
  waiting.set_status(v1::RUN_STATUS_WAITING);
  ASSERT_OK(Put(waiting));
  ended.set_status(v1::RUN_STATUS_FAILED);
  ASSERT_OK(Put(ended));

  const auto listed = [this](const std::string& movie,
                             std::vector<v1::RunStatus> statuses) {
    v1::ListRunRecordsRequest request;
    request.set_movie_id(movie);
    for (v1::RunStatus status : statuses) request.add_statuses(status);
    std::vector<std::string> ids;
    const absl::StatusOr<v1::ListRunRecordsResponse> page =
        core().runs.List(request);
    EXPECT_OK(page);
    if (!page.ok()) return ids;
    for (const v1::RunRecord& record : page->records()) {
      ids.push_back(record.run_id());
    }
    return ids;
  };
  for (bool restarted : {false, true}) {
    if (restarted) Restart();
    for (const char* movie : {"film", ""}) {
      EXPECT_THAT(
          listed(movie, {v1::RUN_STATUS_RUNNING, v1::RUN_STATUS_WAITING}),
          ElementsAre(third, second));
      EXPECT_THAT(listed(movie, {v1::RUN_STATUS_WAITING}), ElementsAre(third));
      EXPECT_THAT(listed(movie, {v1::RUN_STATUS_FAILED}), ElementsAre(kRun1));
      EXPECT_THAT(
          listed(movie, {v1::RUN_STATUS_FAILED, v1::RUN_STATUS_RUNNING}),
          ElementsAre(second, kRun1));
    }
  }
}

// What runners go on with, and what is listed of other movies, does not depend
// on it. F: S3-10
TEST_F(ObjectRunRecordStoreTest, ADamagedRecordDoesNotEndListsOfAllMovies) {
  const std::string second = "run-01KDV3N3C00000000000000002";
  ASSERT_OK(Put(Record(kRun1)));
  ASSERT_OK(Put(Record(second)));
  const std::string key = RunRecordKey("film", kRun1);
  ASSERT_OK(storage_.Write(key, "{\"runId"));
  Restart();
  v1::ListRunRecordsRequest request;
  ASSERT_OK_AND_ASSIGN(v1::ListRunRecordsResponse all,
                       core().runs.List(request));
  ASSERT_EQ(all.records_size(), 2);
  EXPECT_EQ(all.records(0).run_id(), second);
  EXPECT_EQ(all.records(0).error(), "");
  EXPECT_EQ(all.records(1).run_id(), kRun1);
  EXPECT_EQ(all.records(1).movie_id(), "film");
  EXPECT_THAT(all.records(1).error(), HasSubstr(key));

  request.add_statuses(v1::RUN_STATUS_RUNNING);
  ASSERT_OK_AND_ASSIGN(const v1::ListRunRecordsResponse open,
                       core().runs.List(request));
  ASSERT_EQ(open.records_size(), 1);
  EXPECT_EQ(open.records(0).run_id(), second);

  // Whether the movie is free cannot be told.
  request.set_movie_id("film");
  EXPECT_THAT(core().runs.List(request),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(key)));
  // The movie's runs are listed as all are.
  request.clear_statuses();
  request.set_page_size(1);
  ASSERT_OK_AND_ASSIGN(v1::ListRunRecordsResponse page,
                       core().runs.List(request));
  ASSERT_EQ(page.records_size(), 1);
  EXPECT_EQ(page.records(0).run_id(), second);
  request.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(page, core().runs.List(request));
  ASSERT_EQ(page.records_size(), 1);
  EXPECT_EQ(page.records(0).run_id(), kRun1);
  EXPECT_EQ(page.records(0).movie_id(), "film");
  EXPECT_EQ(page.records(0).status(), v1::RUN_STATUS_UNSPECIFIED);
  EXPECT_THAT(page.records(0).error(), HasSubstr(key));
}

// It is told as what it is, the run is no damaged one: it is back with the
// disk.
TEST_F(ObjectRunRecordStoreTest, ARecordThatTheDiskFailsToReadIsNotDamaged) {
  ASSERT_OK(Put(Record(kRun1)));
  FaultyObjectStorage faulty(storage_);
  StoreCore core(faulty, log_, clock_);
  v1::ListRunRecordsRequest all;
  v1::ListRunRecordsRequest open;
  open.add_statuses(v1::RUN_STATUS_RUNNING);
  v1::ListRunRecordsRequest of_movie;
  of_movie.set_movie_id("film");
  of_movie.add_statuses(v1::RUN_STATUS_RUNNING);
  for (const absl::Status& error :
       {DiskFailure("read \"record.json\": Input/output error"),
        absl::PermissionDeniedError("open \"record.json\": not permitted")}) {
    faulty.FailReadsOf(RunRecordKey("film", kRun1), error);
    ASSERT_OK_AND_ASSIGN(v1::ListRunRecordsResponse listed,
                         core.runs.List(all));
    ASSERT_EQ(listed.records_size(), 1);
    EXPECT_EQ(listed.records(0).run_id(), kRun1);
    EXPECT_EQ(listed.records(0).error(), error.message());
    ::testing::internal::CaptureStderr();
    for (int look = 0; look < 2; ++look) {
      ASSERT_OK_AND_ASSIGN(listed, core.runs.List(open));
      EXPECT_EQ(listed.records_size(), 0);
    }
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                AllOf(HasSubstr("while its record cannot be read"),
                      HasSubstr("record.json"), Not(HasSubstr("damaged"))));
    const absl::Status refused = core.runs.List(of_movie).status();
    EXPECT_EQ(refused.code(), error.code());
    EXPECT_EQ(ReasonOf(refused), "");

    faulty.FailReadsOf("", absl::OkStatus());
    ASSERT_OK_AND_ASSIGN(listed, core.runs.List(open));
    ASSERT_EQ(listed.records_size(), 1);
    EXPECT_EQ(listed.records(0).error(), "");
  }
}

TEST_F(ObjectRunRecordStoreTest, ARecordThatReadsLikeAnotherIsDamage) {
  v1::RunRecord record = Record(kRun1);
  record.set_target_revision("rev-0001");
  ASSERT_OK(Put(record));
  const std::string key = RunRecordKey("film", kRun1);
  ASSERT_OK_AND_ASSIGN(const std::string good, ReadObject(storage_, key));
  std::string bad = good;
  bad.replace(bad.find("rev-0001"), 8, "rev-0011");
  ASSERT_OK(storage_.Write(key, bad));
  EXPECT_THAT(Get(kRun1),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(key), HasSubstr("the checksum says"))));
  // One of before there were checksums.
  ASSERT_OK_AND_ASSIGN(const std::string before, WithoutChecksum(good));
  ASSERT_OK(storage_.Write(key, before));
  EXPECT_OK(Get(kRun1));
}

// F: S3-3
TEST_F(ObjectRunRecordStoreTest, RunsAreListedNewestFirst) {
  std::vector<std::string> ids;
  for (char c : {'1', '3', '2'}) {
    ids.push_back("run-01KDV3N3C0000000000000000" + std::string(1, c));
    ASSERT_OK(Put(Record(ids.back())));
  }
  for (const char* movie : {"film", ""}) {
    v1::ListRunRecordsRequest request;
    request.set_movie_id(movie);
    request.set_page_size(2);
    std::vector<std::string> listed;
    do {
      ASSERT_OK_AND_ASSIGN(v1::ListRunRecordsResponse page,
                           core().runs.List(request));
      for (const v1::RunRecord& record : page.records()) {
        listed.push_back(record.run_id());
      }
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    EXPECT_THAT(listed, ElementsAre(ids[1], ids[2], ids[0])) << movie;
  }
}

// F: S3-2, S3-4
TEST_F(ObjectRunRecordStoreTest, ChildrenAreListedByTheirParent) {
  const std::string before = "run-01KDV0000000000000000000AA";
  const std::string first = "run-01KDV3N3C00000000000000002";
  const std::string other = "run-01KDV3N3C00000000000000003";
  const std::string second = "run-01KDV3N3C00000000000000004";
  const std::string late = "run-01KEV3N3C00000000000000005";
  v1::RunRecord parent = Record(kRun1);
  ASSERT_OK(Put(parent));
  for (const std::string& id : {before, other}) ASSERT_OK(Put(Record(id)));
  for (const std::string& id : {first, second, late}) {
    v1::RunRecord child = Record(id);
    child.set_parent_run_id(std::string(kRun1));
    if (id == first) child.set_status(v1::RUN_STATUS_FAILED);
    ASSERT_OK(Put(child));
  }
  const auto children = [this](const std::string& movie, bool only_open) {
    v1::ListRunRecordsRequest request;
    request.set_movie_id(movie);
    request.set_parent_run_id(std::string(kRun1));
    request.set_page_size(1);
    if (only_open) request.add_statuses(v1::RUN_STATUS_RUNNING);
    std::vector<std::string> ids;
    do {
      const absl::StatusOr<v1::ListRunRecordsResponse> page =
          core().runs.List(request);
      EXPECT_OK(page);
      if (!page.ok()) return ids;
      for (const v1::RunRecord& record : page->records()) {
        ids.push_back(record.run_id());
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return ids;
  };
  for (bool restarted : {false, true}) {
    if (restarted) Restart();
    for (const char* movie : {"film", ""}) {
      EXPECT_THAT(children(movie, false), ElementsAre(late, second, first));
      EXPECT_THAT(children(movie, true), ElementsAre(late, second));
    }
  }
  // Once the parent has ended, runs that were begun long after that are not
  // looked at.
  const absl::StatusOr<absl::Time> begun = RunIdTime(kRun1);
  ASSERT_OK(begun);
  parent.set_status(v1::RUN_STATUS_COMPLETED);
  *parent.mutable_finish_time() = ToProto(*begun + absl::Minutes(1));
  ASSERT_OK(Put(parent));
  EXPECT_THAT(children("", false), ElementsAre(second, first));

  v1::ListRunRecordsRequest malformed;
  malformed.set_parent_run_id("../film");
  EXPECT_THAT(
      core().runs.List(malformed),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("parent_run_id"), HasSubstr("../film"))));
}

// A page that leaves runs out for their status misses none of the others.
TEST_F(ObjectRunRecordStoreTest, PagesOfAStatusHoldEveryRunOnce) {
  std::vector<std::string> failed;
  for (char c = '1'; c <= '7'; ++c) {
    v1::RunRecord record =
        Record("run-01KDV3N3C0000000000000000" + std::string(1, c));
    if (c != '1' && c != '4' && c != '7') {
      record.set_status(v1::RUN_STATUS_FAILED);
      failed.insert(failed.begin(), record.run_id());
    }
    ASSERT_OK(Put(record));
  }
  for (int page_size : {1, 2, 3, 4, 5}) {
    v1::ListRunRecordsRequest request;
    request.set_movie_id("film");
    request.set_page_size(page_size);
    request.add_statuses(v1::RUN_STATUS_FAILED);
    std::vector<std::string> listed;
    do {
      ASSERT_OK_AND_ASSIGN(v1::ListRunRecordsResponse page,
                           core().runs.List(request));
      EXPECT_LE(page.records_size(), page_size);
      for (const v1::RunRecord& record : page.records()) {
        listed.push_back(record.run_id());
      }
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(listed, failed) << page_size;
  }
}

TEST_F(ObjectRunRecordStoreTest, MalformedPagesAreRefused) {
  v1::ListRunRecordsRequest request;
  request.set_page_token("../film");
  EXPECT_THAT(core().runs.List(request),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("page_token"), HasSubstr("../film"))));
  request.clear_page_token();
  for (int page_size : {-1, 1001}) {
    request.set_page_size(page_size);
    EXPECT_THAT(
        core().runs.List(request),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_size")));
  }
  // The token of a run that is gone since is as good as any.
  request.set_page_size(0);
  request.set_page_token(std::string(kRun2));
  ASSERT_OK(Put(Record(kRun1)));
  ASSERT_OK_AND_ASSIGN(const v1::ListRunRecordsResponse page,
                       core().runs.List(request));
  ASSERT_EQ(page.records_size(), 1);
  EXPECT_EQ(page.records(0).run_id(), kRun1);
}

// A start that waits for its turn has no lease, as another run has the movie's.
TEST_F(ObjectRunRecordStoreTest, TheFirstRecordOfAQueuedRunNeedsNoLease) {
  v1::PutRunRecordRequest request;
  *request.mutable_record() = Record(kRun2);
  EXPECT_THAT(
      core().runs.Put(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("lease_id")));
  request.mutable_record()->set_status(v1::RUN_STATUS_QUEUED);
  ASSERT_OK(core().runs.Put(request));
  // From then on nobody changes it without one.
  EXPECT_THAT(
      core().runs.Put(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("lease_id")));

  v1::Plan plan;
  plan.set_format_version(1);
  plan.set_movie_id("film");
  v1::SavePlanHeader header;
  header.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(v1::SavePlanResponse saved,
                       core().plans.Save(header, CanonicalBytes(plan)));
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id("run/" + std::string(kRun2));
  acquire.set_holder("runner-2");
  acquire.mutable_ttl()->set_seconds(6);
  ASSERT_OK_AND_ASSIGN(const v1::AcquireLeaseResponse own,
                       core().leases.Acquire(acquire));
  *request.mutable_lease() = own.lease().token();
  request.mutable_record()->set_status(v1::RUN_STATUS_RUNNING);
  request.mutable_record()->set_plan_hash(saved.plan_hash());
  request.mutable_record()->set_target_revision("rev-0001");
  ASSERT_OK(core().runs.Put(request));
  EXPECT_THAT(ReadObject(storage_, "builds/film/runs/rev-0001-plan.json"),
              IsOkAndHolds(CanonicalBytes(plan)));
}

TEST_F(ObjectRunRecordStoreTest, UnknownRunsAndMoviesAreNotFound) {
  EXPECT_EQ(ReasonOf(Get(kRun1).status()), "RUN_NOT_FOUND");
  EXPECT_THAT(Get("../x"), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("run_id")));
  v1::ListRunRecordsRequest request;
  request.set_movie_id("other");
  EXPECT_EQ(ReasonOf(core().runs.List(request).status()), "MOVIE_NOT_FOUND");
  // An index left by a run that died before its first record is no run.
  ASSERT_OK(storage_.Write(RunIndexKey(kRun2), "film"));
  EXPECT_EQ(ReasonOf(Get(kRun2).status()), "RUN_NOT_FOUND");
  EXPECT_OK(Put(Record(kRun2)));
  EXPECT_OK(Get(kRun2));
}

TEST_F(ObjectRunRecordStoreTest, ARunnerThatLostItsLeaseCannotWrite) {
  ASSERT_OK(Put(Record(kRun1)));
  clock_.Advance(absl::Seconds(7));
  TakeFilmLease(store(), "runner-2", kRun2);
  v1::RunRecord record = Record(kRun1);
  record.set_status(v1::RUN_STATUS_FAILED);
  EXPECT_EQ(ReasonOf(Put(record)), "LEASE_LOST");
  ASSERT_OK_AND_ASSIGN(v1::GetRunRecordResponse read, Get(kRun1));
  EXPECT_EQ(read.record().status(), v1::RUN_STATUS_RUNNING);
}

TEST_F(ObjectRunRecordStoreTest, ARunBelongsToOneMovie) {
  ASSERT_OK(storage_.Write(RunIndexKey(kRun1), "other"));
  EXPECT_THAT(Put(Record(kRun1)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("is a run of movie \"other\"")));
}

// F: S1-6, S1-27, S3-9
TEST_F(ObjectRunRecordStoreTest, TheFirstRecordNamesThePlanByItsRevision) {
  v1::Plan plan;
  plan.set_format_version(1);
  plan.set_movie_id("film");
  v1::SavePlanHeader header;
  header.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(v1::SavePlanResponse saved,
                       core().plans.Save(header, CanonicalBytes(plan)));
  v1::RunRecord record = Record(kRun1);
  record.set_plan_hash(saved.plan_hash());
  record.set_target_revision("rev-0001");
  ASSERT_OK(Put(record));
  EXPECT_THAT(ReadObject(storage_, "builds/film/runs/rev-0001-plan.json"),
              IsOkAndHolds(CanonicalBytes(plan)));
}

}  // namespace
}  // namespace kinora
