// A producer that says what a test lets it say, and attempts at it through a
// RemoteProducerCaller, over every transport.

#ifndef KINORA_CLIENTS_CPP_PRODUCER_PRODUCE_SESSION_FIXTURE_H_
#define KINORA_CLIENTS_CPP_PRODUCER_PRODUCE_SESSION_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/support/server_callback.h"
#include "gtest/gtest.h"

#include "clients/cpp/producer/remote_producer_caller.h"
#include "common/proto_time.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "kinora/v1/producer.grpc.pb.h"

namespace kinora {

using Answers = std::vector<v1::ProduceResponse>;

// In place of the data of a chunk: the answer to the question before it.
inline constexpr char kAnswered[] = "<answer>";

// Reads the header, writes its answers, and finishes. With `waits` it reads the
// answer to each question before it goes on. Without answers it writes nothing
// and waits to be cancelled; so it does behind one that says nothing.
class ScriptedJob final
    : public grpc::ServerBidiReactor<v1::ProduceRequest, v1::ProduceResponse> {
 public:
  ScriptedJob(Answers answers, bool waits, grpc::Status end)
      : answers_(std::move(answers)), waits_(waits), end_(std::move(end)) {
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
    if (answers_.empty() || (next_ < answers_.size() &&
                             answers_[next_].message_case() == kSilence)) {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  static constexpr auto kSilence = v1::ProduceResponse::MESSAGE_NOT_SET;

  void Write() {
    if (next_ == answers_.size()) return Finish(end_);
    if (answers_[next_].message_case() == kSilence) return;
    StartWrite(&answers_[next_++]);
  }

  v1::ProduceRequest request_;
  Answers answers_;
  const bool waits_;
  const grpc::Status end_;
  size_t next_ = 0;
};

class ScriptedProducer final : public v1::ProducerService::CallbackService {
 public:
  Answers answers;
  bool answers_on_stream = false;
  std::string schema_json;  // of the output "Text"
  absl::Duration heartbeat_timeout;
  grpc::Status end;  // of calls, behind all answers

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const v1::DescribeRequest*,
                                     v1::DescribeResponse* response) override {
    response->set_answers_on_stream(answers_on_stream);
    response->mutable_identity()->set_version("1");
    *response->mutable_heartbeat_timeout() = ToProto(heartbeat_timeout);
    v1::DeclaredOutput& output = *response->add_outputs();
    output.set_name("Text");
    output.set_schema_json(schema_json);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerBidiReactor<v1::ProduceRequest, v1::ProduceResponse>* Produce(
      grpc::CallbackServerContext*) override {
    return new ScriptedJob(answers, answers_on_stream, end);
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

inline v1::ProduceResponse Accepted(const std::string& version) {
  v1::ProduceResponse response;
  response.mutable_accepted()->mutable_identity()->set_version(version);
  return response;
}

inline v1::ProduceResponse Chunk(const std::string& output, int64_t offset,
                                 const std::string& data, bool last) {
  v1::ProduceResponse response;
  v1::OutputChunk* chunk = response.mutable_output_chunk();
  chunk->set_output(output);
  chunk->set_offset(offset);
  chunk->set_data(data);
  chunk->set_last(last);
  return response;
}

inline v1::ProduceResponse Asks(const std::string& question_id,
                                const std::string& prompt) {
  v1::ProduceResponse response;
  response.mutable_question()->set_question_id(question_id);
  response.mutable_question()->set_prompt(prompt);
  return response;
}

inline v1::ProduceResponse WaitsFor(const std::string& question_id) {
  v1::ProduceResponse response;
  response.mutable_result()->mutable_waiting()->set_question_id(question_id);
  return response;
}

inline v1::ProduceResponse Succeeded() {
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
    EXPECT_THAT(result.failure->message(), ::testing::HasSubstr(message));
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

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_PRODUCE_SESSION_FIXTURE_H_
