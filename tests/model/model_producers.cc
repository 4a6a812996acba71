#include "tests/model/model_producers.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"

namespace kinora {
namespace {

// A job is tried three times at least, so two failures are no end.
constexpr int kMaxFailures = 2;
// How long producers that were killed are away, at most.
constexpr int kLongestOutageMillis = 2'000;
constexpr char kQuestionId[] = "name";

// Whether the settings of a job's node have that one.
bool Has(const v1::JobHeader& header, absl::string_view setting) {
  return absl::StrContains(header.settings_json(),
                           absl::StrCat("\"", setting, "\""));
}

bool Charges(absl::string_view producer) { return producer != "free"; }

v1::Failure Unavailable(absl::string_view why) {
  v1::Failure failure;
  failure.set_reason(v1::FAILURE_REASON_PRODUCER_UNAVAILABLE);
  failure.set_message(std::string(why));
  failure.set_retryable(true);
  return failure;
}

v1::Cost Price() {
  v1::Cost price;
  price.set_currency_code("USD");
  price.set_micros(kPriceMicros);
  return price;
}

AttemptResult Failed(absl::string_view why, bool in_doubt) {
  AttemptResult result;
  result.failure = Unavailable(why);
  result.in_doubt = in_doubt;
  return result;
}

}  // namespace

ProducerConfigs ModelProducerConfigs(uint32_t max_attempts) {
  ProducerConfigs configs;
  for (const char* name : {"free", "paid", "deaf"}) {
    configs[name] = {
        .targets = {"model"}, .concurrency = 3, .max_attempts = max_attempts};
  }
  return configs;
}

int64_t ModelProducers::charges(const std::string& producer) const {
  const auto found = charges_.find(producer);
  return found == charges_.end() ? 0 : found->second;
}

int ModelProducers::Below(int bound) {
  return static_cast<int>(UniformBelow(random_, static_cast<uint64_t>(bound)));
}

absl::Duration ModelProducers::Soon(int milliseconds) {
  return absl::Milliseconds(Below(milliseconds));
}

void ModelProducers::Take(const v1::JobHeader& header,
                          std::function<void()> done) {
  std::shared_ptr<Work> work;
  bool is_new = true;
  if (header.producer() == "paid") {
    std::shared_ptr<Work>& known = record_[header.idempotency_key()];
    is_new = known == nullptr;
    if (is_new) known = std::make_shared<Work>();
    work = known;
  } else {
    work = std::make_shared<Work>();
  }
  if (work->is_finished) {
    executor_.PostAfter(Soon(50), std::move(done));
    return;
  }
  work->waiting.push_back(std::move(done));
  if (!is_new && work->life == life_) return;
  if (is_new && Charges(header.producer())) {
    ++charges_[header.producer()];
    truth_.Charged(header.job_id(), kPriceMicros);
  }
  work->life = life_;
  executor_.PostAfter(Soon(3000), [this, work, life = life_] {
    if (life != life_) return;
    work->is_finished = true;
    for (const std::function<void()>& waiting : work->waiting) waiting();
    work->waiting.clear();
  });
}

void ModelProducers::Kill() {
  ++life_;
  for (const std::function<void()>& break_off : std::exchange(breaks_, {})) {
    break_off();
  }
  // Calls live in what they wait for.
  for (const auto& known : record_) known.second->waiting.clear();
  executor_.PostAfter(Soon(kLongestOutageMillis),
                      [this, life = life_] { back_at_life_ = life; });
}

// What it makes depends on what it reads, on what it is told, and on nothing
// else.
AttemptResult ModelProducers::Make(const AttemptRequest& request) {
  const v1::JobHeader& header = request.header;
  AttemptResult result;
  for (const AttemptRequest::Output& wanted : request.outputs) {
    std::string text =
        absl::StrCat(wanted.artefact_id, " of ", header.inputs_hash());
    if (Has(header, "same")) text = "the same";
    for (const v1::Answer& answer : header.answers()) {
      absl::StrAppend(&text, " called ", answer.value_json());
    }
    if (wanted.mime_type == "application/json") text = "[\"a\",\"b\",\"c\"]";
    v1::Content content;
    if (Has(header, "blob")) {
      v1::BatchWriteBlobsRequest write;
      write.set_movie_id(header.movie_id());
      write.add_blobs()->set_data(text);
      const absl::StatusOr<v1::BatchWriteBlobsResponse> written = store_.Ask(
          [&](const Store& store) { return store.blobs.BatchWrite(write); });
      // As the runner's end of the stream has it: not the job's fault.
      if (!written.ok()) return Failed(written.status().message(), false);
      *content.mutable_blob()->mutable_digest() = written->results(0).digest();
      content.mutable_blob()->set_mime_type(wanted.mime_type);
    } else {
      content.mutable_inline_()->set_hash(Sha256Of(text).Hex());
      content.mutable_inline_()->set_data(text);
      content.mutable_inline_()->set_mime_type(wanted.mime_type);
    }
    result.outputs.push_back({content, ""});
  }
  if (Charges(header.producer())) result.cost = Price();
  return result;
}

// One attempt; its end is reported once, if the runner still lives.
class ModelCaller::Call {
 public:
  Call(StoreCut& cut, std::shared_ptr<AttemptObserver> observer)
      : cut_(cut), observer_(std::move(observer)) {}

  void End(AttemptResult result) {
    const std::shared_ptr<AttemptObserver> observer = std::move(observer_);
    if (observer != nullptr && !cut_.is_cut()) {
      observer->OnDone(std::move(result));
    }
  }

