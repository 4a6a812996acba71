#include "clients/cpp/import/kept_results.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

#include "clients/cpp/import/carried_edits.h"
#include "clients/cpp/import/import_run.h"
#include "clients/cpp/import/imported_values.h"
#include "common/content.h"
#include "common/digest.h"
#include "common/files/readable_path.h"
#include "common/ids.h"
#include "common/inputs_hash.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/store/lease/movie_lease.h"
#include "services/store/manifest/manifest_document.h"

namespace kinora {
namespace {

constexpr int kEventsPerAppend = 500;
constexpr absl::Duration kLeaseTime = absl::Minutes(10);

const v1::PlannedNode* FindNode(const v1::Plan& plan, const std::string& name) {
  for (const v1::PlannedNode& node : plan.nodes()) {
    if (node.node() == name) return &node;
  }
  return nullptr;
}

// The hashes of what jobs read, by id.
std::map<std::string, std::string> HashesIn(const v1::Plan& plan) {
  std::map<std::string, std::string> hashes;
  for (const v1::PlannedInput& input : plan.inputs()) {
    hashes[input.input_id()] = ContentHash(input.content());
  }
  for (const v1::PlannedSource& source : plan.sources()) {
    hashes[source.artefact_id()] = ContentHash(source.content());
  }
  for (const v1::ReusedJob& job : plan.reused()) {
    for (const v1::ReusedArtefact& artefact : job.artefacts()) {
      hashes[artefact.artefact_id()] = ContentHash(artefact.content());
    }
  }
  return hashes;
}

void AddDependencies(const v1::PlannedJob& job,
                     const std::map<std::string, std::string>& hashes,
                     v1::ArtefactEvent* event) {
  const auto add = [&](const std::string& slot, const std::string& id) {
    v1::Dependency& dependency = *event->add_dependencies();
    dependency.set_slot(slot);
    dependency.set_source_id(id);
    const auto hash = hashes.find(id);
    dependency.set_hash(hash == hashes.end() ? Digest().Hex() : hash->second);
  };
  for (const v1::PlannedBinding& binding : job.bindings()) {
    const int count = binding.source_ids_size();
    if (count == 0) {
      add(binding.is_list() ? EmptyFanInSlot(binding.name()) : binding.name(),
          "");
    }
    for (int i = 0; i < count; ++i) {
      add(binding.is_list() ? FanInSlot(binding.name(), static_cast<size_t>(i))
                            : binding.name(),
          binding.source_ids(i));
    }
  }
  std::sort(event->mutable_dependencies()->begin(),
            event->mutable_dependencies()->end(),
            [](const v1::Dependency& a, const v1::Dependency& b) {
              return a.slot() < b.slot();
            });
}

class Keeper {
 public:
  Keeper(const Store& store, Planner& planner, const std::string& movie_id,
         const std::vector<v1::ProducerIdentity>& producers)
      : store_(store),
        planner_(planner),
        movie_id_(movie_id),
        producers_(producers),
        values_(store.blobs, movie_id_, producers) {}

  absl::StatusOr<KeptResults> Keep() {
    KINORA_RETURN_IF_ERROR(ReadImported());
    if (values_.imported().empty()) return KeptResults();
    KINORA_ASSIGN_OR_RETURN(
        const MovieLease lease,
        MovieLease::Take(store_.leases, movie_id_, kImportHolder, run_id_,
                         kLeaseTime));
    std::optional<v1::Plan> plan;
    for (;;) {
      absl::StatusOr<v1::Plan> made = Plan();
      if (absl::IsFailedPrecondition(made.status())) {
        return NoneKept(made.status().message());
      }
      KINORA_RETURN_IF_ERROR(made.status());
      plan = *std::move(made);
      if (plan->summary().changed_inputs_size() > 0) {
        return NoneKept(absl::StrCat(
            "inputs were edited since the import: ",
            absl::StrJoin(plan->summary().changed_inputs(), ", ")));
      }
      KINORA_ASSIGN_OR_RETURN(const std::vector<v1::Event> events,
                              EventsFor(*plan));
      if (events.empty()) break;
      KINORA_RETURN_IF_ERROR(Append(events, lease.token()));
    }
    KeptResults results = Sort(*plan);
    if (!results.artefact_ids.empty()) {
      KINORA_ASSIGN_OR_RETURN(results.revision, Commit(*plan, lease.token()));
    }
    return results;
  }

