// The part of DryRuns that carries a recorded run out once more. The copy of
// the movie ends where the run began; in it the run is open under its own id,
// with what the checkpoint says is done, and a Runner adopts it as after a
// crash. So nothing is told apart from a real run but who answers for the
// producers.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/planner/movie_reader.h"
#include "services/planner/store_planner.h"
#include "services/runner/marked_thread_pool.h"
#include "services/runner/past/ledger_fold.h"
#include "services/runner/replay/dry_run_watch.h"
#include "services/runner/replay/dry_runs.h"
#include "services/runner/replay/recorded_producers.h"
#include "services/runner/replay/recorded_run.h"
#include "services/runner/replay/replay_differences.h"
#include "services/runner/replay/replay_seed.h"
#include "services/runner/replay/simulated_producers.h"
#include "services/store/scratch/scratch_movie.h"

namespace kinora {
namespace {

constexpr size_t kMaxDifferences = 100;
constexpr size_t kMaxCalls = 1'000;

// What there was before the run: the manifest that it built on, if any.
absl::StatusOr<v1::Manifest> ManifestOf(const Store& store,
                                        const std::string& movie_id,
                                        const std::string& revision,
                                        const std::string& hash) {
  v1::GetManifestRequest get;
  get.set_movie_id(movie_id);
  get.set_revision(revision);
  KINORA_ASSIGN_OR_RETURN(const StoredManifest stored,
                          store.manifests.Get(get));
  if (stored.pointer.hash() != hash) {
    return WithReason(absl::NotFoundError(
                          absl::StrCat("revision ", revision, " has hash ",
                                       stored.pointer.hash(), ", not ", hash)),
                      "REVISION_NOT_FOUND",
                      {{"movie", movie_id}, {"revision", revision}});
  }
  v1::Manifest manifest;
  KINORA_RETURN_IF_ERROR(
      Annotate(ParseDocument(stored.json, &manifest), revision));
  return manifest;
}

// Versions that are known of producers, by name.
std::map<std::string, std::string> VersionsOf(
    const RecordedRun& run, const std::optional<v1::Manifest>& base) {
  std::map<std::string, std::string> versions;
  if (base.has_value()) {
    for (const auto& node : base->nodes()) {
      const v1::ProducerIdentity& producer = node.second.producer();
      versions[producer.name()] = producer.version();
    }
  }
  for (const v1::PlannedNode& node : run.plan.nodes()) {
    versions[node.producer().name()] = node.producer().version();
  }
  return versions;
}

// All that are configured or known, each as one that is always there.
ProducerConfigs ReplayConfigs(
    const ProducerConfigs& configured,
    const std::map<std::string, std::string>& versions) {
  ProducerConfigs configs;
  const auto add = [&configs](const std::string& name) {
    ProducerConfig& config = configs[name];
    config.targets = {"record"};
    config.max_attempts = 1;
  };
  for (const auto& config : configured) add(config.first);
  for (const auto& version : versions) add(version.first);
  return configs;
}

// What the replay came to, but for what differs and what would be called.
v1::ReplayRunResponse OutcomeOf(const RecordedRun& run,
                                const std::map<std::string, JobEnd>& done,
                                const v1::RunRecord& replay,
                                const RecordedProducers& producers,
                                bool forks) {
  v1::ReplayRunResponse response;
  response.set_run_id(run.record.run_id());
  response.set_recorded_status(run.record.status());
  response.set_recorded_revision(run.revision);
  response.set_recorded_manifest_hash(run.manifest_hash);
  response.set_status(replay.status());
  response.set_error(replay.error());
  response.set_manifest_hash(replay.manifest_hash());
  response.set_answered_jobs(static_cast<int64_t>(producers.answered().size()));
  response.set_unrecorded_jobs(
      static_cast<int64_t>(producers.unrecorded().size()));
  response.set_checkpoint_jobs(static_cast<int64_t>(done.size()));
  int64_t reused = replay.jobs().reused();
  for (const auto& job : done) {
    // A fork reuses whatever the checkpoint says is there.
    if (job.second == JobEnd::kReused ||
        (forks && job.second == JobEnd::kSucceeded)) {
      --reused;
    }
  }
  response.set_reused_jobs(std::max<int64_t>(reused, 0));
  return response;
}

// What the calls of a fork cost, as its ledger says.
absl::Status TellCalls(const Store& copy, const v1::RunRecord& fork,
                       const std::map<std::string, std::string>& unrecorded,
                       v1::ReplayRunResponse* response) {
  std::map<std::string, v1::Cost> costs;
  int64_t through = 0;
  KINORA_RETURN_IF_ERROR(FoldLedger(copy.events, fork.movie_id(), fork.run_id(),
                                    &through, [&costs](const v1::Event& event) {
                                      const v1::StepCompletedEvent& step =
                                          event.ledger().step_completed();
                                      if (step.has_cost())
                                        costs[step.step().step_id()] =
                                            step.cost();
                                    }));
  std::map<std::string, int64_t> totals;
  for (const auto& call : unrecorded) {
    const auto cost = costs.find(call.first);
    if (cost != costs.end()) {
      totals[cost->second.currency_code()] += cost->second.micros();
    }
    if (static_cast<size_t>(response->calls_size()) == kMaxCalls) {
      response->set_calls_truncated(true);
      continue;
    }
    v1::ReplayCall* told = response->add_calls();
    told->set_job_id(call.first);
    if (cost != costs.end()) *told->mutable_cost() = cost->second;
  }
  for (const auto& total : totals) {
    v1::Cost* cost = response->add_calls_cost();
    cost->set_currency_code(total.first);
    cost->set_micros(total.second);
  }
  return absl::OkStatus();
}

absl::Status TellDifferences(const Store& original, const Store& copy,
                             const RecordedRun& run,
                             const std::map<std::string, std::string>& missing,
                             v1::ReplayRunResponse* response) {
  std::optional<v1::Manifest> manifest;
  if (!run.manifest_hash.empty()) {
    absl::StatusOr<v1::Manifest> found = ManifestOf(
        original, run.record.movie_id(),
        run.revision.empty() ? run.plan.base_revision() : run.revision,
        run.manifest_hash);
    // One that was pruned has its hash still.
    if (found.ok()) {
      manifest = *std::move(found);
    } else if (!absl::IsNotFound(found.status())) {
      return found.status();
    }
  }
  KINORA_ASSIGN_OR_RETURN(const RecordedRun again,
                          ReadRecordedRun(copy, run.record.run_id()));
  for (v1::ReplayDifference& difference :
       DifferencesOf(run, again, manifest, missing)) {
    if (static_cast<size_t>(response->differences_size()) == kMaxDifferences) {
      response->set_differences_truncated(true);
      break;
    }
    *response->add_differences() = std::move(difference);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::ReplayRunResponse> DryRuns::Replay(
    const v1::ReplayRunRequest& request) {
  if (request.from_sequence() < 0) {
    return InvalidField("from_sequence", absl::StrCat(request.from_sequence()),
                        "must not be negative");
  }
  if (Find(request.run_id()) != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("run ", request.run_id(),
                     " is a dry run, which leaves no record to replay"));
  }
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<Seat> seat, Seat::Take(*this));
  return ReplayOnCopy(request);
}

absl::StatusOr<v1::ReplayRunResponse> DryRuns::ReplayOnCopy(
    const v1::ReplayRunRequest& request) {
  KINORA_ASSIGN_OR_RETURN(const RecordedRun run,
                          ReadRecordedRun(deps_.store, request.run_id()));
  if (request.from_sequence() > run.last_sequence) {
    return WithReason(
        absl::OutOfRangeError(absl::StrCat(
            "from_sequence: the last event of run ", request.run_id(), " is ",
            run.last_sequence, ", got ", request.from_sequence())),
        "SEQUENCE_MISMATCH", {{"current", absl::StrCat(run.last_sequence)}});
  }
  const std::string& movie_id = run.record.movie_id();
  std::optional<v1::Manifest> base;
  if (!run.plan.manifest_base_hash().empty()) {
    KINORA_ASSIGN_OR_RETURN(
        base, ManifestOf(deps_.store, movie_id, run.plan.base_revision(),
                         run.plan.manifest_base_hash()));
  }
  const bool forks = !request.edits().empty();
  std::map<std::string, JobEnd> done;
  // The layers that a scope counts are those of a plan in which nothing is
  // done; the record answers for what was.
  if (!forks || run.plan.scope().up_to_layer() == 0) {
    done = EndsOf(run, request.from_sequence());
  }

  // It has the id of the recorded run, and its lines tell of another.
  static constexpr absl::string_view kMark = "replay";
  const LogMark mark(kMark);
  // In the order in which they need each other.
  MarkedThreadPool executor("replay", kDryRunThreads, kMark);
  KINORA_ASSIGN_OR_RETURN(
      const std::unique_ptr<ScratchMovie> scratch,
      ScratchMovie::CopyAt(deps_.store, movie_id, run.beginning, deps_.clock,
                           executor));
  const Store copy = scratch->store();
  KINORA_RETURN_IF_ERROR(CheckRecordedBlobs(run, copy));
  for (const v1::PendingEdit& edit : request.edits()) {
    if (edit.content().has_blob()) {
      scratch->Expect(edit.content().blob().digest());
    }
  }
  KINORA_RETURN_IF_ERROR(
      Annotate(SeedReplay(run, done, request.from_sequence(), forks, copy),
               "prepare the copy of the movie"));
  MovieReader reader(copy);
  KINORA_ASSIGN_OR_RETURN(const MovieSnapshot movie, reader.Read(movie_id));
  StorePlanner planner(copy);
  SimulatedProducers simulated(deps_.producers, *movie.blueprint, executor);
  const std::map<std::string, std::string> versions = VersionsOf(run, base);
  RecordedProducers producers(run, versions, executor,
                              forks ? &simulated : nullptr);
  Watch watch(*this);
  Runner runner({copy, planner, producers, executor, deps_.clock, deps_.random,
                 /*metrics=*/nullptr, &watch},
                ReplayConfigs(configs_, versions), options_);

  v1::RunRecord replay = run.record;
  if (forks) {
    v1::StartRunRequest start;
    start.set_movie_id(movie_id);
    *start.mutable_edits() = request.edits();
    if (run.plan.has_scope()) *start.mutable_scope() = run.plan.scope();
    start.set_dispatch(run.record.dispatch());
    start.set_max_concurrency(run.record.max_concurrency());
    KINORA_ASSIGN_OR_RETURN(v1::StartRunResponse started, runner.Start(start));
    replay = std::move(*started.mutable_run());
  } else {
    KINORA_RETURN_IF_ERROR(runner.AdoptOpenRun(request.run_id()));
  }
  KINORA_RETURN_IF_ERROR(watch.AwaitEnd(runner, copy.leases, replay));
  // Its record comes after its ledger.
  runner.Drain(absl::InfiniteDuration());
  v1::GetRunRequest get;
  get.set_run_id(replay.run_id());
  KINORA_ASSIGN_OR_RETURN(const v1::GetRunResponse ended, runner.Get(get));
  replay = ended.run().record();

  v1::ReplayRunResponse response =
      OutcomeOf(run, done, replay, producers, forks);
  const std::map<std::string, std::string> unrecorded = producers.unrecorded();
  if (forks) {
    KINORA_RETURN_IF_ERROR(TellCalls(copy, replay, unrecorded, &response));
  } else {
    KINORA_RETURN_IF_ERROR(
        TellDifferences(deps_.store, copy, run, unrecorded, &response));
  }
  response.set_identical(run.manifest_hash.empty() && !forks
                             ? response.differences().empty()
                             : !run.manifest_hash.empty() &&
                                   response.manifest_hash() ==
                                       run.manifest_hash);
  return response;
}

}  // namespace kinora