  // Asks a person, and ends without an answer.
  void Ask() {
    if (observer_ == nullptr || cut_.is_cut()) return;
    v1::Question question;
    question.set_question_id(kQuestionId);
    question.set_prompt("What is it called?");
    question.set_kind(v1::QUESTION_KIND_TEXT);
    observer_->OnQuestion(question, /*takes_answer=*/false);
    AttemptResult result;
    result.waits_for = kQuestionId;
    End(std::move(result));
  }

  // The runner hears of it a while later, and of nothing else.
  void Break(Executor& executor) {
    executor.Post([end = std::make_shared<Call>(cut_, std::move(observer_))] {
      end->End(Failed("broken off", true));
    });
  }

 private:
  StoreCut& cut_;
  std::shared_ptr<AttemptObserver> observer_;
};

absl::StatusOr<v1::DescribeResponse> ModelCaller::Describe(
    absl::string_view producer, const std::string&) {
  if (cut_.is_cut() || producers_.is_down() ||
      (producers_.GoesWrong() && producers_.Below(8) == 0)) {
    return absl::UnavailableError(
        absl::StrCat("producer ", producer, " does not answer"));
  }
  v1::DescribeResponse description;
  description.mutable_identity()->set_name(std::string(producer));
  description.mutable_identity()->set_version("1");
  description.set_supports_look_up(producer == "paid");
  if (Charges(producer)) {
    *description.mutable_price()->mutable_low() = Price();
    *description.mutable_price()->mutable_high() = Price();
  }
  return description;
}

absl::StatusOr<FoundWork> ModelCaller::LookUp(
    absl::string_view producer, const std::string& idempotency_key,
    CallStop& /*stop*/) {
  if (!cut_.is_cut()) producers_.on_look_up_();
  if (cut_.is_cut() || producers_.is_down() || producers_.GoesWrong()) {
    return absl::UnavailableError(
        absl::StrCat("producer ", producer, " does not answer"));
  }
  if (producer != "paid") return FoundWork();
  producers_.truth_.Told(idempotency_key);
  const auto work = producers_.record_.find(idempotency_key);
  FoundWork found;
  if (work == producers_.record_.end()) {
    found.state = v1::LOOK_UP_STATE_NEVER_STARTED;
  } else {
    found.state = work->second->is_finished ? v1::LOOK_UP_STATE_FINISHED
                                            : v1::LOOK_UP_STATE_RUNNING;
  }
  return found;
}

namespace {

// Nobody takes back what was said to a provider.
class OpenAttempt final : public Attempt {
 public:
  explicit OpenAttempt(std::function<void()> cancel)
      : cancel_(std::move(cancel)) {}
  void Cancel() override { cancel_(); }
  void Answer(const v1::Answer&) override {}

 private:
  const std::function<void()> cancel_;
};

}  // namespace

std::unique_ptr<Attempt> ModelCaller::Start(
    AttemptRequest request, std::shared_ptr<AttemptObserver> observer) {
  auto call = std::make_shared<Call>(cut_, std::move(observer));
  ModelProducers& all = producers_;
  cut_.Change("call " + request.header.job_id(), [&] {
    const v1::JobHeader& header = request.header;
    all.truth_.Called(header);
    ++all.calls_;
    if (all.is_down()) {
      all.executor_.PostAfter(
          all.Soon(500), [call] { call->End(Failed("not there", false)); });
      return;
    }
    all.breaks_.push_back([weak = std::weak_ptr<Call>(call), &all] {
      const std::shared_ptr<Call> open = weak.lock();
      if (open != nullptr) open->Break(all.executor_);
    });
    int& failures = all.failures_[header.idempotency_key()];
    int fate = 3;
    if (failures < kMaxFailures && all.GoesWrong()) fate = all.Below(3);
    if (failures == 0 && Has(header, "flaky")) fate = 0;
    if (fate < 3) ++failures;
    if (fate == 0 || fate == 1) {
      // Refused, or lost on the way: nothing was taken.
      all.executor_.PostAfter(all.Soon(500), [call, fate] {
        call->End(Failed(fate == 0 ? "busy" : "lost", fate == 1));
      });
      return;
    }
    if (fate == 2) {
      all.Take(header, [] {});
      AttemptResult broken = Failed("broken", true);
      // It may have said what it costs before, and says so again.
      if (header.producer() == "paid" && all.Below(2) == 0) {
        broken.cost = Price();
      }
      all.executor_.PostAfter(all.Soon(4000),
                              [call, broken] { call->End(broken); });
      return;
    }
    if (Has(header, "asks") && header.answers().empty()) {
      all.executor_.PostAfter(all.Soon(500), [call] { call->Ask(); });
      return;
    }
    all.Take(header, [call, &all, request] { call->End(all.Make(request)); });
  });
  // Weak: the observer keeps the run alive, which keeps the attempt.
  std::weak_ptr<Call> weak = call;
  return std::make_unique<OpenAttempt>([weak, &all] {
    all.executor_.Post([weak] {
      const std::shared_ptr<Call> open = weak.lock();
      if (open == nullptr) return;
      AttemptResult cancelled = Failed("cancelled", false);
      cancelled.failure->set_reason(v1::FAILURE_REASON_CANCELLED);
      cancelled.failure->set_retryable(false);
      open->End(std::move(cancelled));
    });
  });
}

}  // namespace kinora
