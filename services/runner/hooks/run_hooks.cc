#include "services/runner/hooks/run_hooks.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/ledger_json.h"
#include "common/run_end.h"
#include "common/telemetry/log.h"
#include "common/telemetry/trace_context.h"

namespace kinora {
namespace {

// What an event of the ledger is for hooks, the most telling first.
std::vector<HookEvent> EventsOf(const v1::LedgerEvent& event) {
  if (event.has_run_failed()) {
    return {HookEvent::kFailure, HookEvent::kCompletion};
  }
  if (IsTerminal(event)) return {HookEvent::kCompletion};
  if (event.has_step_failed()) return {HookEvent::kFailure};
  // Also when it comes to others.
  if (event.has_job() &&
      (event.job().type() == "question" || event.job().type() == "escalated")) {
    return {HookEvent::kQuestion};
  }
  // Not run.waiting: whoever adopts the run says that it waits once more.
  if (event.has_job() && event.job().type() == "over_budget") {
    return {HookEvent::kBudget, HookEvent::kQuestion};
  }
  return {};
}

std::optional<HookEvent> FirstOf(const std::vector<HookEvent>& events,
                                 const std::set<HookEvent>& on) {
  for (const HookEvent event : events) {
    if (on.count(event) > 0) return event;
  }
  return std::nullopt;
}

// A call, but for its document.
HookCall CallOf(HookEvent event, absl::string_view movie_id,
                absl::string_view run_id, std::string key) {
  HookCall call;
  call.event = event;
  call.movie_id = std::string(movie_id);
  call.run_id = std::string(run_id);
  call.key = std::move(key);
  if (!CurrentTrace().empty()) {
    call.traceparent = CurrentTrace().Child().ToString();
  }
  return call;
}

// `what` has happened, which is the member `name`.
std::string DocumentOf(const HookCall& call, absl::string_view name,
                       JsonObject what) {
  JsonObject document;
  document.Add("event", JsonValue(std::string(WordOf(call.event))));
  document.Add("key", JsonValue(call.key));
  document.Add(name, JsonValue(std::move(what)));
  document.Add("movieId", JsonValue(call.movie_id));
  document.Add("runId", JsonValue(call.run_id));
  return CanonicalJson(JsonValue(std::move(document)));
}

JsonObject LedgerOf(int64_t sequence, const v1::LedgerEvent& event) {
  JsonObject ledger;
  ledger.Add("seq", sequence);
  const JsonValue flat = LedgerEventToJson(event);
  for (const JsonMember& member : flat.object()) {
    ledger.Add(member.key, member.value);
  }
  return ledger;
}

JsonObject RecordOf(absl::string_view topic, const TopicRecord& event) {
  JsonObject headers;
  for (const auto& header : event.headers) {
    headers.Add(header.first, header.second);
  }
  JsonObject record;
  record.Add("topic", topic);
  record.Add("kind", event.kind);
  record.Add("headers", std::move(headers));
  record.Add("payload", event.payload);
  return record;
}

bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

struct RunHooks::Delivery {
  const Hook* hook;
  HookCall call;
  uint32_t attempts = 0;
};

RunHooks::RunHooks(std::vector<Hook> hooks, SendHook send, Executor& executor,
                   Random& random, const RunHooksOptions& options)
    : hooks_(std::move(hooks)),
      send_(std::move(send)),
      executor_(executor),
      random_(random),
      options_(options) {}

void RunHooks::OnLedger(
    absl::string_view movie_id, absl::string_view run_id,
    int64_t first_sequence,
    const google::protobuf::RepeatedPtrField<v1::Event>& events) {
  for (int i = 0; i < events.size(); ++i) {
    const std::vector<HookEvent> meant = EventsOf(events[i].ledger());
    if (meant.empty()) continue;
    const int64_t sequence = first_sequence + i;
    for (const Hook& hook : hooks_) {
      const std::optional<HookEvent> event = FirstOf(meant, hook.on);
      if (!event.has_value()) continue;
      HookCall call =
          CallOf(*event, movie_id, run_id, absl::StrCat(run_id, "/", sequence));
      call.json = DocumentOf(call, "ledgerEvent",
                             LedgerOf(sequence, events[i].ledger()));
      Enqueue(hook, std::move(call));
    }
  }
}

void RunHooks::OnRecord(absl::string_view movie_id, absl::string_view run_id,
                        absl::string_view topic, const TopicRecord& event) {
  for (const Hook& hook : hooks_) {
    if (hook.on.count(HookEvent::kRecord) == 0) continue;
    HookCall call = CallOf(HookEvent::kRecord, movie_id, run_id,
                           absl::StrCat(run_id, "/record"));
    call.json = DocumentOf(call, "record", RecordOf(topic, event));
    Enqueue(hook, std::move(call));
  }
}

void RunHooks::Enqueue(const Hook& hook, HookCall call) {
  bool is_full = false;
  {
    MutexLock lock(mu_);
    is_full = pending_ >= options_.max_pending;
    if (!is_full) ++pending_;
  }
  if (is_full) {
    LogWarning("a hook is not called: too many calls wait",
               {{"hook", hook.index},
                {"event", WordOf(call.event)},
                {"key", call.key}});
    return;
  }
  auto delivery = std::make_shared<Delivery>();
  delivery->hook = &hook;
  delivery->call = std::move(call);
  Post(std::move(delivery));
}

void RunHooks::Post(std::shared_ptr<Delivery> delivery) {
  {
    MutexLock lock(mu_);
    ++busy_;
  }
  executor_.Post([this, delivery = std::move(delivery)] { Send(delivery); });
}

void RunHooks::Send(const std::shared_ptr<Delivery>& delivery) {
  const Hook& hook = *delivery->hook;
  {
    MutexLock lock(mu_);
    if (stopped_) return;
  }
  const absl::Status status = send_(hook, delivery->call);
  ++delivery->attempts;
  bool again = !status.ok() && MayPass(status) && hook.command.empty() &&
               delivery->attempts < options_.max_attempts;
  {
    MutexLock lock(mu_);
    again = again && !draining_;
  }
  if (!status.ok()) {
    LogWarning(again ? "a hook failed and is called again" : "a hook failed",
               {{"hook", hook.index},
                {"event", WordOf(delivery->call.event)},
                {"key", delivery->call.key},
                {"attempt", static_cast<int64_t>(delivery->attempts)},
                {"error", status}});
  }
  if (again) {
    executor_.PostAfter(RetryDelay(options_.retry, delivery->attempts, random_),
                        [this, delivery] { Post(delivery); });
  }
  MutexLock lock(mu_);
  --busy_;
  if (!again) --pending_;
  if (busy_ == 0) idle_cv_.SignalAll();
}

void RunHooks::Drain(absl::Duration limit) {
  const int64_t give_up = DeadlineAfter(RealClock(), limit);
  MutexLock lock(mu_);
  draining_ = true;
  while (busy_ > 0) {
    if (!idle_cv_.WaitUntil(mu_, give_up)) break;
  }
  stopped_ = true;
  if (pending_ > 0) {
    LogWarning("hooks are not called any more",
               {{"calls", static_cast<int64_t>(pending_)}});
  }
}

}  // namespace kinora
