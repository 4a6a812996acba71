#include "services/store/plan/object_plan_store.h"

#include <string>

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/json/proto_json.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ObjectPlanStoreTest : public CoreFixture {
 protected:
  void SetUp() override { MakeFilm(store()); }

  static std::string PlanJson(absl::string_view movie_id = "film") {
    v1::Plan plan;
    plan.set_format_version(1);
    plan.set_movie_id(std::string(movie_id));
    plan.set_target_revision("rev-0001");
    plan.add_layers();
    return CanonicalBytes(plan);
  }
  // Three jobs of the first layer are done.
  v1::SaveProgressRequest Progress() {
    v1::SaveProgressRequest save;
    save.set_movie_id("film");
    save.set_target_revision("rev-0001");
    save.mutable_progress()->set_plan_hash(HashOf('a'));
    save.mutable_progress()->set_run_id(std::string(kRun1));
    save.mutable_progress()->add_done_jobs_by_layer(3);
    *save.mutable_lease() = TakeFilmLease(store());
    return save;
  }
  absl::StatusOr<v1::SavePlanResponse> Save(absl::string_view json,
                                            absl::string_view hash = "") {
    v1::SavePlanHeader header;
    header.set_movie_id("film");
    header.set_expected_hash(std::string(hash));
    return core().plans.Save(header, json);
  }
  absl::StatusOr<std::string> Load(absl::string_view hash) {
    v1::LoadPlanRequest request;
    request.set_movie_id("film");
    request.set_plan_hash(std::string(hash));
    return core().plans.Load(request);
  }
};

// F: S1-6, S1-32
TEST_F(ObjectPlanStoreTest, APlanIsNamedByTheHashOfItsBytes) {
  ASSERT_OK_AND_ASSIGN(v1::SavePlanResponse saved, Save(PlanJson()));
  EXPECT_EQ(saved.plan_hash(), Sha256Of(PlanJson()).Hex());
  EXPECT_THAT(Load(saved.plan_hash()), IsOkAndHolds(PlanJson()));
  EXPECT_THAT(ReadObject(storage_, "builds/film/runs/plans/" +
                                       saved.plan_hash() + ".json"),
              IsOkAndHolds(PlanJson()));
  EXPECT_OK(Save(PlanJson(), saved.plan_hash()));
}

TEST_F(ObjectPlanStoreTest, BytesThatAreNoCanonicalPlanAreRefused) {
  const auto refused = [&](const std::string& json, const std::string& why) {
    EXPECT_THAT(Save(json),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
  };
  refused("{", "data");
  refused("{\"later\":1}", "later");
  refused(PlanJson() + " ", "canonical");
  refused("{\"formatVersion\":2,\"movieId\":\"film\"}", "formatVersion");
  refused(PlanJson("other"), "movieId");
  absl::Status status = Save(PlanJson(), HashOf('a')).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("expected_hash")));
  EXPECT_EQ(ReasonOf(status), "DIGEST_MISMATCH");
}

TEST_F(ObjectPlanStoreTest, APlanNobodySavedIsNotFound) {
  absl::Status status = Load(HashOf('a')).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(ReasonOf(status), "PLAN_NOT_FOUND");
  EXPECT_THAT(Load("../../movie"), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("plan_hash")));
}

TEST_F(ObjectPlanStoreTest, ADamagedPlanIsReported) {
  ASSERT_OK_AND_ASSIGN(v1::SavePlanResponse saved, Save(PlanJson()));
  ASSERT_OK(storage_.Write(PlanKey("film", saved.plan_hash()), "{}"));
  EXPECT_THAT(Load(saved.plan_hash()), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(ObjectPlanStoreTest, SavingADamagedPlanMendsIt) {
  ASSERT_OK_AND_ASSIGN(v1::SavePlanResponse saved, Save(PlanJson()));
  const std::string key = PlanKey("film", saved.plan_hash());
  for (const std::string& damaged :
       {std::string("{}"), std::string(), PlanJson() + "\n"}) {
    ASSERT_OK(storage_.Write(key, damaged));
    ASSERT_OK(Save(PlanJson()));
    EXPECT_THAT(Load(saved.plan_hash()), IsOkAndHolds(PlanJson()));
  }
  // What is refused mends nothing.
  ASSERT_OK(storage_.Write(key, "{}"));
  EXPECT_FALSE(Save("{}", saved.plan_hash()).ok());
  EXPECT_THAT(Load(saved.plan_hash()), StatusIs(absl::StatusCode::kDataLoss));
}

// F: S1-6
TEST_F(ObjectPlanStoreTest, ProgressIsKeptByRevisionAndReplaced) {
  v1::LoadProgressRequest load;
  load.set_movie_id("film");
  load.set_target_revision("rev-0001");
  ASSERT_OK_AND_ASSIGN(v1::LoadProgressResponse loaded,
                       core().plans.LoadProgress(load));
  EXPECT_FALSE(loaded.has_progress());

  v1::SaveProgressRequest save = Progress();
  ASSERT_OK(core().plans.SaveProgress(save));
  save.mutable_progress()->add_done_jobs_by_layer(1);
  ASSERT_OK(core().plans.SaveProgress(save));
  Restart();
  ASSERT_OK_AND_ASSIGN(loaded, core().plans.LoadProgress(load));
  EXPECT_EQ(loaded.progress().run_id(), kRun1);
  EXPECT_THAT(loaded.progress().done_jobs_by_layer(),
              ::testing::ElementsAre(3, 1));
  EXPECT_THAT(ReadObject(storage_, "builds/film/runs/rev-0001-progress.json"),
              IsOkAndHolds(WithChecksum(CanonicalBytes(save.progress()))));

  // Invariant 11: a runner that lost its lease overwrites nothing.
  save.mutable_lease()->set_fencing_token(7);
  save.mutable_progress()->set_done_jobs_by_layer(0, 0);
  EXPECT_EQ(ReasonOf(core().plans.SaveProgress(save).status()), "LEASE_LOST");
  save.mutable_progress()->set_plan_hash("x");
  EXPECT_THAT(core().plans.SaveProgress(save),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("progress.plan_hash")));
  ASSERT_OK_AND_ASSIGN(loaded, core().plans.LoadProgress(load));
  EXPECT_EQ(loaded.progress().done_jobs_by_layer(0), 3);
}

TEST_F(ObjectPlanStoreTest, ProgressThatReadsLikeAnotherIsDamage) {
  v1::SaveProgressRequest save = Progress();
  ASSERT_OK(core().plans.SaveProgress(save));
  const std::string key = "builds/film/runs/rev-0001-progress.json";
  ASSERT_OK_AND_ASSIGN(std::string text, ReadObject(storage_, key));
  text[text.find("[3]") + 1] = '7';
  ASSERT_OK(storage_.Write(key, text));
  v1::LoadProgressRequest load;
  load.set_movie_id("film");
  load.set_target_revision("rev-0001");
  EXPECT_THAT(core().plans.LoadProgress(load),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(key), HasSubstr("the checksum says"))));
  // What it was is written again with the next.
  ASSERT_OK(core().plans.SaveProgress(save));
  EXPECT_OK(core().plans.LoadProgress(load));
}

}  // namespace
}  // namespace kinora
