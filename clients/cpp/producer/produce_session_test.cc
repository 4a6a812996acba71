// What a runner makes of producers that break the contract.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/support/server_callback.h"

#include "clients/cpp/producer/remote_producer_caller.h"
#include "common/digest.h"
#include "common/error_reason.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/thread_pool.h"
#include "kinora/v1/producer.grpc.pb.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

using Answers = std::vector<v1::ProduceResponse>;

// In place of the data of a chunk: the answer to the question before it.
constexpr char kAnswered[] = "<answer>";

// Reads the header, writes its answers, and finishes. With `waits` it reads the
// answer to each question before it goes on. Without answers it writes nothing
// and waits to be cancelled.
class ScriptedJob final
    : public grpc::ServerBidiReactor<v1::ProduceRequest, v1::ProduceResponse> {
 public:
  ScriptedJob(Answers answers, bool waits)
      : answers_(std::move(answers)), waits_(waits) {
    StartRead(&request_);
  }
  void OnReadDone(bool ok) override {
    if (answers_.empty()) return;
    if (!ok) return Finish(grpc::Status::CANCELLED);
    for (v1::ProduceResponse& answer : answers_) {
      if (!request_.has_answer() || !answer.has_output_chunk()) continue;
      answer.mutable_output_chunk()->set_data(
          absl::StrCat(request_.answer().question_id(), "=",
                       request_.answer().value_json()));
    }
    Write();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    waits_&& answers_[next_ - 1].has_question() ? StartRead(&request_)
                                                : Write();
  }
  void OnCancel() override {
    if (answers_.empty()) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  void Write() {
    if (next_ == answers_.size()) return Finish(grpc::Status::OK);
    StartWrite(&answers_[next_++]);
  }

  v1::ProduceRequest request_;
  Answers answers_;
  const bool waits_;
  size_t next_ = 0;
};

class ScriptedProducer final : public v1::ProducerService::CallbackService {
 public:
  Answers answers;
  bool answers_on_stream = false;
  std::string schema_json;  // of the output "Text"

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const v1::DescribeRequest*,
                                     v1::DescribeResponse* response) override {
    response->set_answers_on_stream(answers_on_stream);
    response->mutable_identity()->set_version("1");
    v1::DeclaredOutput& output = *response->add_outputs();
    output.set_name("Text");
    output.set_schema_json(schema_json);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerBidiReactor<v1::ProduceRequest, v1::ProduceResponse>* Produce(
      grpc::CallbackServerContext*) override {
    return new ScriptedJob(answers, answers_on_stream);
  }
};

// Nothing here is larger than the inline limit.
class NoBlobs final : public BlobStore {
 public:
  absl::StatusOr<std::unique_ptr<BlobUpload>> StartUpload(
      const v1::WriteBlobHeader&) override {
    return absl::UnavailableError("no blobs here");
  }
  absl::Status Read(const v1::ReadBlobRequest&, Sink) override {
    return absl::NotFoundError("no such blob");
  }
  absl::StatusOr<v1::BatchWriteBlobsResponse> BatchWrite(
      const v1::BatchWriteBlobsRequest&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<v1::BatchReadBlobsResponse> BatchRead(
      const v1::BatchReadBlobsRequest&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<v1::FindMissingBlobsResponse> FindMissing(
      const v1::FindMissingBlobsRequest&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<v1::StatBlobResponse> Stat(
      const v1::StatBlobRequest&) override {
    return absl::UnimplementedError("");
  }
};

class WaitingObserver final : public AttemptObserver {
 public:
  void OnProgress(const v1::Progress&) override {}
  void OnLogLines(const v1::LogLines&) override {}
  void OnQuestion(const v1::Question& question, bool takes_answer) override {
    MutexLock lock(mu_);
    question_ = question;
    takes_answer_ = takes_answer;
    done_cv_.SignalAll();
  }
  void OnDone(AttemptResult result) override {
    MutexLock lock(mu_);
    result_ = std::move(result);
    done_cv_.SignalAll();
  }
  AttemptResult Wait() {
    MutexLock lock(mu_);
    while (!result_.has_value()) done_cv_.Wait(mu_);
    return *result_;
  }
  // Until the attempt asks or ends.
  std::optional<v1::Question> WaitForQuestion() {
    MutexLock lock(mu_);
    while (!result_.has_value() && !question_.has_value()) done_cv_.Wait(mu_);
    return question_;
  }
  bool takes_answer() {
    MutexLock lock(mu_);
    return takes_answer_;
  }

 private:
  Mutex mu_;
  CondVar done_cv_;
  std::optional<AttemptResult> result_ ABSL_GUARDED_BY(mu_);
  std::optional<v1::Question> question_ ABSL_GUARDED_BY(mu_);
  bool takes_answer_ ABSL_GUARDED_BY(mu_) = false;
};

v1::ProduceResponse Accepted(const std::string& version) {
  v1::ProduceResponse response;
  response.mutable_accepted()->mutable_identity()->set_version(version);
  return response;
}

v1::ProduceResponse Chunk(const std::string& output, int64_t offset,
                          const std::string& data, bool last) {
  v1::ProduceResponse response;
  v1::OutputChunk* chunk = response.mutable_output_chunk();
  chunk->set_output(output);
  chunk->set_offset(offset);
  chunk->set_data(data);
  chunk->set_last(last);
  return response;
}

v1::ProduceResponse Asks(const std::string& question_id,
                         const std::string& prompt) {
  v1::ProduceResponse response;
  response.mutable_question()->set_question_id(question_id);
  response.mutable_question()->set_prompt(prompt);
  return response;
}

v1::ProduceResponse WaitsFor(const std::string& question_id) {
  v1::ProduceResponse response;
  response.mutable_result()->mutable_waiting()->set_question_id(question_id);
  return response;
}

v1::ProduceResponse Succeeded() {
  v1::ProduceResponse response;
  response.mutable_result()->mutable_succeeded();
  return response;
}

class ProduceSessionTest : public ::testing::TestWithParam<Transport> {
 protected:
  ProduceSessionTest() {
    RemoteProducerCallerOptions options;
    options.make_channel = [this](const std::string&) {
      return server_.Channel(GetParam());
    };
    ProducerConfigs configs;
    configs["tts"].targets = {"scripted"};
    caller_ = std::make_unique<RemoteProducerCaller>(configs, blobs_, executor_,
                                                     RealClock(), options);
  }

  AttemptResult Produce(Answers answers, const std::string& mime = "text/plain",
                        bool cancel = false) {
    auto observer = std::make_shared<WaitingObserver>();
    std::unique_ptr<Attempt> attempt =
        Start(std::move(answers), mime, observer);
    if (cancel) attempt->Cancel();
    return observer->Wait();
  }

  std::unique_ptr<Attempt> Start(Answers answers, const std::string& mime,
                                 std::shared_ptr<AttemptObserver> observer) {
    producer_.answers = std::move(answers);
    AttemptRequest request;
    request.header.set_movie_id("film");
    request.header.set_producer("tts");
    request.header.mutable_inputs()->Assign(inputs_.begin(), inputs_.end());
    request.producer_version = "1";
    request.outputs.push_back({"Artifact:Text", "Text", mime, "", ""});
    for (const AttemptRequest::Output& leaf : leaves_) {
      request.outputs.push_back(leaf);
    }
    request.timeout = absl::Minutes(1);
    return caller_->Start(std::move(request), std::move(observer));
  }

  void ExpectFailure(const AttemptResult& result, v1::FailureReason reason,
                     bool retryable, const std::string& message) {
    ASSERT_TRUE(result.failure.has_value());
    EXPECT_EQ(result.failure->reason(), reason);
    EXPECT_EQ(result.failure->retryable(), retryable);
    EXPECT_THAT(result.failure->message(), HasSubstr(message));
  }

  NoBlobs blobs_;
  std::vector<v1::InputBinding> inputs_;
  std::vector<AttemptRequest::Output> leaves_;
  ScriptedProducer producer_;
  InProcessServer server_{
      {{v1::ProducerService::service_full_name(), &producer_}}};
  ThreadPool executor_{"test", 2};
  std::unique_ptr<RemoteProducerCaller> caller_;
};

INSTANTIATE_TEST_SUITE_P(Transports, ProduceSessionTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

TEST_P(ProduceSessionTest, SmallOutputIsInlineWithItsHash) {
  AttemptResult result =
      Produce({Accepted("1"), Chunk("Text", 0, "a", false),
               Chunk("Artifact:Text", 1, "b", true), Succeeded()});
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  const v1::InlineValue& value = result.outputs.at(0).content.inline_();
  EXPECT_EQ(value.data(), "ab");
  EXPECT_EQ(value.hash(), Sha256Of("ab").Hex());
  EXPECT_EQ(value.mime_type(), "text/plain");
}

TEST_P(ProduceSessionTest, InlineJsonHasOneSpelling) {
  AttemptResult result = Produce(
      {Accepted("1"), Chunk("Text", 0, R"({"b":1, "a":2})", true), Succeeded()},
      "application/json");
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  EXPECT_EQ(result.outputs.at(0).content.inline_().data(), R"({"a":2,"b":1})");
}

TEST_P(ProduceSessionTest, OutputThatIsNotWhatItsTypeSaysIsInvalid) {
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 0, "{", true), Succeeded()},
              "application/json"),
      v1::FAILURE_REASON_OUTPUT_INVALID, false, "must be JSON");
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 0, "\xff", true), Succeeded()}),
      v1::FAILURE_REASON_OUTPUT_INVALID, false, "UTF-8");
}

