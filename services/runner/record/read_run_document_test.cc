#include "services/runner/record/read_run_document.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/record/document_form.h"
#include "services/runner/record/document_members.h"
#include "services/runner/testing/runner_fixture.h"

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
