#include "services/runner/record/read_run_document.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/ids.h"
#include "common/status.h"
#include "services/runner/past/ledger_fold.h"
#include "services/runner/past/run_results.h"
#include "services/runner/record/run_document_source.h"
#include "services/store/plan/saved_plan.h"

namespace kinora {
namespace {

absl::Status TakeChildren(const Store& store, const v1::RunRecord& run,
                          RunDocumentSource* source) {
  v1::ListRunRecordsRequest list;
  list.set_parent_run_id(run.run_id());
  std::vector<v1::RunRecord> children;
  do {
    KINORA_ASSIGN_OR_RETURN(v1::ListRunRecordsResponse page,
                            store.runs.List(list));
    for (v1::RunRecord& child : *page.mutable_records()) {
      children.push_back(std::move(child));
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  // The oldest first, as the jobs are.
  std::reverse(children.begin(), children.end());
  for (const v1::RunRecord& child : children) source->TakeChild(child);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<JsonValue> ReadRunDocument(const Store& store,
                                          const std::string& run_id) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(run_id));
  v1::GetRunRecordRequest get;
  get.set_run_id(run_id);
  KINORA_ASSIGN_OR_RETURN(const v1::GetRunRecordResponse found,
                          store.runs.Get(get));
  const v1::RunRecord& run = found.record();
  RunDocumentSource source(run);
  if (!run.plan_hash().empty()) {
    KINORA_ASSIGN_OR_RETURN(
        const v1::Plan plan,
        ReadSavedPlan(store.plans, run.movie_id(), run.plan_hash()));
    source.TakePlan(plan);
  }
  int64_t through = 0;
  KINORA_RETURN_IF_ERROR(FoldLedger(store.events, run.movie_id(), run_id,
                                    &through,
                                    [&source](const v1::Event& event) {
                                      source.TakeLedger(event.ledger());
                                    }));
  KINORA_RETURN_IF_ERROR(
      FoldResultsAbout(store.events, run, [&source](const v1::Event& event) {
        source.TakeArtefact(event);
      }).status());
  KINORA_RETURN_IF_ERROR(TakeChildren(store, run, &source));
  return source.Document();
}

}  // namespace kinora
