#include "tests/bench/cpp/plan_movie.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/digest.h"
#include "common/inputs_hash.h"
#include "services/planner/blueprint/blueprint.h"
#include "services/planner/graph/graph.h"
#include "services/planner/plan/graph_shape.h"
#include "services/planner/plan/hydrated_graph.h"
#include "services/planner/plan/input_values.h"
#include "tests/bench/cpp/bench.h"

namespace kinora {
namespace {

constexpr char kRun[] = "run-01ARZ3NDEKTSV4RRFFQ69G5FAV";
constexpr char kRevision[] = "rev-0001";
constexpr char kStory[] = "Call me Ishmael.";
constexpr int kEventsPerAppend = 5000;

std::string Blueprint3(const std::vector<uint32_t>& sizes, bool tree) {
  const std::string stages = R"(
  Script: {producer: p, inputs: {story: "Input:Story"},
           outputs: {Script: text/plain}}
  Text: {producer: p, over: [a, b, c], outputs: {Text: text/plain},
         inputs: {script: Script, prompt: "Input:Prompt[a][b][c]"}}
  Voice: {producer: p, over: [a, b, c], outputs: {Voice: audio/wav},
          inputs: {text: "Text[a][b][c]"}}
  Image: {producer: p, over: [a, b, c], outputs: {Image: image/png},
          inputs: {text: "Text[a][b][c]"}}
  Subs: {producer: p, over: [a, b, c], outputs: {Subs: text/plain},
         inputs: {voice: "Voice[a][b][c]"}}
  Motion: {producer: p, over: [a, b, c], outputs: {Motion: video/mp4},
           inputs: {image: "Image[a][b][c]"}}
  Clip: {producer: p, over: [a, b, c], outputs: {Clip: video/mp4},
         inputs: {voice: "Voice[a][b][c]", subs: "Subs[a][b][c]",
                  motion: "Motion[a][b][c]"}}
)";
  const std::string joints = R"(
  Scene: {producer: p, over: [a, b], outputs: {Scene: video/mp4},
          inputs: {clips: {all: "Clip[a][b][c]"}}}
  Act: {producer: p, over: [a], outputs: {Act: video/mp4},
        inputs: {scenes: {all: "Scene[a][b]"}}}
  Film: {producer: p, outputs: {Film: video/mp4},
         inputs: {acts: {all: "Act[a]"}}}
)";
  const std::string flat = R"(
  Film: {producer: p, outputs: {Film: video/mp4},
         inputs: {clips: {all: "Clip[a][b][c]"}}}
)";
  return absl::StrCat(
      "blueprint: film\ninputs:\n  Story: {type: text}\n"
      "  Prompt: {type: text, over: [a, b, c], default: \"\"}\n"
      "dimensions: {a: {size: ",
      sizes[0], "}, b: {size: ", sizes[1], "}, c: {size: ", sizes[2],
      "}}\nnodes:", stages, tree ? joints : flat, "outputs: [Film]\n");
}

// Appends the results of all jobs in the order of the graph.
class ResultWriter {
 public:
  ResultWriter(Store store, const Graph& graph, v1::LeaseToken lease)
      : store_(store), graph_(graph), hashes_(graph.num_elements()) {
    request_.mutable_log()->set_movie_id(kPlanMovie);
    request_.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    *request_.mutable_lease() = std::move(lease);
  }

  void Write() {
    for (Graph::Element e = 0; e < graph_.num_inputs(); ++e) {
      hashes_[e] = kEmptyDigest;
    }
    hashes_[graph_.FirstInput(graph_.blueprint().FindInput("Story"))] =
        Sha256Of(kStory);
    // Nodes are declared in the order in which data flows.
    for (size_t n = 0; n < graph_.blueprint().nodes.size(); ++n) {
      const int node = static_cast<int>(n);
      node_hash_ = HashOfNode(graph_.blueprint(), node, "1");
      for (Graph::Job job = graph_.FirstJob(n); job < graph_.FirstJob(n + 1);
           ++job) {
        WriteJob(node, job);
      }
    }
    Append();
  }