// F: B-3
TEST_P(ProduceSessionTest, LeavesAreTakenFromTheirOutput) {
  leaves_ = {{"Artifact:Title", "Title", "text/plain", "Artifact:Text", "/t"},
             {"Artifact:Mood", "Mood", "application/json", "Artifact:Text",
              "/a~1b/1"}};
  auto produce = [&](const std::string& json) {
    return Produce({Accepted("1"), Chunk("Text", 0, json, true), Succeeded()},
                   "application/json");
  };
  AttemptResult result = produce(R"({"t": "Sea", "a/b": [0, {"y":1, "x":2}]})");
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  ASSERT_EQ(result.outputs.size(), 3u);
  EXPECT_EQ(result.outputs[1].content.inline_().data(), "Sea");
  EXPECT_EQ(result.outputs[1].content.inline_().mime_type(), "text/plain");
  EXPECT_EQ(result.outputs[2].content.inline_().data(), R"({"x":2,"y":1})");

  // An edit of a readable copy would not reach the leaves.
  v1::ProduceResponse named =
      Chunk("Text", 0, R"({"t": "Sea", "a/b": [0, 1]})", true);
  named.mutable_output_chunk()->set_readable_path("plan.json");
  result = Produce({Accepted("1"), named, Succeeded()}, "application/json");
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  EXPECT_EQ(result.outputs[0].readable_path, "");

  for (const char* json : {R"({"t": "Sea", "a/b": [0]})", R"({"t": "Sea"})",
                           R"({"t": "Sea", "a/b": {"01": 1}})", "7"}) {
    ExpectFailure(produce(json), v1::FAILURE_REASON_OUTPUT_INVALID, false,
                  "Artifact:Text has nothing at /");
  }
  ExpectFailure(
      produce(R"({"t": 3, "a/b": [0, 1]})"), v1::FAILURE_REASON_OUTPUT_INVALID,
      false, "Artifact:Title: Artifact:Text has number 3, not a string, at /t");
  // The producer cannot send a leaf itself.
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Title", 0, "Sky", true), Succeeded()}),
      v1::FAILURE_REASON_OUTPUT_INVALID, false, "\"Title\"");
}

