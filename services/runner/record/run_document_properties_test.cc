// What holds for whatever a record says: random records, damaged in random
// places.

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/canonical_json.h"
#include "common/testing/status_matchers.h"
#include "services/runner/record/child_runs.h"
#include "services/runner/record/record_fixture.h"
#include "services/runner/record/replay_fixture.h"

namespace kinora {
namespace {

using ::testing::IsEmpty;

// A record with some of all there is, names drawn from few so that they meet.
class RandomRecord {
 public:
  explicit RandomRecord(uint64_t seed) : random_(seed) {}

  JsonValue Make() {
    JsonObject record;
    for (const char* key : {"id", "workflow_id", "status", "finished_at",
                            "persisted_path", "_type", "root_run_id"}) {
      if (Chance(2)) record.Add(key, Word());
    }
    for (const char* key : {"stages", "jobs"}) {
      if (Chance(2)) record.Add(key, List([this] { return Stage(); }));
    }
    if (Chance(2))
      record.Add("child_runs", List([this] {
                   return Object({"worker_id", "task", "status", "session_id",
                                  "request"});
                 }));
    if (Chance(2))
      record.Add("hitl_questions", List([this] {
                   return Object({"request_id", "asked_at", "prompt"});
                 }));
    if (Chance(2)) record.Add("handoffs", List([this] { return Handoff(); }));
    if (Chance(2)) record.Add("artifacts", List([this] { return Artifact(); }));
    if (Chance(3)) record.Add("transcript", Transcript());
    if (Chance(3))
      record.Add("replay_fixture",
                 Object({"expected_status", "source_run_id"}));
    return JsonValue(std::move(record));
  }

  // Gives one value somewhere in `value` another type.
  void Damage(JsonValue& value) {
    if (value.is_object() && !value.object().empty() && !Chance(6)) {
      const size_t n = UniformBelow(random_, value.object().size());
      const std::string key = (value.object().begin() + n)->key;
      Damage(*value.object().Find(key));
    } else if (value.is_array() && !value.array().empty() && !Chance(6)) {
      Damage(value.array()[UniformBelow(random_, value.array().size())]);
    } else {
      const JsonValue kValues[] = {JsonValue(),    JsonValue(7),
                                   JsonValue("x"), JsonArray{JsonValue(1)},
                                   JsonObject(),   JsonValue(false)};
      value = kValues[UniformBelow(random_, 6)];
    }
  }

 private:
  bool Chance(uint64_t of) { return UniformBelow(random_, of) == 0; }

  JsonValue Word() {
    const char* kWords[] = {"", "a", "b", "running", "completed", " é ", "/"};
    return JsonValue(kWords[UniformBelow(random_, 7)]);
  }

  template <typename F>
  JsonValue List(F element) {
    JsonArray list;
    for (uint64_t n = UniformBelow(random_, 4); n > 0; --n) {
      list.push_back(element());
    }
    return JsonValue(std::move(list));
  }

  JsonValue Object(std::initializer_list<const char*> keys) {
    JsonObject object;
    for (const char* key : keys) {
      if (!Chance(3)) object.Add(key, Word());
    }
    return JsonValue(std::move(object));
  }

  JsonValue Stage() {
    JsonValue stage =
        Object({"id", "node_id", "status", "outcome", "visible_text"});
    JsonObject metadata;
    if (Chance(2)) {
      metadata.Add("worker", Object({"id", "name", "task", "child_run_id"}));
    }
    stage.object().Add("metadata", std::move(metadata));
    if (Chance(3)) stage.object().Add("transcript", Transcript());
    if (Chance(2))
      stage.object().Add("artifacts",
                         List([this] { return Object({"kind"}); }));
    return stage;
  }

  JsonValue Handoff() {
    JsonValue handoff = Object({"id", "created_at", "task", "kind"});
    if (Chance(2)) {
      handoff.object().Add("target_persona_or_human",
                           Object({"kind", "id", "label"}));
    }
    if (Chance(2))
      handoff.object().Add("receipt_links", List([this] {
                             return Object({"kind", "run_id", "path"});
                           }));
    if (Chance(3))
      handoff.object().Add("open_questions", List([this] { return Word(); }));
    return handoff;
  }

