// How large inputs reach a producer: as chunks, or as references.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cpp/producer/produce_session_fixture.h"
#include "common/digest.h"
#include "common/testing/status_matchers.h"
#include "services/store/testing/forwarding_blob_store.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Reads until half-close, then says that the job is done.
class ReadingJob final
    : public grpc::ServerBidiReactor<v1::ProduceRequest, v1::ProduceResponse> {
 public:
  explicit ReadingJob(std::vector<v1::ProduceRequest>& requests)
      : requests_(requests), answers_{Accepted("1"), Succeeded()} {
    StartRead(&request_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return StartWrite(&answers_[0]);
    requests_.push_back(request_);
    StartRead(&request_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    if (++written_ == answers_.size()) return Finish(grpc::Status::OK);
    StartWrite(&answers_[written_]);
  }
  void OnDone() override { delete this; }

 private:
  std::vector<v1::ProduceRequest>& requests_;
  v1::ProduceRequest request_;
  Answers answers_;
  size_t written_ = 0;
};

class ReadingProducer final : public v1::ProducerService::CallbackService {
 public:
  v1::InputMode input_mode = v1::INPUT_MODE_REFERENCE;
  // Of one call, whole once its attempt has ended.
  std::vector<v1::ProduceRequest> requests;

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const v1::DescribeRequest*,
                                     v1::DescribeResponse* response) override {
    response->mutable_identity()->set_version("1");
    response->set_input_mode(input_mode);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerBidiReactor<v1::ProduceRequest, v1::ProduceResponse>* Produce(
      grpc::CallbackServerContext*) override {
    return new ReadingJob(requests);
  }
};

// Blobs by their hash, of which some have a URL.
class SomeBlobs final : public ForwardingBlobStore {
 public:
  using ForwardingBlobStore::ForwardingBlobStore;

  bool is_silent = false;  // when asked for a URL

  v1::BlobRef Put(const std::string& bytes, bool has_url) {
    v1::BlobRef blob;
    const std::string hash = Sha256Of(bytes).Hex();
    blob.mutable_digest()->set_hash(hash);
    blob.mutable_digest()->set_size_bytes(static_cast<int64_t>(bytes.size()));
    bytes_[hash] = bytes;
    if (has_url) urls_[hash] = absl::StrCat("file:///blobs/", hash);
    return blob;
  }

  // Its bytes are as many, and others.
  void Damage(const v1::BlobRef& blob) {
    bytes_[blob.digest().hash()].front() ^= 1;
  }

  absl::Status Read(const v1::ReadBlobRequest& request, Sink sink) override {
    const auto found = bytes_.find(request.digest().hash());
    if (found == bytes_.end()) return absl::NotFoundError("no such blob");
    return sink(absl::string_view(found->second)
                    .substr(static_cast<size_t>(request.offset()),
                            static_cast<size_t>(request.limit())));
  }
  absl::StatusOr<v1::StatBlobResponse> Stat(
      const v1::StatBlobRequest& request) override {
    if (!request.with_url()) return absl::InternalError("not asked for a URL");
    if (is_silent) return absl::UnavailableError("the store is gone");
    v1::StatBlobResponse response;
    const auto found = urls_.find(request.digest().hash());
    if (found != urls_.end()) response.set_url(found->second);
    return response;
  }

 private:
  std::map<std::string, std::string> bytes_;
  std::map<std::string, std::string> urls_;
};

class ProduceInputsTest : public ::testing::TestWithParam<Transport> {
 protected:
  // The messages that a producer gets for a job with the inputs `first` and
  // `second`, lists of blobs.
  std::vector<v1::ProduceRequest> Call(bool allowed) {
    const AttemptResult result = CallOnce(allowed);
    EXPECT_FALSE(result.failure.has_value())
        << result.failure->ShortDebugString();
    return producer_.requests;
  }
  AttemptResult CallOnce(bool allowed) {
    RemoteProducerCallerOptions options;
    options.make_channel = [this](const std::string&) {
      return server_.Channel(GetParam());
    };
    ProducerConfigs configs;
    configs["clip"].targets = {"reading"};
    configs["clip"].references = allowed;
    RemoteProducerCaller caller(configs, blobs_, executor_, RealClock(),
                                options);
    EXPECT_OK(caller.Describe("clip", ""));
    AttemptRequest request;
    request.header.set_movie_id("film");
    request.header.set_producer("clip");
    for (const auto& input : inputs_) {
      v1::InputBinding& binding = *request.header.add_inputs();
      binding.set_name(input.first);
      binding.set_is_list(true);
      for (const v1::BlobRef& blob : input.second) {
        v1::InputElement& element = *binding.add_elements();
        *element.mutable_content() = blob;
        element.set_streamed(true);
      }
    }
    request.producer_version = "1";
    request.timeout = absl::Minutes(1);
    producer_.requests.clear();
    auto observer = std::make_shared<WaitingObserver>();
    const std::unique_ptr<Attempt> attempt =
        caller.Start(std::move(request), observer);
    return observer->Wait();
  }

  // `first/0=<bytes>` of each chunk.
  static std::vector<std::string> Chunks(
      const std::vector<v1::ProduceRequest>& requests) {
    std::vector<std::string> chunks;
    for (size_t i = 1; i < requests.size(); ++i) {
      const v1::InputChunk& chunk = requests[i].input_chunk();
      EXPECT_TRUE(chunk.last());
      chunks.push_back(absl::StrCat(chunk.binding(), "/", chunk.element(), "=",
                                    chunk.data()));
    }
    return chunks;
  }

  NoBlobs no_blobs_;
  SomeBlobs blobs_{no_blobs_};
  std::map<std::string, std::vector<v1::BlobRef>> inputs_;
  ReadingProducer producer_;
  InProcessServer server_{
      {{v1::ProducerService::service_full_name(), &producer_}}};
  ThreadPool executor_{"test", 2};
};

INSTANTIATE_TEST_SUITE_P(Transports, ProduceInputsTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

// F: S0-17
TEST_P(ProduceInputsTest, AReferenceIsSentInPlaceOfTheBytes) {
  const v1::BlobRef blob = blobs_.Put("the picture", true);
  inputs_["first"] = {blob};
  const std::vector<v1::ProduceRequest> requests = Call(true);
  ASSERT_FALSE(requests.empty());
  const v1::InputElement& element = requests[0].header().inputs(0).elements(0);
  EXPECT_EQ(element.reference(), "file:///blobs/" + blob.digest().hash());
  EXPECT_EQ(element.content().digest().hash(), blob.digest().hash());
  EXPECT_THAT(Chunks(requests), IsEmpty());
}

// What a producer made of it would count as made of what it should be.
TEST_P(ProduceInputsTest, ABlobWithOtherBytesFailsTheJobAndIsNamed) {
  v1::BlobRef blob = blobs_.Put("the picture", false);
  blobs_.Damage(blob);
  inputs_["first"] = {blob};
  const AttemptResult result = CallOnce(true);
  ASSERT_TRUE(result.failure.has_value());
  EXPECT_EQ(result.failure->reason(), v1::FAILURE_REASON_INPUT_UNRESOLVED);
  EXPECT_THAT(result.failure->message(),
              AllOf(HasSubstr("input first"), HasSubstr(blob.digest().hash()),
                    HasSubstr("do not have its hash")));
}

// The others arrive as ever, under their own numbers.
TEST_P(ProduceInputsTest, WhatHasNoUrlIsStreamed) {
  inputs_["first"] = {blobs_.Put("a", true), blobs_.Put("b", false)};
  inputs_["second"] = {blobs_.Put("c", false), blobs_.Put("d", true)};
  const std::vector<v1::ProduceRequest> requests = Call(true);
  EXPECT_THAT(Chunks(requests), ElementsAre("first/1=b", "second/0=c"));
  ASSERT_FALSE(requests.empty());
  const v1::JobHeader& header = requests[0].header();
  EXPECT_TRUE(header.inputs(0).elements(0).has_reference());
  EXPECT_TRUE(header.inputs(0).elements(1).streamed());
  EXPECT_TRUE(header.inputs(1).elements(0).streamed());
  EXPECT_TRUE(header.inputs(1).elements(1).has_reference());
}

// If it cannot be read from either, that is what the job fails of.
TEST_P(ProduceInputsTest, WhatTheStoreDoesNotTellOfIsStreamed) {
  inputs_["first"] = {blobs_.Put("a", true)};
  blobs_.is_silent = true;
  EXPECT_THAT(Chunks(Call(true)), ElementsAre("first/0=a"));
}

// The producer may be on another machine: only an operator knows.
TEST_P(ProduceInputsTest, WithoutTheOperatorsWordEverythingIsStreamed) {
  inputs_["first"] = {blobs_.Put("a", true)};
  const std::vector<v1::ProduceRequest> requests = Call(false);
  EXPECT_THAT(Chunks(requests), ElementsAre("first/0=a"));
}

TEST_P(ProduceInputsTest, AProducerThatDoesNotAskForReferencesGetsNone) {
  producer_.input_mode = v1::INPUT_MODE_STREAM;
  inputs_["first"] = {blobs_.Put("a", true)};
  const std::vector<v1::ProduceRequest> requests = Call(true);
  EXPECT_THAT(Chunks(requests), ElementsAre("first/0=a"));
}

}  // namespace
}  // namespace kinora
