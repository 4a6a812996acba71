#include "clients/cli/producer_text.h"

#include <string>

#include "gtest/gtest.h"

#include "common/proto_time.h"

namespace kinora {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'000);

v1::ListedProducer Image() {
  v1::ListedProducer image;
  image.set_name("image");
  image.set_reachable(true);
  image.mutable_description()->mutable_identity()->set_version("3");
  image.set_concurrency(8);
  v1::ListedTarget* target = image.add_targets();
  target->set_target("dns:///a:1");
  target->set_breaker(v1::BREAKER_STATE_CLOSED);
  target->set_running(2);
  return image;
}

TEST(ProducerTextTest, ShowsPlacesAndTargets) {
  v1::ListedProducer image = Image();
  v1::ListedTarget* down = image.add_targets();
  down->set_target("dns:///b:1");
  down->set_breaker(v1::BREAKER_STATE_OPEN);
  down->set_failures(5);
  *down->mutable_open_until() = ToProto(kNow + absl::Seconds(4));
  EXPECT_EQ(ProducerText(image, kNow),
            "image  3  2 of 8 calls\n"
            "    dns:///a:1  closed  2 calls\n"
            "    dns:///b:1  open for 4.0 s  0 calls, 5 lost\n");
}

TEST(ProducerTextTest, ShowsTheRateInTheUnitThatFits) {
  v1::ListedProducer image = Image();
  image.clear_targets();
  *image.mutable_call_interval() = ToProto(absl::Milliseconds(500));
  EXPECT_EQ(ProducerText(image, kNow), "image  3  0 of 8 calls  2 a second\n");
  *image.mutable_call_interval() = ToProto(absl::Seconds(6));
  image.set_rate_burst(5);
  EXPECT_EQ(ProducerText(image, kNow),
            "image  3  0 of 8 calls  10 a minute, 5 at once\n");
}

TEST(ProducerTextTest, ShowsWhatHoldsForAllOfThem) {
  v1::ListProducersResponse list;
  list.set_concurrency(64);
  *list.mutable_call_interval() = ToProto(absl::Milliseconds(100));
  list.set_rate_burst(5);
  EXPECT_EQ(LimitsText(list),
            "all producers together: 64 calls at once  10 a second, 5 at "
            "once\n");
}

TEST(ProducerTextTest, SaysWhatIsWrong) {
  v1::ListedProducer image = Image();
  image.clear_targets();
  image.set_reachable(false);
  image.clear_description();
  image.set_error("producer \"image\" at dns:///a:1 does not answer");
  *image.mutable_held_back_until() = ToProto(kNow + absl::Seconds(30));
  EXPECT_EQ(ProducerText(image, kNow),
            "image  -  0 of 8 calls\n"
            "    producer \"image\" at dns:///a:1 does not answer\n"
            "    left alone for 30.0 s\n");
}

}  // namespace
}  // namespace kinora