  JsonValue Artifact() {
    JsonValue artifact = Object({"id", "title"});
    artifact.object().Add("kind", Chance(3) ? "image" : "handoff");
    if (!Chance(3)) artifact.object().Add("data", Handoff());
    if (Chance(3)) artifact.object().Add("metadata", Object({"handoff_id"}));
    return artifact;
  }

  JsonValue Transcript() {
    JsonValue transcript = Object({"id"});
    transcript.object().Add(
        "events", List([this] {
          JsonValue event = Object({"mode", "snapshot_asset_id"});
          event.object().Add("kind", "compaction");
          return event;
        }));
    return transcript;
  }

  SeededRandom random_;
};

constexpr int kRecords = 3000;

class RunDocumentPropertiesTest : public RecordTest {};

TEST_F(RunDocumentPropertiesTest, NormalisingTwiceIsNormalisingOnce) {
  for (int seed = 0; seed < kRecords; ++seed) {
    const JsonValue record = RandomRecord(seed).Make();
    ASSERT_OK_AND_ASSIGN(const JsonValue once,
                         NormalizedRunDocument(record, Deps()));
    ASSERT_OK_AND_ASSIGN(const JsonValue twice,
                         NormalizedRunDocument(once, Deps()));
    ASSERT_EQ(CanonicalJson(once), CanonicalJson(twice)) << seed;
  }
}

TEST_F(RunDocumentPropertiesTest, WhatIsLoadedIsWhatWasSaved) {
  for (int seed = 0; seed < kRecords; ++seed) {
    const JsonValue record = RandomRecord(seed).Make();
    ASSERT_OK_AND_ASSIGN(const JsonValue to_save,
                         RunDocumentToSave(record, "/r.json", Deps()));
    ASSERT_OK(SaveRunDocument(to_save, "/r.json", Deps()));
    ASSERT_OK_AND_ASSIGN(const JsonValue loaded,
                         LoadRunDocument("/r.json", Deps()));
    ASSERT_EQ(CanonicalJson(loaded), CanonicalJson(to_save)) << seed;
  }
}

TEST_F(RunDocumentPropertiesTest, MergingChildRunsTwiceIsMergingOnce) {
  for (int seed = 0; seed < kRecords; ++seed) {
    JsonValue record = RandomRecord(seed).Make();
    AddChildRuns(record);
    const std::string once = CanonicalJson(record);
    AddChildRuns(record);
    ASSERT_EQ(CanonicalJson(record), once) << seed;
  }
}

TEST_F(RunDocumentPropertiesTest, EveryRunPassesItsOwnFixture) {
  for (int seed = 0; seed < kRecords; ++seed) {
    const JsonValue record = RandomRecord(seed).Make();
    ASSERT_THAT(EvaluateReplay(record, ReplayFixtureOf(record, clock_, ids_)),
                IsEmpty())
        << seed;
  }
}

TEST_F(RunDocumentPropertiesTest, DamageIsToldOrBorne) {
  int refused = 0;
  for (int seed = 0; seed < kRecords; ++seed) {
    RandomRecord random(seed);
    JsonValue record = random.Make();
    random.Damage(record);
    random.Damage(record);
    const absl::StatusOr<JsonValue> once =
        NormalizedRunDocument(record, Deps());
    const absl::StatusOr<JsonValue> to_save =
        RunDocumentToSave(record, "/r.json", Deps());
    ASSERT_EQ(once.ok(), to_save.ok()) << seed;
    EvaluateReplay(record, record);
    if (!once.ok()) {
      ASSERT_THAT(once, StatusIs(absl::StatusCode::kInvalidArgument));
      ++refused;
      continue;
    }
    ASSERT_OK_AND_ASSIGN(const JsonValue twice,
                         NormalizedRunDocument(*once, Deps()));
    ASSERT_EQ(CanonicalJson(*once), CanonicalJson(twice)) << seed;
  }
  EXPECT_GT(refused, kRecords / 10);
  EXPECT_LT(refused, kRecords);
}

}  // namespace
}  // namespace kinora
