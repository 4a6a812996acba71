#include "services/store/index/movie_index.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/crc32c.h"
#include "common/error_reason.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/event_json.h"
#include "services/store/event/log_line.h"
#include "services/store/event/memory_event_log.h"
#include "services/store/index/index_table.h"
#include "services/store/layout.h"
#include "services/store/object/memory_object_storage.h"

namespace kinora {
namespace {

// A movie whose logs are written at random, and what must be found in them.
class MovieIndexTest : public testing::Test {
 protected:
  MovieIndexTest() { Restart(); }

  void Restart() {
    IndexOptions options;
    options.save_events = save_events_;
    options.cached_event_bytes = 4000;
    index_ = std::make_unique<MovieIndex>(log_, storage_, "m", options);
  }

  int64_t Append(const std::string& log, const v1::Event& event) {
    const std::vector<std::string> bodies = {EventToBody(event, nullptr)};
    return log_.Append(log, bodies, AdmitAlways)->last_sequence;
  }

  void MakeArtefact(const std::string& id, const std::string& hash,
                    bool succeeds) {
    v1::Event event;
    event.mutable_artefact()->set_artefact_id(id);
    event.mutable_artefact()->set_inputs_hash(hash);
    event.mutable_artefact()->set_status(
        succeeds ? v1::ARTEFACT_STATUS_SUCCEEDED : v1::ARTEFACT_STATUS_FAILED);
    const int64_t sequence = Append(ArtefactsLogKey("m"), event);
    attempts_[id].push_back(sequence);
    if (!succeeds) {
      failed_[{id, hash}] = sequence;
      return;
    }
    failed_.erase({id, hash});
    latest_[{id, ""}] = sequence;
    latest_[{id, hash}] = sequence;
  }
  // An attempt that failed through no fault of its job.
  void Cancel(const std::string& id, const std::string& hash) {
    v1::Event event;
    event.mutable_artefact()->set_artefact_id(id);
    event.mutable_artefact()->set_inputs_hash(hash);
    event.mutable_artefact()->set_status(v1::ARTEFACT_STATUS_FAILED);
    event.mutable_artefact()->mutable_failure()->set_reason(
        v1::FAILURE_REASON_CANCELLED);
    attempts_[id].push_back(Append(ArtefactsLogKey("m"), event));
  }
  void SetInput(const std::string& id) {
    v1::Event event;
    event.mutable_input()->set_input_id(id);
    const int64_t sequence = Append(InputsLogKey("m"), event);
    inputs_[id].insert(sequence);
    inputs_end_ = sequence;
  }
  void Commit() {
    v1::Event event;
    event.mutable_revision_committed()->set_revision("rev-0001");
    commits_.push_back(Append(ArtefactsLogKey("m"), event));
  }

  int64_t Resolve(const std::string& id, const std::string& hash,
                  bool failed = false) {
    v1::ResolveArtefactsRequest request;
    v1::ArtefactQuery& query = *request.add_queries();
    query.set_artefact_id(id);
    query.set_inputs_hash(hash);
    query.set_failed(failed);
    const auto found = index_->Resolve(request);
    EXPECT_OK(found);
    if (!found.ok() || (*found)[0] == nullptr) return 0;
    return (*found)[0]->sequence();
  }

  // All attempts at the artefact after `after`, read page by page.
  std::vector<int64_t> Attempts(const std::string& id, int64_t after,
                                int64_t limit) {
    std::vector<int64_t> sequences;
    while (true) {
      const auto page = index_->Attempts(id, after, limit, 1 << 20);
      EXPECT_OK(page);
      if (!page.ok()) return sequences;
      EXPECT_LE(page->events.size(), static_cast<size_t>(limit));
      for (const EventPtr& event : page->events) {
        sequences.push_back(event->sequence());
      }
      if (page->through <= after) return sequences;
      after = page->through;
    }
  }

