#include "services/runner/producer_table.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::AllOf;
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
  EXPECT_EQ(tts.target, "127.0.0.1:7501");
  EXPECT_EQ(tts.concurrency, 4u);
  EXPECT_EQ(tts.max_attempts, 3u);
  EXPECT_EQ(tts.attempt_timeout, absl::Minutes(10));
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