TEST_P(ProduceSessionTest, JsonMustFitTheSchemaThatItsProducerDeclares) {
  producer_.schema_json =
      R"({"properties":{"shots":{"items":{"required":["prompt"]}}}})";
  auto produce = [&](const std::string& json, const std::string& mime) {
    return Produce({Accepted("1"), Chunk("Text", 0, json, true), Succeeded()},
                   mime);
  };
  const std::string bad = R"({"shots":[{"prompt":"sea"},{}]})";
  // What a model made may fit the next time.
  ExpectFailure(
      produce(bad, "application/json"), v1::FAILURE_REASON_OUTPUT_INVALID, true,
      "Artifact:Text: does not fit the JSON Schema that the producer declares "
      "for its output \"Text\": at /shots/1: expected a member \"prompt\"");
  ExpectFailure(produce("{", "application/json"),
                v1::FAILURE_REASON_OUTPUT_INVALID, true, "must be JSON");
  EXPECT_FALSE(
      produce(R"({"shots":[{"prompt":1}]})", "application/json").failure);
  EXPECT_FALSE(produce(bad, "text/plain").failure);
}

TEST_P(ProduceSessionTest, ASchemaThatIsNoneFailsWhatItIsFor) {
  producer_.schema_json = R"({"type":"text"})";
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 0, "{}", true), Succeeded()},
              "application/json"),
      v1::FAILURE_REASON_OUTPUT_INVALID, false,
      "producer \"tts\": the JSON Schema of its output \"Text\" cannot be "
      "used: "
      "/type");
}

