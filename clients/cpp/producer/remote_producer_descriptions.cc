// The part of RemoteProducerCaller that asks producers what they are.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cpp/producer/remote_producer_caller.h"
#include "clients/cpp/producer/remote_producer_target.h"
#include "common/error_reason.h"
#include "common/rpc/unary.h"
#include "common/rpc/unary_calls.h"
#include "common/telemetry/log.h"
#include "common/threads/mutex.h"
#include "services/runner/calls/output_schemas.h"

namespace kinora {
namespace {

using Answer = absl::StatusOr<v1::DescribeResponse>;

// What the targets of a producer have said so far, in their order.
using Answers = std::vector<std::optional<Answer>>;

bool Fits(const Answer& answer, const std::string& version) {
  if (!answer.ok()) return false;
  const std::string& has = answer->identity().version();
  return !has.empty() && (version.empty() || has == version);
}

// Whether it is known which of them speaks for the producer: an answer counts
// once those before it are known not to fit.
bool IsDecided(const Answers& answers, const std::string& version) {
  for (const std::optional<Answer>& answer : answers) {
    if (!answer.has_value()) return false;
    if (Fits(*answer, version)) return true;
  }
  return true;
}

}  // namespace

absl::Status UnknownProducer(absl::string_view name) {
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "no producer \"", name, "\" is in the runner's producer table")),
      "PRODUCER_UNKNOWN", {{"producer", name}});
}

std::optional<v1::DescribeResponse> RemoteProducerCaller::Described(
    Target& target) {
  MutexLock lock(target.mu);
  if (clock_.MonotonicNanos() < target.description_expires) {
    return target.description;
  }
  return std::nullopt;
}

absl::StatusOr<v1::DescribeResponse> RemoteProducerCaller::TakeDescription(
    absl::string_view producer, Target& target, Answer answer) {
  if (!answer.ok()) {
    return WithReason(absl::UnavailableError(absl::StrCat(
                          "producer \"", producer, "\" at ", target.name,
                          " does not answer: ", answer.status().ToString())),
                      "PRODUCER_UNAVAILABLE", {{"producer", producer}});
  }
  // It is part of every key: no plan can be made without, and a job would fail
  // when the producer takes it.
  if (answer->identity().version().empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "producer \"", producer, "\" at ", target.name,
        " does not say which version it has: identity.version is empty in its "
        "answer to Describe"));
  }
  absl::StatusOr<OutputSchemas> schemas =
      CompileOutputSchemas(producer, *answer);
  MutexLock lock(target.mu);
  if (!schemas.ok() && schemas.status() != target.schemas.status()) {
    LogWarning("a producer declares what cannot be checked",
               {{"target", target.name}, {"error", schemas.status()}});
  }
  target.schemas = std::move(schemas);
  target.description = *answer;
  target.description_expires = DeadlineAfter(clock_, options_.describe_ttl);
  return answer;
}

absl::StatusOr<v1::DescribeResponse> RemoteProducerCaller::DescribeTarget(
    absl::string_view producer, Target& target) {
  if (auto described = Described(target)) return *std::move(described);
  v1::DescribeRequest request;
  request.set_producer(std::string(producer));
  return TakeDescription(
      producer, target,
      CallUnary(*target.stub, &v1::ProducerService::Stub::Describe, request,
                options_.describe_timeout));
}

std::vector<absl::StatusOr<v1::DescribeResponse>>
RemoteProducerCaller::DescribeSideBySide(
    const std::vector<std::string>& producers, const std::string& version) {
  std::vector<Answer> known(producers.size(), absl::UnavailableError(""));
  std::vector<Answers> answers(producers.size());
  std::vector<bool> is_known(producers.size());
  Mutex mu;  // of `answers`
  CondVar answered;
  {
    // What nobody waits for any more ends with it.
    UnaryCalls calls;
    for (size_t p = 0; p < producers.size(); ++p) {
      const auto found = producers_.find(producers[p]);
      if (found == producers_.end()) {
        known[p] = UnknownProducer(producers[p]);
        is_known[p] = true;
        continue;
      }
      // One that was asked a moment ago spares the wait for one that is silent.
      for (const std::unique_ptr<Target>& target : found->second) {
        Answer described = Described(*target).value_or(v1::DescribeResponse());
        if (is_known[p] || !Fits(described, version)) continue;
        known[p] = std::move(described);
        is_known[p] = true;
      }
      if (is_known[p]) continue;
      {
        MutexLock lock(mu);
        answers[p].resize(found->second.size());
      }
      v1::DescribeRequest request;
      request.set_producer(producers[p]);
      for (size_t t = 0; t < found->second.size(); ++t) {
        v1::ProducerService::Stub& stub = *found->second[t]->stub;
        calls.Start<v1::DescribeResponse>(
            request, options_.describe_timeout,
            [&stub](auto... call) {
              stub.async()->Describe(std::move(call)...);
            },
            [&, p, t](Answer answer) {
              MutexLock lock(mu);
              answers[p][t] = std::move(answer);
              answered.SignalAll();
            });
      }
    }
    MutexLock lock(mu);
    for (size_t p = 0; p < producers.size(); ++p) {
      while (!IsDecided(answers[p], version)) answered.Wait(mu);
    }
  }
  for (size_t p = 0; p < producers.size(); ++p) {
    if (is_known[p]) continue;
    const std::vector<std::unique_ptr<Target>>& targets =
        producers_.at(producers[p]);
    for (size_t t = 0; t < targets.size(); ++t) {
      // Those behind the one that speaks for the producer may be cut short.
      const bool speaks =
          answers[p][t].has_value() && Fits(*answers[p][t], version);
      Answer taken =
          TakeDescription(producers[p], *targets[t], *std::move(answers[p][t]));
      if (speaks || t == 0 || (taken.ok() && !known[p].ok())) {
        known[p] = std::move(taken);
      }
      if (speaks) break;
    }
  }
  return known;
}

absl::StatusOr<v1::DescribeResponse> RemoteProducerCaller::Describe(
    absl::string_view producer, const std::string& version) {
  return DescribeSideBySide({std::string(producer)}, version).front();
}

std::vector<absl::StatusOr<v1::DescribeResponse>>
RemoteProducerCaller::DescribeAll(const std::vector<std::string>& producers) {
  return DescribeSideBySide(producers, "");
}

}  // namespace kinora
