// Ledgers to which workers report.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_REPORTED_RUN_FIXTURE_H_
#define KINORA_SERVICES_RUNNER_LEDGER_REPORTED_RUN_FIXTURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/json/json.h"
#include "common/json/ledger_json.h"
#include "common/testing/status_matchers.h"
#include "services/runner/ledger/reported_run.h"

namespace kinora {

class ReportedRunFixture : public ::testing::Test {
 protected:
  using Events = std::vector<v1::LedgerEvent>;

  static constexpr int64_t kNow = 50;

  static v1::LedgerEvent FromJson(const std::string& json) {
    const auto event = LedgerEventFromJson(*ParseJson(json));
    EXPECT_OK(event);
    return event.value_or(v1::LedgerEvent());
  }

  // `members` are those of the event beside its run.
  static v1::LedgerEvent Event(const std::string& members) {
    return FromJson(absl::StrCat(R"({"runId":"r",)", members, "}"));
  }

  static v1::IngestLedgerEventsRequest Request(const Events& events) {
    v1::IngestLedgerEventsRequest request;
    request.set_run_id("r");
    for (const v1::LedgerEvent& event : events) *request.add_events() = event;
    return request;
  }

  static v1::IngestLedgerEventsRequest Patch(const std::string& json) {
    v1::IngestLedgerEventsRequest request;
    request.set_run_id("r");
    request.set_status_patch_json(json);
    return request;
  }

  // A ledger, and a process that reads it. An event goes through the JSON that
  // the ledger's file has.
  class Ledger {
   public:
    explicit Ledger(bool is_callers) : is_callers_(is_callers) { Restart(); }

    absl::StatusOr<Events> Offer(const v1::IngestLedgerEventsRequest& request) {
      return run_->Take(request, kNow);
    }
    Events Report(const v1::IngestLedgerEventsRequest& request) {
      const absl::StatusOr<Events> taken = Offer(request);
      EXPECT_OK(taken);
      if (!taken.ok()) return {};
      for (const v1::LedgerEvent& event : *taken) Append(event);
      return *taken;
    }
    void Append(const v1::LedgerEvent& event) {
      const auto read = LedgerEventFromJson(LedgerEventToJson(event));
      ASSERT_OK(read);
      events_.push_back(*read);
      run_->Recall(*read);
    }
    // Another process takes the ledger over.
    void Restart() {
      run_.emplace("r", "film", is_callers_);
      for (const v1::LedgerEvent& event : events_) run_->Recall(event);
    }
    const Events& events() const { return events_; }

   private:
    const bool is_callers_;
    Events events_;
    std::optional<ReportedRun> run_;
  };

  Ledger runners_{/*is_callers=*/false};
  Ledger callers_{/*is_callers=*/true};
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_REPORTED_RUN_FIXTURE_H_
