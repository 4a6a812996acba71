// What a caller gets from the simulated producer, message by message.

#include "clients/cpp/sim/sim_producer_service.h"

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"

#include "common/testing/in_process_server.h"
#include "common/threads/thread_pool.h"

namespace kinora {
namespace {

using Messages = std::vector<v1::ProduceResponse>;

class SimProducerServiceTest : public ::testing::TestWithParam<Transport> {
 protected:
  // Of a job without inputs and with one output.
  Messages Produce(bool takes_batches, const std::string& settings) {
    v1::ProduceRequest request;
    v1::JobHeader& header = *request.mutable_header();
    header.set_movie_id("film");
    header.set_job_id("Picture");
    header.set_producer("picture");
    header.set_attempt(1);
    header.set_settings_json(settings);
    header.set_takes_batches(takes_batches);
    v1::ExpectedOutput& output = *header.add_outputs();
    output.set_name("Image");
    output.set_mime_type("image/png");
    grpc::ClientContext context;
    const auto stream = stub_->Produce(&context);
    EXPECT_TRUE(stream->Write(request));
    stream->WritesDone();
    Messages messages;
    v1::ProduceResponse message;
    while (stream->Read(&message)) messages.push_back(message);
    EXPECT_TRUE(stream->Finish().ok());
    return messages;
  }

  ThreadPool executor_{"sim", 1};
  SimProducerService service_{executor_, {}};
  InProcessServer server_{
      {{v1::ProducerService::service_full_name(), &service_}}};
  std::unique_ptr<v1::ProducerService::Stub> stub_ =
      v1::ProducerService::NewStub(server_.Channel(GetParam()));
};

INSTANTIATE_TEST_SUITE_P(Transports, SimProducerServiceTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

// Runners of before know no batches.
TEST_P(SimProducerServiceTest, SaysOneThingAfterTheOther) {
  const Messages messages = Produce(false, "{}");
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0].accepted().identity().version(), "1");
  EXPECT_TRUE(messages[1].output_chunk().last());
  EXPECT_TRUE(messages[2].result().has_succeeded());
}

TEST_P(SimProducerServiceTest, SaysAtOnceWhatItHasToSayAtOnce) {
  Messages messages = Produce(true, "{}");
  ASSERT_EQ(messages.size(), 1u);
  ASSERT_EQ(messages[0].batch().responses_size(), 3);
  EXPECT_TRUE(messages[0].batch().responses(0).has_accepted());
  EXPECT_TRUE(messages[0].batch().responses(1).output_chunk().last());
  EXPECT_TRUE(messages[0].batch().responses(2).result().has_succeeded());

  // That it has the job does not wait for what it makes of it.
  messages = Produce(true, R"({"delay_ms":1})");
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_TRUE(messages[0].has_accepted());
  EXPECT_EQ(messages[1].batch().responses_size(), 2);
}

TEST_P(SimProducerServiceTest, BatchesStaySmall) {
  const Messages messages = Produce(true, R"({"bytes":2000000})");
  std::string output;
  for (const v1::ProduceResponse& message : messages) {
    EXPECT_LT(message.ByteSizeLong(), 512u * 1024);
    if (!message.has_batch()) output += message.output_chunk().data();
    for (const v1::ProduceResponse& part : message.batch().responses()) {
      output += part.output_chunk().data();
    }
  }
  EXPECT_EQ(output.size(), 2'000'000u);
}

}  // namespace
}  // namespace kinora