 private:
  void WriteJob(int node, Graph::Job job) {
    const NodeDeclaration& declaration = graph_.blueprint().nodes[node];
    const Graph::Element artefact = graph_.Artefacts(node, job)[0];
    const std::string job_id = graph_.JobIdOf(node, job);
    hasher_.Start(node_hash_, job_id, 0);
    hasher_.AddArtefact(graph_.ElementIdOf(artefact));
    for (size_t b = 0; b < declaration.bindings.size(); ++b) {
      const Binding& binding = declaration.bindings[b];
      const auto sources = graph_.Sources(node, job, b);
      hasher_.AddBinding(binding.name, binding.is_list ? kListShape : kOneShape,
                         sources.size());
      for (Graph::Element source : sources) hasher_.AddContent(hashes_[source]);
    }
    const std::string key = hasher_.Finish().Hex();
    const std::string text = absl::StrCat(job_id, " as of ", key.substr(0, 16));
    hashes_[artefact] = Sha256Of(text);
    v1::Event& event = *request_.add_events();
    event.set_revision(kRevision);
    v1::ArtefactEvent& made = *event.mutable_artefact();
    made.set_artefact_id(graph_.ElementIdOf(artefact));
    made.set_inputs_hash(key);
    made.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    v1::InlineValue& value = *made.mutable_output()->mutable_inline_();
    value.set_mime_type("text/plain");
    value.set_data(text);
    v1::ProducedBy& by = *made.mutable_produced_by();
    by.set_run_id(kRun);
    by.set_job_id(job_id);
    by.set_node(declaration.name);
    by.mutable_producer()->set_name(declaration.producer);
    by.mutable_producer()->set_version("1");
    by.set_settings_hash(declaration.settings_hash.Hex());
    by.set_attempt(1);
    if (request_.events_size() == kEventsPerAppend) Append();
  }

  void Append() {
    if (request_.events_size() == 0) return;
    Must(store_.events.Append(request_).status());
    request_.clear_events();
  }

  Store store_;
  const Graph& graph_;
  std::vector<Digest> hashes_;  // by element
  Digest node_hash_;
  InputsHasher hasher_;
  v1::AppendEventsRequest request_;
};

v1::LeaseToken Lease(Store store) {
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id(absl::StrCat("movie/", kPlanMovie));
  acquire.set_holder("bench");
  acquire.mutable_ttl()->set_seconds(3600);
  return Must(store.leases.Acquire(acquire)).lease().token();
}

int64_t SetStory(Store store) {
  v1::AppendEventsRequest append;
  append.mutable_log()->set_movie_id(kPlanMovie);
  append.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  v1::Event& event = *append.add_events();
  event.set_revision(kRevision);
  event.mutable_input()->set_input_id("Input:Story");
  event.mutable_input()->set_edited_by(v1::EDITED_BY_USER);
  *event.mutable_input()->mutable_content() =
      InlineContent("text/plain", kStory);
  return Must(store.events.Append(append)).last_sequence();
}

}  // namespace

void FillPlanMovie(Store store, const std::vector<uint32_t>& sizes, bool tree) {
  const std::string yaml = Blueprint3(sizes, tree);
  v1::CreateMovieRequest create;
  create.set_movie_id(kPlanMovie);
  create.set_blueprint(yaml);
  Must(store.movies.Create(create).status());
  const Blueprint blueprint = Must(ParseBlueprint("film.yaml", yaml));
  const Graph graph =
      Must(Graph::Expand(blueprint, Must(ShapeOf(blueprint, {}))));
  const int64_t inputs_through = SetStory(store);
  const v1::LeaseToken lease = Lease(store);
  ResultWriter(store, graph, lease).Write();
  v1::CommitRevisionRequest commit;
  commit.set_movie_id(kPlanMovie);
  commit.mutable_source()->set_target_revision(kRevision);
  commit.mutable_source()->set_run_id(kRun);
  commit.mutable_source()->set_inputs_through_sequence(inputs_through);
  *commit.mutable_lease() = lease;
  Must(store.manifests.Commit(commit).status());
  v1::CheckpointMovieRequest checkpoint;
  checkpoint.set_movie_id(kPlanMovie);
  Must(store.maintenance.CheckpointMovie(checkpoint).status());
}

}  // namespace kinora