  void Check(SeededRandom& random) {
    for (int i = 0; i < 40; ++i) {
      const auto id = absl::StrCat("Artifact:A[n=", random.Next() % 30, "]");
      const auto hash =
          random.Next() % 2 == 0 ? "" : absl::StrCat("h", random.Next() % 6);
      const auto known = latest_.find({id, hash});
      ASSERT_EQ(Resolve(id, hash), known == latest_.end() ? 0 : known->second)
          << id << " " << hash;
      if (!hash.empty()) {
        const auto failed = failed_.find({id, hash});
        ASSERT_EQ(Resolve(id, hash, true),
                  failed == failed_.end() ? 0 : failed->second)
            << id << " " << hash;
      }
      const std::vector<int64_t>& all = attempts_[id];
      const auto after = static_cast<int64_t>(random.Next() % 300);
      ASSERT_EQ(Attempts(id, after, 1 + random.Next() % 4),
                std::vector<int64_t>(
                    std::upper_bound(all.begin(), all.end(), after), all.end()))
          << id << " after " << after;
    }
    ASSERT_OK_AND_ASSIGN(const auto commits, index_->Commits());
    std::vector<int64_t> sequences;
    for (const EventPtr& commit : commits) {
      sequences.push_back(commit->sequence());
    }
    ASSERT_EQ(sequences, commits_);
    const int64_t through = 1 + static_cast<int64_t>(random.Next() % 300);
    ASSERT_OK_AND_ASSIGN(const InputsAt at, index_->Inputs(through));
    ASSERT_EQ(at.through, std::min(through, inputs_end_));
    std::map<std::string, int64_t> found, wanted;
    for (const EventPtr& input : at.inputs) {
      found[input->input().input_id()] = input->sequence();
    }
    for (const auto& entry : inputs_) {
      auto after = entry.second.upper_bound(through);
      if (after != entry.second.begin()) {
        wanted[entry.first] = *std::prev(after);
      }
    }
    ASSERT_EQ(found, wanted);
    for (const auto& entry : inputs_) {
      ASSERT_OK_AND_ASSIGN(const EventPtr latest, index_->Input(entry.first));
      ASSERT_NE(latest, nullptr);
      ASSERT_EQ(latest->sequence(), *entry.second.rbegin());
    }
    ASSERT_THAT(index_->Input("Input:Never"), IsOkAndHolds(nullptr));
  }

  std::vector<std::string> Tables() {
    std::vector<std::string> keys;
    const ObjectPage page = *storage_.List(IndexPrefix("m"), 1000, "");
    for (const ObjectInfo& object : page.objects) {
      keys.push_back(object.key);
    }
    return keys;
  }

  int64_t save_events_ = 20;
  FakeClock clock_;
  MemoryObjectStorage storage_{clock_};
  MemoryEventLog log_;
  std::unique_ptr<MovieIndex> index_;