 private:
  // Artefacts of the current revision that no node made.
  absl::Status ReadImported() {
    KINORA_ASSIGN_OR_RETURN(
        const ManifestDocument current,
        ReadManifest(store_.manifests, movie_id_, /*revision=*/""));
    for (const auto& entry : current.manifest.artefacts()) {
      if (entry.second.node().empty()) {
        values_.Add(entry.first, entry.second.content());
      }
    }
    base_hash_ = current.pointer.hash();
    run_id_ = ImportRunId(
        Sha256Of(absl::StrCat("kinora-import-kept-v1 ", base_hash_)));
    KINORA_ASSIGN_OR_RETURN(const Revision base,
                            Revision::Parse(current.manifest.revision()));
    revision_ = base.Next().ToString();
    return absl::OkStatus();
  }

  // Saved, as only a saved plan tells its nodes.
  absl::StatusOr<v1::Plan> Plan() {
    v1::CreatePlanRequest request;
    request.set_movie_id(movie_id_);
    request.mutable_producers()->Assign(producers_.begin(), producers_.end());
    KINORA_ASSIGN_OR_RETURN(const CreatedPlan created,
                            planner_.CreatePlan(request));
    v1::LoadPlanRequest load;
    load.set_movie_id(movie_id_);
    load.set_plan_hash(created.header.plan_hash());
    KINORA_ASSIGN_OR_RETURN(const std::string json, store_.plans.Load(load));
    v1::Plan plan;
    KINORA_RETURN_IF_ERROR(
        Annotate(ParseDocument(json, &plan),
                 absl::StrCat("plan ", created.header.plan_hash())));
    return plan;
  }

  // The results of all jobs whose key is known by now and that were not tried
  // before.
  absl::StatusOr<std::vector<v1::Event>> EventsFor(const v1::Plan& plan) {
    const std::map<std::string, std::string> hashes = HashesIn(plan);
    std::vector<v1::Event> events;
    for (const v1::PlanLayer& layer : plan.layers()) {
      for (const v1::PlannedJob& job : layer.jobs()) {
        if (job.inputs_hash().empty()) continue;
        if (!tried_.insert(job.job_id()).second) continue;
        const v1::PlannedNode* node = FindNode(plan, job.node());
        if (node == nullptr) {
          return absl::InternalError("a job without its node");
        }
        const absl::StatusOr<std::vector<v1::Content>> values =
            values_.Of(*node, job);
        if (absl::IsNotFound(values.status())) {  // the job is to run
          for (const v1::PlannedArtefact& artefact : job.artefacts()) {
            why_not_[artefact.artefact_id()] =
                std::string(values.status().message());
          }
          continue;
        }
        KINORA_RETURN_IF_ERROR(values.status());
        AddEvents(*node, job, *values, hashes, &events);
      }
    }
    return events;
  }

  // As a runner records an attempt.
  void AddEvents(const v1::PlannedNode& node, const v1::PlannedJob& job,
                 const std::vector<v1::Content>& values,
                 const std::map<std::string, std::string>& hashes,
                 std::vector<v1::Event>* events) const {
    for (int i = 0; i < job.artefacts_size(); ++i) {
      v1::Event& event = events->emplace_back();
      event.set_revision(revision_);
      v1::ArtefactEvent& made = *event.mutable_artefact();
      made.set_artefact_id(job.artefacts(i).artefact_id());
      made.set_inputs_hash(job.inputs_hash());
      made.set_draw(job.draw());
      made.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
      *made.mutable_output() = values[static_cast<size_t>(i)];
      if (IsReadableType(ContentMimeType(made.output()))) {
        made.set_readable_path(job.artefacts(i).readable_path());
      }
      v1::ProducedBy& by = *made.mutable_produced_by();
      by.set_run_id(run_id_);
      by.set_job_id(job.job_id());
      by.set_node(job.node());
      *by.mutable_producer() = node.producer();
      by.set_settings_hash(node.settings_hash());
      AddDependencies(job, hashes, &made);
    }
  }