TEST_P(ProduceSessionTest, BytesOutOfPlaceAreInvalid) {
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 5, "late", true), Succeeded()}),
      v1::FAILURE_REASON_OUTPUT_INVALID, false, "goes on at 0");
  ExpectFailure(Produce({Accepted("1"), Chunk("Text", 0, "", true),
                         Chunk("Text", 0, "", true), Succeeded()}),
                v1::FAILURE_REASON_OUTPUT_INVALID, false, "last chunk");
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Other", 0, "x", true), Succeeded()}),
      v1::FAILURE_REASON_OUTPUT_INVALID, false, "\"Other\"");
}

TEST_P(ProduceSessionTest, SuccessWithoutAnOutputIsAFailure) {  // F: B-9
  ExpectFailure(Produce({Accepted("1"), Succeeded()}),
                v1::FAILURE_REASON_OUTPUT_MISSING, false, "Artifact:Text");
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 0, "half", false), Succeeded()}),
      v1::FAILURE_REASON_OUTPUT_MISSING, false, "Artifact:Text");
}

// Another target may have it still; and who reads it knows what to do.
TEST_P(ProduceSessionTest, AnotherVersionIsRetryable) {
  const AttemptResult result = Produce({Accepted("2"), Succeeded()});
  ExpectFailure(result, v1::FAILURE_REASON_PRODUCER_ERROR, true,
                "\"tts\" changed from version \"1\" to \"2\" since the plan "
                "was made: a new run plans again");
  EXPECT_EQ(result.version, "2");
  EXPECT_EQ(result.contact, Contact::kAnswered);
}

// Only what tells of the target itself may take it for down.
TEST_P(ProduceSessionTest, AJobThatFailsLeavesItsTargetInGoodStanding) {
  v1::ProduceResponse failed;
  failed.mutable_result()->mutable_failed()->set_retryable(true);
  EXPECT_EQ(Produce({Accepted("1"), failed}).contact, Contact::kAnswered);
  EXPECT_EQ(Produce({failed}).contact, Contact::kAnswered);
  EXPECT_EQ(Produce({}, "text/plain", true).contact, Contact::kUnknown);
}

TEST_P(ProduceSessionTest, CallThatEndsWithoutAResultIsRetryable) {
  ExpectFailure(Produce({Accepted("1")}),
                v1::FAILURE_REASON_PRODUCER_UNAVAILABLE, true,
                "without a result");
}

TEST_P(ProduceSessionTest, AJobMayEndToWaitForAnAnswer) {
  auto observer = std::make_shared<WaitingObserver>();
  const std::unique_ptr<Attempt> attempt =
      Start({Accepted("1"), Asks("voice", "Which voice?"), WaitsFor("voice")},
            "text/plain", observer);
  const AttemptResult result = observer->Wait();
  EXPECT_FALSE(result.failure.has_value()) << result.failure->message();
  EXPECT_EQ(result.waits_for, "voice");
  ASSERT_TRUE(observer->WaitForQuestion().has_value());
  EXPECT_EQ(observer->WaitForQuestion()->prompt(), "Which voice?");
  EXPECT_FALSE(observer->takes_answer());
  attempt->Answer({});  // too late for anything
}

