#include "services/runner/calls/producer_table.h"

#include <cstdlib>
#include <functional>

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::ProducerTable Table(const std::string& name, const std::string& target) {
  v1::ProducerTable table;
  (*table.mutable_producers())[name].set_target(target);
  return table;
}

TEST(ProducerTableTest, WhatIsNotSetHasItsDefault) {
  ASSERT_OK_AND_ASSIGN(ProducerConfigs configs,
                       CheckProducerTable(Table("tts", "127.0.0.1:7501")));
  const ProducerConfig& tts = configs.at("tts");
  EXPECT_THAT(tts.targets, ElementsAre("127.0.0.1:7501"));
  EXPECT_EQ(tts.concurrency, 4u);
  EXPECT_EQ(tts.max_attempts, 3u);
  EXPECT_EQ(tts.attempt_timeout, absl::Minutes(10));
  EXPECT_EQ(tts.job_timeout, absl::InfiniteDuration());
  EXPECT_EQ(tts.rate.interval, absl::ZeroDuration());
  EXPECT_EQ(tts.breaker.failures, 5u);
  EXPECT_EQ(tts.breaker.open, absl::Seconds(5));
  EXPECT_FALSE(tts.references);
}

// An entry of the table; YAML has the same names.
ProducerConfigs Checked(const std::function<void(v1::ProducerEntry*)>& change,
                        absl::Status* error) {
  v1::ProducerTable table = Table("tts", "x:1");
  change(&(*table.mutable_producers())["tts"]);
  absl::StatusOr<ProducerConfigs> configs = CheckProducerTable(table);
  *error = configs.status();
  return configs.ok() ? *configs : ProducerConfigs();
}

TEST(ProducerTableTest, RatesAreSpacesBetweenCalls) {
  absl::Status status;
  ProducerConfigs configs = Checked(
      [](v1::ProducerEntry* tts) {
        tts->set_rate_per_minute(90);
        tts->set_rate_burst(5);
      },
      &status);
  ASSERT_OK(status);
  EXPECT_EQ(configs.at("tts").rate.interval, absl::Nanoseconds(666'666'667));
  EXPECT_EQ(configs.at("tts").rate.burst, 5u);
  configs = Checked([](v1::ProducerEntry* tts) { tts->set_rate_per_second(4); },
                    &status);
  ASSERT_OK(status);
  EXPECT_EQ(configs.at("tts").rate.interval, absl::Milliseconds(250));

  Checked(
      [](v1::ProducerEntry* tts) {
        tts->set_rate_per_minute(90);
        tts->set_rate_per_second(4);
      },
      &status);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr("producers.tts.rate_per_minute"),
                                     HasSubstr("90"))));
}

// The runner's own rate is read so, too.
TEST(ProducerTableTest, ARateOfAllProducersIsReadLikeThatOfOne) {
  ASSERT_OK_AND_ASSIGN(const CallRateLimit limit, ReadCallRate("", 0, 90, 5));
  EXPECT_EQ(limit.burst, 5u);
  EXPECT_GE(limit.interval * 90, absl::Minutes(1));
  ASSERT_OK_AND_ASSIGN(const CallRateLimit none, ReadCallRate("", 0, 0, 0));
  EXPECT_EQ(none.interval, absl::ZeroDuration());
  EXPECT_THAT(ReadCallRate("", 0, 0, 7),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("rate_burst"), HasSubstr("7"))));
  EXPECT_THAT(
      ReadCallRate("", 10'001, 0, 0),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("rate_per_second"), HasSubstr("10001"))));
}

TEST(ProducerTableTest, AProducerHasOneTargetOrAListOfThem) {
  absl::Status status;
  ProducerConfigs configs = Checked(
      [](v1::ProducerEntry* tts) {
        tts->clear_target();
        tts->add_targets("x:1");
        tts->add_targets("x:2");
      },
      &status);
  ASSERT_OK(status);
  EXPECT_THAT(configs.at("tts").targets, ElementsAre("x:1", "x:2"));
  Checked([](v1::ProducerEntry* tts) { tts->add_targets("x:2"); }, &status);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr("producers.tts.targets"),
                                     HasSubstr("x:2"))));
  Checked(
      [](v1::ProducerEntry* tts) {
        tts->clear_target();
        tts->add_targets("x:1");
        tts->add_targets("x:1");
      },
      &status);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("producers.tts.targets[1]")));
}

TEST(ProducerTableTest, SecretsAreTextsOrVariables) {
  setenv("KINORA_TEST_SECRET", "from the environment", 1);
  absl::Status status;
  ProducerConfigs configs = Checked(
      [](v1::ProducerEntry* tts) {
        tts->add_redact("hunter22");
        tts->add_redact("$KINORA_TEST_SECRET");
        tts->add_redact("$KINORA_TEST_NOT_SET");
      },
      &status);
  ASSERT_OK(status);
  EXPECT_THAT(configs.at("tts").secrets,
              ElementsAre("hunter22", "from the environment"));
  Checked([](v1::ProducerEntry* tts) { tts->add_redact("abc"); }, &status);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("producers.tts.redact[0]")));
}

TEST(ProducerTableTest, ABreakerNeverStaysOpenShorterThanAtFirst) {
  absl::Status status;
  Checked(
      [](v1::ProducerEntry* tts) {
        tts->mutable_breaker()->set_open_seconds(60);
        tts->mutable_breaker()->set_longest_open_seconds(30);
      },
      &status);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("tts.breaker.longest_open_seconds")));
}

TEST(ProducerTableTest, AJobMayHaveALimitInAll) {
  absl::Status status;
  const ProducerConfigs configs =
      Checked([](v1::ProducerEntry* tts) { tts->set_job_timeout_seconds(900); },
              &status);
  ASSERT_OK(status);
  EXPECT_EQ(configs.at("tts").job_timeout, absl::Minutes(15));
  Checked([](v1::ProducerEntry* tts) { tts->set_job_timeout_seconds(86'401); },
          &status);
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("producers.tts.job_timeout_seconds"),
                             HasSubstr("86401"))));
}

TEST(ProducerTableTest, ABudgetIsAnAmount) {
  v1::ProducerTable table = Table("tts", "x:1");
  v1::ProducerEntry& entry = (*table.mutable_producers())["tts"];
  entry.set_budget("USD 12.50");
  ASSERT_OK_AND_ASSIGN(const ProducerConfigs configs,
                       CheckProducerTable(table));
  EXPECT_EQ(configs.at("tts").budget->micros(), 12'500'000);
  entry.set_budget("plenty");
  EXPECT_THAT(
      CheckProducerTable(table),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("producers.tts.budget"), HasSubstr("plenty"))));
}

TEST(ProducerTableTest, TheOperatorSaysWhoReadsTheStoresFiles) {
  v1::ProducerTable table = Table("tts", "x:1");
  (*table.mutable_producers())["tts"].set_references(true);
  ASSERT_OK_AND_ASSIGN(const ProducerConfigs configs,
                       CheckProducerTable(table));
  EXPECT_TRUE(configs.at("tts").references);
}

TEST(ProducerTableTest, BadEntryIsNamedWithItsValue) {
  EXPECT_THAT(CheckProducerTable(Table("tts", "")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("producers.tts.target")));
  EXPECT_THAT(CheckProducerTable(Table("t/s", "x:1")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("t/s")));
  v1::ProducerTable many = Table("tts", "x:1");
  (*many.mutable_producers())["tts"].set_max_attempts(101);
  EXPECT_THAT(CheckProducerTable(many),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("producers.tts.max_attempts"),
                             HasSubstr("101"))));
}

}  // namespace
}  // namespace kinora