  std::map<std::pair<std::string, std::string>, int64_t> latest_;
  std::map<std::string, std::vector<int64_t>> attempts_;
  // Failures that nothing made good since, by id and inputs hash.
  std::map<std::pair<std::string, std::string>, int64_t> failed_;
  std::map<std::string, std::set<int64_t>> inputs_;
  int64_t inputs_end_ = 0;
  std::vector<int64_t> commits_;
};

// F: S0-24
TEST_F(MovieIndexTest, AnswersAsTheWholeLogWouldWhateverHappensToTheTables) {
  SeededRandom random(11);
  for (int step = 0; step < 600; ++step) {
    switch (random.Next() % 12) {
      case 0:
        Commit();
        break;
      case 1:
      case 2:
      case 3:
        SetInput(absl::StrCat("Input:I", random.Next() % 9));
        break;
      case 4:
        Restart();
        break;
      case 5:
        ASSERT_OK(index_->Save());
        break;
      case 6: {
        // A table rots, or is gone.
        const std::vector<std::string> tables = Tables();
        if (tables.empty() || random.Next() % 2 == 0) break;
        const std::string& key = tables[random.Next() % tables.size()];
        std::string bytes = *ReadObject(storage_, key);
        bytes[random.Next() % bytes.size()] ^= 64;
        if (random.Next() % 3 == 0) {
          ASSERT_OK(storage_.Delete(key));
        } else {
          ASSERT_OK(storage_.Write(key, bytes));
        }
        break;
      }
      case 7:
        Check(random);
        break;
      default:
        for (uint64_t n = random.Next() % 8; n > 0; --n) {
          MakeArtefact(absl::StrCat("Artifact:A[n=", random.Next() % 30, "]"),
                       absl::StrCat("h", random.Next() % 5),
                       random.Next() % 5 != 0);
        }
    }
    if (HasFatalFailure()) FAIL() << "step " << step;
  }
  Check(random);
}

TEST_F(MovieIndexTest, WhatIsSavedIsNotReadAgain) {
  save_events_ = 1000;
  Restart();
  for (int n = 0; n < 50; ++n) {
    MakeArtefact(absl::StrCat("Artifact:A[n=", n, "]"), "h", true);
  }
  ASSERT_OK_AND_ASSIGN(const MovieIndex::Saved saved, index_->Save());
  EXPECT_EQ(saved.artefacts_through, 50);
  EXPECT_EQ(saved.inputs_through, 0);
  ASSERT_OK(log_.Archive(ArtefactsLogKey("m"), 10,
                         "builds/m/events/rev-0001.artefacts.jsonl"));
  ASSERT_OK(log_.Trim(ArtefactsLogKey("m"), 10));
  Restart();
  // Known though nobody can read what was before it.
  EXPECT_EQ(Resolve("Artifact:A[n=40]", "h"), 41);
}

TEST_F(MovieIndexTest, APageEndsAtItsBytesAndHasOneEventAtLeast) {
  for (int n = 0; n < 3; ++n) MakeArtefact("Artifact:A", "h", n != 1);
  ASSERT_OK_AND_ASSIGN(IndexedPage page,
                       index_->Attempts("Artifact:A", 0, 100, 1));
  ASSERT_EQ(page.events.size(), 1U);
  EXPECT_EQ(page.through, 1);
  MakeArtefact("Artifact:B", "h", true);
  ASSERT_OK_AND_ASSIGN(page, index_->Attempts("Artifact:A", 1, 100, 1 << 20));
  EXPECT_EQ(page.events.size(), 2U);
  EXPECT_EQ(page.through, 4);  // what follows is not the artefact's
}

// F: B-4 (failed)
TEST_F(MovieIndexTest, AFailureStandsUntilItIsMadeGood) {
  EXPECT_FALSE(*index_->MayHaveFailures());
  MakeArtefact("Artifact:A", "h", true);
  Cancel("Artifact:A", "h");
  EXPECT_FALSE(*index_->MayHaveFailures());
  EXPECT_EQ(Resolve("Artifact:A", "h", true), 0);
  MakeArtefact("Artifact:A", "h", false);
  Cancel("Artifact:A", "h");
  MakeArtefact("Artifact:A", "other", true);
  EXPECT_TRUE(*index_->MayHaveFailures());
  EXPECT_EQ(Resolve("Artifact:A", "h", true), 3);
  EXPECT_EQ(Resolve("Artifact:A", "h"), 1);
  EXPECT_EQ(Resolve("Artifact:A", "other", true), 0);
  EXPECT_EQ(Resolve("Artifact:B", "h", true), 0);
  ASSERT_OK(index_->Save());
  Restart();
  EXPECT_TRUE(*index_->MayHaveFailures());
  EXPECT_EQ(Resolve("Artifact:A", "h", true), 3);
  MakeArtefact("Artifact:A", "h", true);
  EXPECT_EQ(Resolve("Artifact:A", "h", true), 0);
}

TEST_F(MovieIndexTest, TablesOfEarlierVersionsAreMadeAnew) {
  // They know of successes only, as the first version did.
  save_events_ = 1000;
  Restart();
  for (int n = 0; n < 10; ++n) MakeArtefact("Artifact:A", "h", n % 2 == 0);
  ASSERT_OK_AND_ASSIGN(const std::vector<LogRecord> last,
                       log_.Read(ArtefactsLogKey("m"), 9, 1, 1 << 20));
  std::vector<IndexEntry> entries;
  for (int64_t sequence : {9, 7, 5, 3, 1}) {
    for (const std::string& key : {ArtefactIndexKey("Artifact:A"),
                                   ArtefactIndexKey("Artifact:A", "h")}) {
      entries.push_back({IndexHash(key), sequence});
    }
  }
  std::sort(entries.begin(), entries.end());
  const std::string key =
      absl::StrCat(IndexPrefix("m"),
                   "artefacts-0000000000000000001-0000000000000000010.index");
  ASSERT_OK_AND_ASSIGN(
      IndexTableWriter writer,
      IndexTableWriter::Start(
          storage_, IndexPrefix("m"),
          {.first_sequence = 1,
           .last_sequence = 10,
           .entries = entries.size(),
           .line_crc = std::string(LogLineCrc(last[0].line))}));
  for (const IndexEntry& entry : entries) ASSERT_OK(writer.Add(entry));
  ASSERT_OK(writer.Finish(key));
  const std::string written = *ReadObject(storage_, key);
  ASSERT_EQ(written.substr(0, 15), "kinora-index-3\n");
  for (const char version : {'1', '2'}) {
    std::string bytes = written;
    bytes[13] = version;
    const uint32_t crc = Crc32c(absl::string_view(bytes).substr(0, 4092));
    for (int i = 0; i < 4; ++i) {
      bytes[4092 + i] = static_cast<char>(crc >> (8 * i));
    }
    ASSERT_OK(storage_.Write(key, bytes));
    Restart();
    EXPECT_EQ(Resolve("Artifact:A", "h"), 9);
    EXPECT_EQ(Resolve("Artifact:A", "h", true), 10);
    EXPECT_EQ(Attempts("Artifact:A", 0, 100), attempts_["Artifact:A"]);
    // And is kept as one of this version.
    ASSERT_OK(index_->Save());
    Restart();
    EXPECT_EQ(Attempts("Artifact:A", 0, 100), attempts_["Artifact:A"]);
    EXPECT_EQ(ReadObject(storage_, key)->substr(0, 15), "kinora-index-3\n");
  }
}

TEST_F(MovieIndexTest, AClosedIndexNeitherAnswersNorSaves) {
  save_events_ = 1000;
  Restart();
  for (int n = 0; n < 3; ++n) MakeArtefact("Artifact:A", "h", true);
  EXPECT_EQ(Resolve("Artifact:A", "h"), 3);
  index_->Close();
  EXPECT_EQ(ReasonOf(index_->Save().status()), "MOVIE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(index_->Commits().status()), "MOVIE_NOT_FOUND");
  EXPECT_EQ(Tables(), std::vector<std::string>());
}

TEST_F(MovieIndexTest, AnotherLogUnderTheSameNameIsSeen) {
  for (int n = 0; n < 50; ++n) MakeArtefact("Artifact:A[n=1]", "h", true);
  ASSERT_OK(index_->Save());
  ASSERT_OK(log_.Remove(ArtefactsLogKey("m")));
  for (int n = 0; n < 60; ++n) MakeArtefact("Artifact:A[n=2]", "other", true);
  Restart();
  EXPECT_EQ(Resolve("Artifact:A[n=1]", ""), 0);
  EXPECT_EQ(Resolve("Artifact:A[n=2]", "other"), 60);
}

TEST_F(MovieIndexTest, ALogThatEndsBeforeItsIndexIsDamagedAndTheIndexStays) {
  for (int n = 0; n < 50; ++n) MakeArtefact("Artifact:A[n=1]", "h", true);
  ASSERT_OK(index_->Save());
  ASSERT_OK(log_.Remove(ArtefactsLogKey("m")));
  for (int n = 0; n < 40; ++n) MakeArtefact("Artifact:A[n=1]", "h", true);
  const std::vector<std::string> tables = Tables();
  Restart();
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_THAT(index_->Commits(),
                StatusIs(absl::StatusCode::kDataLoss,
                         testing::HasSubstr(
                             "with record 40, but 50 was acknowledged")));
    EXPECT_EQ(Tables(), tables);
  }
}

}  // namespace
}  // namespace kinora
