#include "services/runner/questions/approvals.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

class ApprovalsTest : public ::testing::Test {
 protected:
  ApprovalsTest() {
    asked_.job_id = "Picture[segment=0]";
    asked_.question.set_question_id("ok");
    asked_.question.set_kind(v1::QUESTION_KIND_CONFIRM);
    asked_.question.set_content_hash("sha-1");
    v1::Answer& answer = asked_.answer.emplace();
    answer.set_question_id("ok");
    answer.set_value_json("true");
    answer.set_answered_by("ann");
    answer.set_content_hash("sha-1");
  }

  Approval Kept() const {
    const auto kept = ApprovalIn(ApprovalEvent("run-1", asked_));
    EXPECT_TRUE(kept.has_value());
    return kept.value_or(Approval());
  }

  RunQuestion asked_;
};

TEST_F(ApprovalsTest, OnlyWhatAPersonHasAgreedToIsOne) {
  EXPECT_TRUE(IsApproval(asked_));
  RunQuestion other = asked_;
  other.answer->set_value_json("false");
  EXPECT_FALSE(IsApproval(other));
  other.question.set_kind(v1::QUESTION_KIND_CHOICE);
  EXPECT_TRUE(IsApproval(other));
  other.question.set_required(false);
  other.answer->set_value_json("null");
  EXPECT_FALSE(IsApproval(other));
  other = asked_;
  other.is_assumed = true;
  EXPECT_FALSE(IsApproval(other));
  other = asked_;
  other.approved_in = "run-0";
  EXPECT_FALSE(IsApproval(other));
  other = asked_;
  other.question.clear_content_hash();
  EXPECT_FALSE(IsApproval(other));
  other = asked_;
  other.answer.reset();
  EXPECT_FALSE(IsApproval(other));
}

TEST_F(ApprovalsTest, TheLogHoldsAllOfIt) {
  const Approval kept = Kept();
  EXPECT_EQ(kept.answer.SerializeAsString(),
            asked_.answer->SerializeAsString());
  EXPECT_EQ(kept.run_id, "run-1");
  // A store that keeps nothing inline takes it, too.
  EXPECT_EQ(ApprovalEvent("run-1", asked_).artefact().output().inline_().data(),
            "");
  EXPECT_TRUE(Answers(kept, asked_.question));
}

// The index finds it by what it is about.
TEST_F(ApprovalsTest, IsFoundByItsContentOrAsTheLast) {
  const v1::ArtefactEvent event = ApprovalEvent("run-1", asked_).artefact();
  const auto queries = ApprovalQueries(asked_.job_id, asked_.question);
  ASSERT_EQ(queries.size(), 2u);
  EXPECT_EQ(queries[0].artefact_id(), event.artefact_id());
  EXPECT_EQ(queries[0].inputs_hash(), event.inputs_hash());
  EXPECT_EQ(queries[1].artefact_id(), event.artefact_id());
  EXPECT_EQ(queries[1].inputs_hash(), "");
  RunQuestion other = asked_;
  other.question.set_content_hash("sha-2");
  EXPECT_EQ(ApprovalEvent("run-1", other).artefact().artefact_id(),
            event.artefact_id());
  EXPECT_NE(ApprovalEvent("run-1", other).artefact().inputs_hash(),
            event.inputs_hash());
  other.job_id = "Picture[segment=1]";
  EXPECT_NE(ApprovalEvent("run-1", other).artefact().artefact_id(),
            event.artefact_id());
}

TEST_F(ApprovalsTest, HoldsForTheSameContentAndForm) {
  v1::Question question = asked_.question;
  question.set_prompt("Is it all right?");
  EXPECT_TRUE(Answers(Kept(), question));
  question.set_content_hash("sha-2");
  EXPECT_FALSE(Answers(Kept(), question));
  question = asked_.question;
  question.set_quorum(2);
  EXPECT_FALSE(Answers(Kept(), question));
  asked_.question.set_quorum(3);
  EXPECT_TRUE(Answers(Kept(), question));
  question.set_kind(v1::QUESTION_KIND_JSON);
  EXPECT_FALSE(Answers(Kept(), question));

  asked_.question.set_kind(v1::QUESTION_KIND_CHOICE);
  asked_.answer->set_value_json("\"b\"");
  question = asked_.question;
  question.add_options("a");
  EXPECT_FALSE(Answers(Kept(), question));
  question.add_options("b");
  EXPECT_TRUE(Answers(Kept(), question));
}

TEST_F(ApprovalsTest, WhatSaysNothingIsNone) {
  EXPECT_FALSE(ApprovalIn(v1::Event()).has_value());
}

}  // namespace
}  // namespace kinora
