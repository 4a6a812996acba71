// The part of ModelRun that looks at what a run has come to.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/run_end.h"
#include "common/status.h"
#include "tests/model/model_run.h"

namespace kinora {
namespace {

// A follower that has lost its stream is back by then.
constexpr absl::Duration kTimeToCatchUp = absl::Seconds(1);

}  // namespace

absl::StatusOr<ModelRun::End> ModelRun::CheckEnd() {
  KINORA_RETURN_IF_ERROR(store_.RestartNow());
  executor_.Advance(kTimeToCatchUp);
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record, Record());
  if (record.status() != v1::RUN_STATUS_COMPLETED) {
    return NotAsItShould(absl::StrCat("the run is ",
                                      v1::RunStatus_Name(record.status()), ": ",
                                      record.error()));
  }
  KINORA_RETURN_IF_ERROR(CheckLedger(record));
  KINORA_RETURN_IF_ERROR(CheckCharges(record));
  KINORA_RETURN_IF_ERROR(CheckNothingIsLeft());
  v1::GetCurrentManifestRequest get;
  get.set_movie_id(kMovie);
  KINORA_ASSIGN_OR_RETURN(const v1::GetCurrentManifestResponse current,
                          store_.Ask([&](const Store& store) {
                            return store.manifests.GetCurrent(get);
                          }));
  if (current.current().revision() != "rev-0001" ||
      current.current().hash() != record.manifest_hash()) {
    return NotAsItShould("the record names another manifest than is current");
  }
  return End{current.current().hash(), truth_.accepted().size(), truth_.cost()};
}

// Who knows its work charges for it once. Others may have charged for what was
// lost, too.
absl::Status ModelRun::CheckCharges(const v1::RunRecord& record) {
  std::map<std::string, int64_t> accepted;
  for (const auto& job : truth_.accepted()) ++accepted[job.second];
  if (producers_.charges("paid") != accepted["paid"] ||
      producers_.charges("deaf") < accepted["deaf"]) {
    return NotAsItShould(
        absl::StrCat("charged are ", producers_.charges("paid"), " and ",
                     producers_.charges("deaf"), ", accepted ",
                     accepted["paid"], " and ", accepted["deaf"]));
  }
  const int64_t cost = kPriceMicros * (accepted["paid"] + accepted["deaf"]);
  // One that only closes a run does not know what it has cost: another has
  // committed it, or itself before it lost the store.
  const std::vector<std::string> changes = this->changes().back();
  const bool knows =
      rival_ == nullptr && store_.deaths().empty() &&
      std::find(changes.begin(), changes.end(), "commit") != changes.end();
  const int64_t recorded = record.cost().micros();
  // What a person has called again, and nobody was asked about, counts twice.
  const bool is_wrong = was_retried_ ? recorded < cost : recorded != cost;
  if (truth_.cost() != cost || (knows && is_wrong)) {
    return NotAsItShould(absl::StrCat("the record says ", recorded,
                                      " micros, the events ", truth_.cost(),
                                      ", accepted are ", cost));
  }
  return absl::OkStatus();
}

absl::Status ModelRun::CheckLedger(const v1::RunRecord& record) {
  v1::ReadEventsRequest read;
  *read.mutable_log() = LedgerOf(record);
  std::vector<std::string> events;
  int64_t sequence = 0;
  int ends = 0;
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(const v1::ReadEventsResponse page,
                            store_.Ask([&](const Store& store) {
                              return store.events.ReadPage(read);
                            }));
    if (page.events().empty()) break;
    for (const v1::Event& event : page.events()) {
      if (event.sequence() != ++sequence) {
        return NotAsItShould(absl::StrCat("the ledger goes on with ",
                                          event.sequence(), ", not with ",
                                          sequence));
      }
      if (IsTerminal(event.ledger())) ++ends;
      events.push_back(event.SerializeAsString());
    }
    read.set_after_sequence(page.bookmark().sequence());
  }
  if (ends != 1) {
    return NotAsItShould(absl::StrCat("the run has ", ends, " ends"));
  }
  if (follower_->events() != events) {
    return NotAsItShould("a follower has seen another ledger than there is");
  }
  return absl::OkStatus();
}

absl::Status ModelRun::CheckNothingIsLeft() {
  StoreCut uncut(store_, idle_.maintenance, truth_, std::nullopt);
  StorePlanner planner(uncut.store());
  v1::CreatePlanRequest create;
  create.set_movie_id(kMovie);
  for (const auto& config : ModelProducerConfigs(options_.max_attempts)) {
    v1::ProducerIdentity& identity = *create.add_producers();
    identity.set_name(config.first);
    identity.set_version("1");
  }
  KINORA_ASSIGN_OR_RETURN(const CreatedPlan plan, planner.CreatePlan(create));
  const v1::PlanSummary& summary = plan.header.summary();
  const int64_t left = summary.must_run_jobs() + summary.may_run_jobs() +
                       summary.reused_jobs() + summary.deferred_nodes();
  if (left > 0) {
    return NotAsItShould("a plan afterwards is not empty: " +
                         summary.ShortDebugString());
  }
  return absl::OkStatus();
}

std::string DifferenceOf(const ModelRun::End& undisturbed,
                         const absl::StatusOr<ModelRun::End>& killed) {
  if (!killed.ok()) return killed.status().ToString();
  if (killed->manifest_hash != undisturbed.manifest_hash) {
    return "another manifest";
  }
  if (killed->jobs != undisturbed.jobs) {
    return absl::StrCat(killed->jobs, " jobs were accepted, not ",
                        undisturbed.jobs);
  }
  if (killed->cost_micros != undisturbed.cost_micros) return "another cost";
  return "";
}

}  // namespace kinora