TEST_P(ProduceSessionTest, AnAnswerIsDeliveredOnTheStream) {
  producer_.answers_on_stream = true;
  ASSERT_OK(caller_->Describe("tts", ""));
  auto observer = std::make_shared<WaitingObserver>();
  const std::unique_ptr<Attempt> attempt =
      Start({Accepted("1"), Asks("voice", "Which voice?"),
             Chunk("Text", 0, kAnswered, true), Succeeded()},
            "text/plain", observer);
  ASSERT_TRUE(observer->WaitForQuestion().has_value());
  EXPECT_TRUE(observer->takes_answer());
  v1::Answer answer;
  answer.set_question_id("other");  // not asked here
  answer.set_value_json("\"low\"");
  attempt->Answer(answer);
  answer.set_question_id("voice");
  attempt->Answer(answer);
  attempt->Answer(answer);  // once is enough
  const AttemptResult result = observer->Wait();
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  EXPECT_EQ(result.outputs.at(0).content.inline_().data(), "voice=\"low\"");
}

TEST_P(ProduceSessionTest, AProducerThatMayAskNeedNot) {
  producer_.answers_on_stream = true;
  ASSERT_OK(caller_->Describe("tts", ""));
  const AttemptResult result =
      Produce({Accepted("1"), Chunk("Text", 0, "x", true), Succeeded()});
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
}

TEST_P(ProduceSessionTest, AQuestionThatNobodyCanAnswerFailsTheAttempt) {
  ExpectFailure(Produce({Accepted("1"), Asks("", "Which voice?")}),
                v1::FAILURE_REASON_PRODUCER_ERROR, false,
                "question.question_id");
  ExpectFailure(Produce({Accepted("1"), Asks("voice", std::string(5000, '?'))}),
                v1::FAILURE_REASON_PRODUCER_ERROR, false, "question.prompt");
}

TEST_P(ProduceSessionTest, ACostThatIsNoneFailsTheAttemptAndIsNotCharged) {
  v1::ProduceResponse usage;
  usage.mutable_usage()->mutable_cost()->set_micros(-5);
  const AttemptResult result = Produce({Accepted("1"), usage, Succeeded()});
  ExpectFailure(result, v1::FAILURE_REASON_PRODUCER_ERROR, false,
                "usage.cost.micros");
  EXPECT_FALSE(result.cost.has_value());
}

TEST_P(ProduceSessionTest, CancelledAttemptEnds) {
  ExpectFailure(Produce({}, "text/plain", true), v1::FAILURE_REASON_CANCELLED,
                false, "cancelled");
}

TEST_P(ProduceSessionTest, UnreachableStoreIsNotTheJobsFault) {
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 0, std::string(10'000, 'x'), true),
               Succeeded()}),
      v1::FAILURE_REASON_UNSPECIFIED, true, "no blobs here");
}

// F: S0-14
TEST_P(ProduceSessionTest, InputThatIsGoneFailsTheJobAndIsNamed) {
  v1::InputBinding& binding = inputs_.emplace_back();
  binding.set_name("image");
  v1::InputElement& element = *binding.add_elements();
  element.set_streamed(true);
  const std::string hash(64, '7');
  element.mutable_content()->mutable_digest()->set_hash(hash);
  element.mutable_content()->mutable_digest()->set_size_bytes(10);
  const AttemptResult result = Produce({});
  ExpectFailure(result, v1::FAILURE_REASON_INPUT_UNRESOLVED, false,
                "input image");
  EXPECT_THAT(result.failure->message(), HasSubstr(hash));
}

TEST_P(ProduceSessionTest, UnknownProducerIsNamed) {
  absl::StatusOr<v1::DescribeResponse> description =
      caller_->Describe("nobody", "");
  EXPECT_THAT(description, StatusIs(absl::StatusCode::kFailedPrecondition,
                                    HasSubstr("\"nobody\"")));
  EXPECT_EQ(ReasonOf(description.status()), "PRODUCER_UNKNOWN");
}

}  // namespace
}  // namespace kinora
