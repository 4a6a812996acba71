#include "clients/cpp/append_stream.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"

#include "common/clock.h"
#include "common/rpc/status.h"
#include "common/rpc/unary.h"
#include "services/store/event/event_store.h"

namespace kinora {
namespace {

// One is at the server while the next is on its way there.
constexpr size_t kMaxUnderWay = 2;

// Well below the limit of a message. A larger append goes alone.
constexpr size_t kMaxMessageBytes = 1 << 20;

// With the pauses between them about two seconds, time for a server to restart.
constexpr int kMaxAttempts = 5;
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);

// Bounds how long a call to a server that fell silent lasts.
constexpr absl::Duration kCallTimeout = absl::Minutes(10);

bool MayRetry(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

absl::StatusOr<v1::AppendEventsResponse> AnswerOf(v1::AppendOutcome& outcome) {
  if (outcome.code() == 0) return std::move(*outcome.mutable_appended());
  return WithErrorDetail(
      absl::Status(static_cast<absl::StatusCode>(outcome.code()),
                   outcome.message()),
      outcome.detail());
}

}  // namespace

// One StreamAppendEvents call. Deletes itself before it reports its end.
class AppendStream::Call final
    : public grpc::ClientBidiReactor<v1::StreamAppendEventsRequest,
                                     v1::StreamAppendEventsResponse> {
 public:
  explicit Call(AppendStream& owner) : owner_(owner) {}

  void Start(v1::EventService::Stub& stub) {
    SetTimeout(context_, kCallTimeout);
    stub.async()->StreamAppendEvents(&context_, this);
    StartRead(&response_);
    // Writes come from threads of their own.
    AddHold();
    StartCall();
  }
  void Write(const v1::StreamAppendEventsRequest& request) {
    StartWrite(&request);
  }
  // Nothing is written from now on. Call it once.
  void EndWrites() { RemoveHold(); }
  void Cancel() { context_.TryCancel(); }

 private:
  void OnWriteDone(bool ok) override { owner_.OnWritten(ok); }
  void OnReadDone(bool ok) override {
    if (!ok) return owner_.OnBroken();
    owner_.OnAnswer(response_);
    response_.Clear();
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override {
    AppendStream& owner = owner_;
    const absl::Status end = FromGrpcStatus(status);
    delete this;
    owner.OnEnded(end);
  }

  AppendStream& owner_;
  grpc::ClientContext context_;
  v1::StreamAppendEventsResponse response_;
};

AppendStream::AppendStream(v1::EventService::Stub& stub, absl::Duration timeout)
    : stub_(stub), timeout_(timeout) {}

AppendStream::~AppendStream() {
  std::vector<Answered> answered;
  {
    MutexLock lock(mu_);
    stopping_ = true;
    if (call_ != nullptr) call_->Cancel();
    if (backing_off_) pause_->Cancel();
    while (callbacks_ > 0) idle_.Wait(mu_);
    TakeBack(absl::CancelledError("the store's client is closed"), &answered);
  }
  Tell(std::move(answered));
}

AppendStream::Pending AppendStream::Begin(v1::AppendEventsRequest request,
                                          Done done) const {
  Pending pending;
  pending.bytes = request.ByteSizeLong();
  pending.request = std::move(request);
  pending.deadline_nanos = DeadlineAfter(RealClock(), timeout_);
  pending.done = std::move(done);
  return pending;
}

void AppendStream::Append(v1::AppendEventsRequest request, Done done) {
  Pending pending = Begin(std::move(request), std::move(done));
  MutexLock lock(mu_);
  queue_.push_back(std::move(pending));
  Advance();
}

absl::StatusOr<v1::AppendEventsResponse> AppendStream::AppendAndWait(
    v1::AppendEventsRequest request) {
  std::vector<v1::AppendEventsRequest> requests;
  requests.push_back(std::move(request));
  return std::move(AppendAllAndWait(std::move(requests)).front());
}

std::vector<absl::StatusOr<v1::AppendEventsResponse>>
AppendStream::AppendAllAndWait(std::vector<v1::AppendEventsRequest> requests) {
  std::shared_ptr<Round> round;
  {
    MutexLock lock(mu_);
    if (round_ == nullptr) round_ = std::make_shared<Round>();
    round = round_;
  }
  // Under the lock of the round.
  struct Answers {
    size_t due;
    std::vector<absl::StatusOr<v1::AppendEventsResponse>> all;
  };
  const auto answers = std::make_shared<Answers>();
  answers->due = requests.size();
  answers->all.assign(requests.size(),
                      absl::DeadlineExceededError(absl::StrCat(
                          "the store did not answer an append within ",
                          absl::FormatDuration(timeout_))));
  const int64_t deadline = DeadlineAfter(RealClock(), timeout_);
  std::vector<Pending> pending;
  pending.reserve(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    pending.push_back(Begin(
        std::move(requests[i]),
        [round, answers, i](absl::StatusOr<v1::AppendEventsResponse> told) {
          MutexLock lock(round->mu);
          answers->all[i] = std::move(told);
          --answers->due;
        }));
    pending.back().round = round;
  }
  {
    MutexLock lock(mu_);
    std::move(pending.begin(), pending.end(), std::back_inserter(queue_));
    Advance();
  }
  MutexLock lock(round->mu);
  while (answers->due > 0 && round->answered.WaitUntil(round->mu, deadline)) {
  }
  // Answers may still come of those that are given up.
  if (answers->due > 0) return answers->all;
  return std::move(answers->all);
}

void AppendStream::Advance() {
  if (stopping_ || backing_off_ || queue_.empty()) return;
  if (call_ == nullptr) {
    call_ = new Call(*this);  // deletes itself
    broken_ = false;
    ++callbacks_;
    call_->Start(stub_);
  }
  const bool may_write = !broken_ && !writing_ && !telling_;
  if (!may_write || under_way_.size() >= kMaxUnderWay) return;
  // See the head of append_stream.h.
  const bool worth_it =
      under_way_.empty() || queue_.size() >= under_way_.front().appends.size();
  if (worth_it) WriteNext();
}

void AppendStream::WriteNext() {
  round_ = nullptr;  // whoever comes now goes with the next
  Message& message = under_way_.emplace_back();
  size_t bytes = 0;
  int events = 0;
  while (!queue_.empty()) {
    Pending& next = queue_.front();
    bytes += next.bytes;
    events += next.request.events_size();
    const bool full = bytes > kMaxMessageBytes || events > kMaxEventsPerAppend;
    if (full && !message.appends.empty()) break;
    ++next.attempts;
    *message.request.add_appends() = std::move(next.request);
    message.appends.push_back(std::move(next));
    queue_.pop_front();
  }
  writing_ = true;
  call_->Write(message.request);
}

void AppendStream::OnWritten(bool ok) {
  MutexLock lock(mu_);
  writing_ = false;
  if (ok) Advance();  // else the reads end too
}

void AppendStream::OnAnswer(v1::StreamAppendEventsResponse& response) {
  Message message;
  {
    MutexLock lock(mu_);
    const size_t due =
        under_way_.empty() ? 0 : under_way_.front().appends.size();
    if (due == 0 || static_cast<size_t>(response.outcomes_size()) != due) {
      call_->Cancel();  // no answer to what was asked
      return;
    }
    failures_ = 0;
    message = std::move(under_way_.front());
    under_way_.pop_front();
    telling_ = true;
  }
  std::vector<Answered> answered;
  answered.reserve(message.appends.size());
  for (int i = 0; i < response.outcomes_size(); ++i) {
    answered.push_back({std::move(message.appends[i]),
                        AnswerOf(*response.mutable_outcomes(i))});
  }
  Tell(std::move(answered));
  MutexLock lock(mu_);
  telling_ = false;
  Advance();
}

void AppendStream::Tell(std::vector<Answered> answered) {
  for (size_t i = 0; i < answered.size(); ++i) {
    Pending& append = answered[i].append;
    append.done(std::move(answered[i].answer));
    const bool last_of_round = i + 1 == answered.size() ||
                               answered[i + 1].append.round != append.round;
    // Without its lock, or those who wake would wait for it.
    if (append.round != nullptr && last_of_round) {
      append.round->answered.SignalAll();
    }
  }
}

void AppendStream::OnBroken() {
  MutexLock lock(mu_);
  broken_ = true;
  call_->EndWrites();
}

void AppendStream::OnEnded(const absl::Status& status) {
  std::vector<Answered> answered;
  {
    MutexLock lock(mu_);
    call_ = nullptr;
    writing_ = false;
    if (!under_way_.empty()) {
      ++failures_;
      TakeBack(status, &answered);
      if (!queue_.empty() && !stopping_) BackOff();
    }
    Advance();
  }
  Tell(std::move(answered));
  Leave();
}

void AppendStream::TakeBack(const absl::Status& why,
                            std::vector<Answered>* answered) {
  std::vector<Pending> again;
  for (Message& message : under_way_) {
    for (size_t i = 0; i < message.appends.size(); ++i) {
      Pending& pending = message.appends[i];
      pending.request =
          std::move(*message.request.mutable_appends(static_cast<int>(i)));
      again.push_back(std::move(pending));
    }
  }
  under_way_.clear();
  for (Pending& pending : queue_) again.push_back(std::move(pending));
  queue_.clear();
  const int64_t now = RealClock().MonotonicNanos();
  for (Pending& pending : again) {
    // What waited behind a call that failed has not been tried.
    const bool untried = pending.attempts == 0 && !stopping_;
    const bool retry = untried || (MayRetry(why) && !stopping_ &&
                                   pending.attempts < kMaxAttempts);
    if (retry && now < pending.deadline_nanos) {
      queue_.push_back(std::move(pending));
    } else {
      answered->push_back({std::move(pending), why});
    }
  }
}

void AppendStream::BackOff() {
  backing_off_ = true;
  ++callbacks_;
  const absl::Duration pause =
      kFirstPause * (1 << std::min(failures_ - 1, kMaxAttempts));
  // One that has fired may still be running.
  pause_ = std::make_unique<grpc::Alarm>();
  pause_->Set(absl::ToChronoTime(RealClock().Now() + pause), [this](bool) {
    {
      MutexLock lock(mu_);
      backing_off_ = false;
      Advance();
    }
    Leave();
  });
}

void AppendStream::Leave() {
  MutexLock lock(mu_);
  if (--callbacks_ == 0) idle_.SignalAll();
}

}  // namespace kinora
