#include "services/runner/record/read_run_document.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/record/document_form.h"
#include "services/runner/record/document_members.h"
#include "services/runner/testing/runner_fixture.h"
#include "services/store/testing/forwarding_event_store.h"

namespace kinora {
namespace {

using ReadRunDocumentTest = RunnerFixture;

TEST_F(ReadRunDocumentTest, ARunThatHasEndedIsToldInTheOrderOfItsPlan) {
  MakeMovie(Chain("{}", "{}"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  ASSERT_OK_AND_ASSIGN(const JsonValue document,
                       ReadRunDocument(store(), run.record().run_id()));
  EXPECT_OK(CheckRunDocument(document));
  EXPECT_EQ(TextOrEmpty(document, "status"), "completed");
  EXPECT_EQ(TextOrEmpty(document, "workflow_id"), "film");
  const auto stages = ElementsOf(document, "stages");
  ASSERT_GE(stages.size(), 2u);
  for (const JsonValue& stage : stages) {
    EXPECT_EQ(TextOrEmpty(stage, "status"), "completed");
    EXPECT_EQ(ElementsOf(stage, "artifacts").size(), 1u);
  }
  // Once more it is the same.
  ASSERT_OK_AND_ASSIGN(const JsonValue again,
                       ReadRunDocument(store(), run.record().run_id()));
  EXPECT_EQ(again, document);
}

// Counts what is read of the logs of artefacts.
class CountedArtefacts final : public ForwardingEventStore {
 public:
  using ForwardingEventStore::ForwardingEventStore;

  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    absl::StatusOr<v1::ReadEventsResponse> page =
        ForwardingEventStore::ReadPage(request);
    if (page.ok() && request.log().kind() == v1::LOG_KIND_ARTEFACTS) {
      read_ += page->events_size();
    }
    return page;
  }

  int Count() { return std::exchange(read_, 0); }

 private:
  int read_ = 0;
};

TEST_F(ReadRunDocumentTest, WhatItCostsDoesNotGrowWithTheMoviesHistory) {
  MakeMovie(Chain("{}", "{}"));
  CountedArtefacts events(store().events);
  const Store counted = events.Within(store());
  std::vector<std::string> runs;
  for (int i = 0; i < 20; ++i) {
    const v1::RunSnapshot run =
        RunToEnd(StartRequest({{"Topic", absl::StrCat("sea ", i)}}));
    ASSERT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
    runs.push_back(run.record().run_id());
  }
  // D is made by the first alone.
  for (const size_t i : {1u, 10u, 19u}) {
    ASSERT_OK_AND_ASSIGN(const JsonValue document,
                         ReadRunDocument(counted, runs[i]));
    int made = 0;
    for (const JsonValue& stage : ElementsOf(document, "stages")) {
      made += static_cast<int>(ElementsOf(stage, "artifacts").size());
    }
    EXPECT_EQ(made, 3) << runs[i];
    // Its own, its commit, and what looking for them takes. Behind them a page
    // is read to its end.
    const int behind = static_cast<int>(runs.size() - 1 - i) * 4;
    EXPECT_LE(events.Count(), 3 + 1 + behind + 10) << runs[i];
  }
}

TEST_F(ReadRunDocumentTest, ThereMustBeSuchARun) {
  EXPECT_EQ(
      ReasonOf(
          ReadRunDocument(store(), "run-01M80A0TXEJKZYVTJGZRG8RXPV").status()),
      "RUN_NOT_FOUND");
  EXPECT_EQ(ReadRunDocument(store(), "no run").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kinora
