#include "services/runner/run_ledgers.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kMaxKnown = 10'000;
constexpr int64_t kMaxPageEvents = 1'000;

// As the store has it of a ledger that it keeps. REQUIRES: the ledger is not
// empty, and numbered from 1 without gaps.
absl::StatusOr<v1::ReadEventsResponse> PageOf(
    const std::string& run_id, const std::vector<v1::Event>& ledger,
    int64_t after) {
  const auto size = static_cast<int64_t>(ledger.size());
  if (after > size) {
    return WithReason(absl::OutOfRangeError(absl::StrCat(
                          "after_sequence: ", after, " is past the end, ", size,
                          ", of the ledger of dry run ", run_id)),
                      "SEQUENCE_MISMATCH", {{"current", absl::StrCat(size)}});
  }
  const int64_t begin = std::max<int64_t>(0, after);
  const int64_t end = std::min(size, begin + kMaxPageEvents);
  v1::ReadEventsResponse page;
  for (int64_t i = begin; i < end; ++i) *page.add_events() = ledger[i];
  page.mutable_bookmark()->set_sequence(ledger[end - 1].sequence());
  *page.mutable_bookmark()->mutable_time() = ledger[end - 1].time();
  return page;
}

absl::Status OnlyTails() {
  return absl::UnimplementedError("run ledgers: can only be read");
}

}  // namespace

std::optional<v1::LogName> RunLedgers::Known(const std::string& run_id) {
  MutexLock lock(mu_);
  const auto found = known_.find(run_id);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<v1::LogName> RunLedgers::LookUp(const std::string& run_id) {
  KINORA_ASSIGN_OR_RETURN(v1::LogName log, runner_.LedgerOf(run_id));
  MutexLock lock(mu_);
  if (known_.size() >= kMaxKnown) known_.clear();
  known_[run_id] = log;
  return log;
}

template <typename Page>
absl::StatusOr<Page> RunLedgers::Read(const v1::ReadEventsRequest& request,
                                      ReadLog<Page> read) {
  const std::string& run_id = request.log().run_id();
  v1::ReadEventsRequest there = request;
  if (const auto known = Known(run_id); known.has_value()) {
    *there.mutable_log() = *known;
    absl::StatusOr<Page> page = (events_.*read)(there);
    if (!absl::IsNotFound(page.status())) return page;
  }
  KINORA_ASSIGN_OR_RETURN(*there.mutable_log(), LookUp(run_id));
  return (events_.*read)(there);
}

absl::StatusOr<v1::ReadEventsResponse> RunLedgers::ReadPage(
    const v1::ReadEventsRequest& request) {
  const std::shared_ptr<const EndedDryRun> dry_run =
      dry_runs_ == nullptr ? nullptr : dry_runs_->Find(request.log().run_id());
  if (dry_run != nullptr) {
    return PageOf(request.log().run_id(), dry_run->ledger,
                  request.after_sequence());
  }
  return Read<v1::ReadEventsResponse>(request, &EventStore::ReadPage);
}

absl::StatusOr<EventPagePtr> RunLedgers::ReadShared(
    const v1::ReadEventsRequest& request) {
  if (dry_runs_ != nullptr &&
      dry_runs_->Find(request.log().run_id()) != nullptr) {
    return EventStore::ReadShared(request);
  }
  return Read<EventPagePtr>(request, &EventStore::ReadShared);
}

EventStore::WaiterId RunLedgers::NotifyAfter(
    const v1::LogName& log, int64_t after,
    absl::AnyInvocable<void()> callback) {
  return events_.NotifyAfter(Known(log.run_id()).value_or(log), after,
                             std::move(callback));
}

absl::StatusOr<v1::AppendEventsResponse> RunLedgers::Append(
    const v1::AppendEventsRequest&) {
  return OnlyTails();
}

absl::StatusOr<v1::ResolveArtefactsResponse> RunLedgers::ResolveArtefacts(
    const v1::ResolveArtefactsRequest&) {
  return OnlyTails();
}

absl::StatusOr<v1::ListInputsResponse> RunLedgers::ListInputs(
    const v1::ListInputsRequest&) {
  return OnlyTails();
}

absl::StatusOr<v1::GetLogStatusResponse> RunLedgers::GetLogStatus(
    const v1::GetLogStatusRequest&) {
  return OnlyTails();
}

}  // namespace kinora
