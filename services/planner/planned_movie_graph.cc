// The part of PlannedMovie that brings graphs into memory and out again.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/content.h"
#include "common/element_id.h"
#include "common/status.h"
#include "services/planner/plan/manifest_scanner.h"
#include "services/planner/planned_movie.h"

namespace kinora {
namespace {

constexpr size_t kMaxDigestsPerCall = 10'000;

// Equal for equal shapes of one blueprint.
std::string HashOfShape(const GraphShape& shape) {
  std::string text;
  for (const DimensionExtent& extent : shape.extents) {
    absl::StrAppend(&text, extent.is_ragged ? "ragged " : "uniform ",
                    extent.size, " ", absl::StrJoin(extent.sizes, ","), ";");
  }
  for (const auto* flags : {&shape.inactive, &shape.undecided}) {
    for (const std::vector<bool>& node : *flags) {
      for (bool flag : node) text.push_back(flag ? '1' : '0');
      text.push_back(';');
    }
  }
  // What is unknown tells which sizes are.
  for (const std::string& id : shape.unknown) absl::StrAppend(&text, id, ";");
  return Sha256Of(text).Hex();
}

}  // namespace

absl::StatusOr<PlannedMovie::Hydrated> PlannedMovie::Hydrate(
    const v1::ManifestPointer& current, const MovieInputs& inputs,
    std::shared_ptr<const Blueprint> blueprint, GraphShape shape) {
  Hydrated hydrated;
  hydrated.shape = shape;
  KINORA_ASSIGN_OR_RETURN(Graph graph,
                          Graph::Expand(*blueprint, std::move(shape)));
  HydratedBase base;
  std::optional<SavedGraph> saved;
  hydrated.shape_hash = HashOfShape(hydrated.shape);
  if (!current.revision().empty() && files_ != nullptr) {
    saved = files_->Load(
        {current.hash(), ContentHash(inputs.blueprint), hydrated.shape_hash},
        graph);
  }
  if (metrics_ != nullptr) {
    (saved.has_value() ? metrics_->graphs_from_file : metrics_->graphs_built)
        .Add();
  }
  if (saved.has_value()) {
    base = std::move(saved->base);
  } else if (!current.revision().empty()) {
    v1::GetManifestRequest get;
    get.set_movie_id(movie_id_);
    get.set_revision(current.revision());
    KINORA_ASSIGN_OR_RETURN(base, ReadBase(get, graph));
  }
  if (base.exists() && !ContentHash(base.blueprint()).empty()) {
    absl::StatusOr<std::shared_ptr<const Blueprint>> before =
        reader_.PinnedBlueprint(movie_id_, base.blueprint());
    // Only needed for its defaults; what it cannot tell, the plan assumes.
    if (before.ok()) hydrated.base_blueprint = *std::move(before);
  }
  hydrated.graph = std::make_unique<HydratedGraph>(
      ContentHash(inputs.blueprint), std::move(graph), current.hash(),
      std::move(base), hydrated.base_blueprint.get());
  hydrated.blueprint = std::move(blueprint);
  for (const auto& [id, content] : inputs.values) {
    KINORA_RETURN_IF_ERROR(SetInput(id, content, hydrated.graph.get()));
  }
  if (saved.has_value()) {
    hydrated.graph->Restore(saved->verified);
    hydrated.saved_verified = saved->verified.jobs.Count();
  }
  return hydrated;
}

absl::Status PlannedMovie::SetInput(const std::string& id,
                                    const v1::Content& content,
                                    HydratedGraph* graph) {
  KINORA_RETURN_IF_ERROR(graph->SetInput(id, content));
  if (!content.has_blob()) return absl::OkStatus();
  const absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
  if (!parsed.ok() || parsed->kind != ElementId::Kind::kInput) {
    return absl::OkStatus();
  }
  const std::optional<Graph::Element> element = graph->graph().Find(*parsed);
  if (!element.has_value()) return absl::OkStatus();  // nobody reads it
  const InputDeclaration& input =
      graph->blueprint().inputs[graph->graph().InputOf(*element)];
  const absl::Status bytes =
      reader_.CheckBytes(movie_id_, input.rule.type, content);
  if (!absl::IsInvalidArgument(bytes)) return bytes;
  return InputMissing(
      input, id,
      absl::StrCat("has a value that does not fit: it ", bytes.message()));
}

absl::StatusOr<HydratedBase> PlannedMovie::ReadBase(
    const v1::GetManifestRequest& request, const Graph& graph) {
  HydratedBaseBuilder builder(graph);
  ManifestScanner scanner(&builder);
  KINORA_RETURN_IF_ERROR(store_.manifests
                             .Read(request,
                                   [&scanner](absl::string_view piece) {
                                     scanner.Add(piece);
                                     return absl::OkStatus();
                                   })
                             .status());
  if (scanner.Finish()) return builder.Finish();
  // Not in the form that we write.
  KINORA_ASSIGN_OR_RETURN(const StoredManifest stored,
                          store_.manifests.Get(request));
  absl::StatusOr<HydratedBase> read = HydrateManifest(stored.json, graph);
  KINORA_RETURN_IF_ERROR(Annotate(
      read.status(),
      absl::StrCat("manifest ", request.revision(), " of movie ", movie_id_)));
  return read;
}

void PlannedMovie::SaveIfDue() {
  constexpr size_t kWorth = 8;  // an eighth of the jobs
  if (files_ == nullptr || !kept_.graph->base().exists()) return;
  const size_t verified = kept_.graph->verified().Count();
  const size_t jobs = kept_.graph->graph().num_jobs();
  if (kept_.saved_verified.has_value() &&
      verified < *kept_.saved_verified + jobs / kWorth + 1) {
    return;
  }
  files_->Save({kept_.graph->base_hash(), kept_.graph->blueprint_hash(),
                kept_.shape_hash},
               *kept_.graph);
  kept_.saved_verified = verified;
}

bool PlannedMovie::KnowsBaseBlobs(const Hydrated& hydrated) const {
  constexpr uint32_t kAskedEachTime = 1000;
  constexpr int64_t kNanosForEach = 1'000'000;
  const uint32_t artefacts = hydrated.graph->graph().num_artefacts();
  return hydrated.blobs_asked_nanos.has_value() && artefacts > kAskedEachTime &&
         clock_.MonotonicNanos() - *hydrated.blobs_asked_nanos <
             artefacts * kNanosForEach;
}

absl::StatusOr<MadePlan> PlannedMovie::MakeSoundPlan(PlanOptions* options,
                                                     Hydrated* hydrated) {
  HydratedGraph& graph = *hydrated->graph;
  if (!graph.lost_blobs().empty()) {
    // They may be back.
    std::vector<BlobName> before;
    for (const Digest& hash : graph.lost_blobs()) before.push_back({hash, 0});
    absl::flat_hash_set<Digest> lost;
    KINORA_RETURN_IF_ERROR(FindLost(before, &lost));
    graph.SetLostBlobs(std::move(lost));
  }
  options->base_blobs_known = KnowsBaseBlobs(*hydrated);
  while (true) {
    KINORA_ASSIGN_OR_RETURN(MadePlan made, MakePlanOn(*options, &graph));
    absl::flat_hash_set<Digest> lost = graph.lost_blobs();
    KINORA_RETURN_IF_ERROR(FindLost(made.relied_on, &lost));
    if (!std::exchange(options->base_blobs_known, true)) {
      hydrated->blobs_asked_nanos = clock_.MonotonicNanos();
    }
    // A plan does not rely on what it knows to be lost, so this ends.
    if (lost.size() == graph.lost_blobs().size()) return made;
    graph.SetLostBlobs(std::move(lost));
  }
}

absl::Status PlannedMovie::FindLost(const std::vector<BlobName>& blobs,
                                    absl::flat_hash_set<Digest>* lost) {
  for (size_t from = 0; from < blobs.size(); from += kMaxDigestsPerCall) {
    v1::FindMissingBlobsRequest request;
    request.set_movie_id(movie_id_);
    const size_t to = std::min(blobs.size(), from + kMaxDigestsPerCall);
    for (size_t i = from; i < to; ++i) {
      v1::Digest& digest = *request.add_digests();
      digest.set_hash(blobs[i].hash.Hex());
      digest.set_size_bytes(blobs[i].size_bytes);
    }
    KINORA_ASSIGN_OR_RETURN(const v1::FindMissingBlobsResponse response,
                            store_.blobs.FindMissing(request));
    for (const v1::Digest& missing : response.missing()) {
      KINORA_ASSIGN_OR_RETURN(Digest digest, Digest::ParseHex(missing.hash()));
      lost->insert(digest);
    }
  }
  return absl::OkStatus();
}

}  // namespace kinora