  absl::Status Append(const std::vector<v1::Event>& events,
                      const v1::LeaseToken& lease) {
    v1::AppendEventsRequest request;
    request.mutable_log()->set_movie_id(movie_id_);
    request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    *request.mutable_lease() = lease;
    for (size_t i = 0; i < events.size(); ++i) {
      *request.add_events() = events[i];
      if (request.events_size() < kEventsPerAppend && i + 1 < events.size()) {
        continue;
      }
      KINORA_RETURN_IF_ERROR(store_.events.Append(request).status());
      request.clear_events();
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Commit(const v1::Plan& plan,
                                     const v1::LeaseToken& lease) {
    v1::CommitRevisionRequest commit;
    commit.set_movie_id(movie_id_);
    *commit.mutable_lease() = lease;
    v1::RevisionSource& source = *commit.mutable_source();
    source.set_target_revision(revision_);
    source.set_base_manifest_hash(base_hash_);
    source.set_run_id(run_id_);
    source.set_inputs_through_sequence(plan.inputs_through_sequence());
    KINORA_ASSIGN_OR_RETURN(const v1::CommitRevisionResponse committed,
                            store_.manifests.Commit(commit));
    return committed.current().revision();
  }

  KeptResults NoneKept(absl::string_view why) const {
    KeptResults results;
    for (const auto& entry : values_.imported()) {
      results.not_kept.push_back({entry.first, std::string(why)});
    }
    return results;
  }

  // What the last plan reuses is kept; it says of the rest why it is not.
  KeptResults Sort(const v1::Plan& plan) const {
    std::set<std::string> reused;
    for (const v1::ReusedJob& job : plan.reused()) {
      for (const v1::ReusedArtefact& artefact : job.artefacts()) {
        reused.insert(artefact.artefact_id());
      }
    }
    std::map<std::string, std::string> reasons = why_not_;
    for (const v1::PlanLayer& layer : plan.layers()) {
      for (const v1::PlannedJob& job : layer.jobs()) {
        for (const v1::PlannedArtefact& artefact : job.artefacts()) {
          reasons.emplace(artefact.artefact_id(), job.reason().text());
        }
      }
    }
    for (const std::string& id : plan.removed_artefact_ids()) {
      reasons.emplace(id, "the blueprint makes no such artefact");
    }
    KeptResults results;
    for (const auto& entry : values_.imported()) {
      if (reused.count(entry.first) > 0) {
        results.artefact_ids.push_back(entry.first);
        continue;
      }
      const auto why = reasons.find(entry.first);
      results.not_kept.push_back(
          {entry.first, why == reasons.end()
                            ? "what is made on the way decides whether it is"
                            : why->second});
    }
    return results;
  }

  const Store store_;
  Planner& planner_;
  const std::string movie_id_;
  const std::vector<v1::ProducerIdentity>& producers_;
  std::string base_hash_;
  std::string revision_;  // the one to make
  std::string run_id_;
  ImportedValues values_;
  std::set<std::string> tried_;                 // jobs
  std::map<std::string, std::string> why_not_;  // by artefact
};

}  // namespace

absl::StatusOr<KeptResults> KeepResults(
    const Store& store, Planner& planner, const std::string& movie_id,
    const std::vector<v1::ProducerIdentity>& producers) {
  KINORA_ASSIGN_OR_RETURN(KeptResults results,
                          Keeper(store, planner, movie_id, producers).Keep());
  // After the commit, so that they are edits of what it holds.
  KINORA_ASSIGN_OR_RETURN(CarriedEdits carried,
                          CarryEdits(store, planner, movie_id));
  results.edited_ids = std::move(carried.artefact_ids);
  for (const auto& [id, why] : carried.refused) {
    results.edits_not_kept.push_back({id, std::string(why.message())});
  }
  return results;
}

}  // namespace kinora
