#include "tests/model/random_plan.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"

namespace kinora {
namespace {

constexpr int kMaxJobs = 40;
// How far back a job reads: nearer ones make longer paths.
constexpr int kReach = 12;

}  // namespace

v1::Content TextContent(absl::string_view text, bool as_blob) {
  v1::Content content;
  const std::string hash = Sha256Of(text).Hex();
  if (as_blob) {
    content.mutable_blob()->mutable_digest()->set_hash(hash);
    content.mutable_blob()->mutable_digest()->set_size_bytes(
        static_cast<int64_t>(text.size()));
  } else {
    content.mutable_inline_()->set_hash(hash);
    content.mutable_inline_()->set_data(std::string(text));
  }
  return content;
}

int RandomPlan::Below(int bound) {
  return static_cast<int>(UniformBelow(random_, static_cast<uint64_t>(bound)));
}

RandomPlan::RandomPlan(Random& random) : random_(random) {
  DrawLimits();
  DrawNodes();
  DrawValues();
  const int count = 1 + Below(1 + Below(kMaxJobs));
  const bool may_defer = OneIn(3);
  for (int i = 0; i < count; ++i) DrawJob(i, may_defer);
}

void RandomPlan::DrawLimits() {
  options_.layered = OneIn(4);
  options_.max_concurrency = static_cast<uint32_t>(1 + Below(8));
  options_.retry.initial = absl::Milliseconds(100);
  options_.retry.longest = absl::Milliseconds(300);
  for (const char* producer : {"voice", "image", "video"}) {
    if (OneIn(4)) continue;  // the defaults hold
    options_.producers[producer] = {
        .concurrency = static_cast<uint32_t>(1 + Below(4)),
        .max_attempts = static_cast<uint32_t>(1 + Below(4))};
  }
}

void RandomPlan::DrawNodes() {
  const int count = 1 + Below(5);
  for (int i = 0; i < count; ++i) {
    v1::PlannedNode& node = nodes_.emplace_back();
    node.set_node(absl::StrCat("N", i));
    constexpr const char* kProducers[] = {"voice", "image", "video", "other"};
    node.mutable_producer()->set_name(kProducers[Below(4)]);
    node.mutable_producer()->set_version(absl::StrCat(1 + Below(2)));
    node.set_settings_json(absl::StrCat("{\"n\":", i, "}"));
    node.set_settings_hash(Sha256Of(node.settings_json()).Hex());
    if (OneIn(4)) node.set_salt("salt");
    for (const char* name : {"Text", "Cover"}) {
      v1::PlannedOutput& output = *node.add_outputs();
      output.set_name(name);
      output.set_mime_type("text/plain");
    }
    v1::NodeLimits& limits = *node.mutable_limits();
    if (OneIn(3)) limits.set_concurrency(static_cast<uint32_t>(1 + Below(3)));
    if (OneIn(4)) limits.set_max_attempts(static_cast<uint32_t>(1 + Below(4)));
    // Longer than any wait between attempts.
    if (OneIn(4)) limits.set_job_timeout_seconds(7200);
    if (OneIn(3)) limits.set_priority(static_cast<uint32_t>(Below(3)));
  }
}

void RandomPlan::DrawValues() {
  for (int i = 0; i < 3; ++i) {
    values_[absl::StrCat("Input:", i)] =
        TextContent(absl::StrCat("input ", Below(2)), OneIn(2));
    values_[absl::StrCat("Artifact:Clean", i)] =
        TextContent(absl::StrCat("clean ", i), OneIn(2));
  }
}

void RandomPlan::DrawJob(int index, bool may_defer) {
  const std::string id = absl::StrCat("J", index);
  Job job;
  job.node = Below(static_cast<int>(nodes_.size()));
  job.planned.set_job_id(id);
  job.planned.set_node(nodes_[static_cast<size_t>(job.node)].node());
  job.planned.set_draw(static_cast<uint32_t>(Below(2)));
  const int artefacts = OneIn(4) ? 2 : 1;
  for (int i = 0; i < artefacts; ++i) {
    v1::PlannedArtefact& artefact = *job.planned.add_artefacts();
    artefact.set_output(i == 0 ? "Text" : "Cover");
    artefact.set_artefact_id(
        absl::StrCat("Artifact:", artefact.output(), "[", id, "]"));
    maker_[artefact.artefact_id()] = index;
  }
  DrawBindings(index, &job.planned);
  bool reads_results_only = true;
  for (const v1::PlannedBinding& binding : job.planned.bindings()) {
    for (const std::string& source : binding.source_ids()) {
      const auto maker = maker_.find(source);
      if (maker == maker_.end()) continue;
      job.upstream.insert(maker->second);
      reads_results_only = reads_results_only &&
                           jobs_[static_cast<size_t>(maker->second)].is_reused;
    }
  }
  if (may_defer && index > 0 && OneIn(5)) {
    const Job& by = jobs_[static_cast<size_t>(Below(index))];
    job.decider = by.planned.artefacts(0).artefact_id();
  }
  if (reads_results_only && OneIn(8)) {
    job.is_reused = true;
    for (int i = 0; i < artefacts; ++i) {
      job.results.push_back(
          TextContent(absl::StrCat("earlier ", Below(3)), OneIn(2)));
    }
  }
  jobs_.push_back(std::move(job));
}

void RandomPlan::DrawBindings(int index, v1::PlannedJob* job) {
  v1::PlannedBinding& list = *job->add_bindings();
  list.set_name("all");
  list.set_is_list(true);
  const int elements = Below(OneIn(5) ? 9 : 3);
  for (int i = 0; i < elements; ++i) list.add_source_ids(DrawSource(index));
  if (OneIn(4)) {
    list.set_is_grouped(true);
    const int first = Below(elements + 1);
    list.add_group_sizes(static_cast<uint32_t>(first));
    list.add_group_sizes(static_cast<uint32_t>(elements - first));
  }
  v1::PlannedBinding& one = *job->add_bindings();
  one.set_name("one");
  if (!OneIn(5)) one.add_source_ids(DrawSource(index));
}

std::string RandomPlan::DrawSource(int index) {
  if (index == 0 || OneIn(4)) {
    return std::next(values_.begin(), Below(static_cast<int>(values_.size())))
        ->first;
  }
  const int reach = std::min(index, kReach);
  const v1::PlannedJob& upstream =
      jobs_[static_cast<size_t>(index - 1 - Below(reach))].planned;
  return upstream.artefacts(Below(upstream.artefacts_size())).artefact_id();
}

std::vector<bool> RandomPlan::Known(const std::set<std::string>& landed) const {
  std::vector<bool> known(jobs_.size());
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const Job& job = jobs_[i];
    known[i] = (job.decider.empty() || landed.contains(job.decider)) &&
               std::all_of(job.upstream.begin(), job.upstream.end(),
                           [&known](int upstream) {
                             return known[static_cast<size_t>(upstream)];
                           });
  }
  return known;
}

template <typename PlanPart>
void RandomPlan::AddJobs(const std::vector<bool>& which, PlanPart* part) const {
  for (const v1::PlannedNode& node : nodes_) *part->add_nodes() = node;
  std::set<std::string> values;
  std::vector<int> layer_of(jobs_.size(), -1);
  for (size_t i = 0; i < jobs_.size(); ++i) {
    if (!which[i]) continue;
    const Job& job = jobs_[i];
    for (const v1::PlannedBinding& binding : job.planned.bindings()) {
      for (const std::string& id : binding.source_ids()) {
        if (values_.contains(id)) values.insert(id);
      }
    }
    if (job.is_reused) {
      v1::ReusedJob& reused = *part->add_reused();
      reused.set_job_id(job.planned.job_id());
      reused.set_node(job.planned.node());
      for (size_t k = 0; k < job.results.size(); ++k) {
        v1::ReusedArtefact& artefact = *reused.add_artefacts();
        artefact.set_artefact_id(
            job.planned.artefacts(static_cast<int>(k)).artefact_id());
        *artefact.mutable_content() = job.results[k];
      }
      continue;
    }
    int layer = 0;
    for (int upstream : job.upstream) {
      layer = std::max(layer, layer_of[static_cast<size_t>(upstream)] + 1);
    }
    layer_of[i] = layer;
    while (part->layers_size() <= layer) part->add_layers();
    *part->mutable_layers(layer)->add_jobs() = job.planned;
  }
  for (const std::string& id : values) {
    if (absl::StartsWith(id, "Input:")) {
      v1::PlannedInput& input = *part->add_inputs();
      input.set_input_id(id);
      *input.mutable_content() = values_.at(id);
    } else {
      v1::PlannedSource& source = *part->add_sources();
      source.set_artefact_id(id);
      *source.mutable_content() = values_.at(id);
    }
  }
}

void RandomPlan::AddDeferred(
    const std::vector<bool>& known, const std::set<std::string>& landed,
    google::protobuf::RepeatedPtrField<v1::DeferredGroup>* groups) const {
  std::set<std::pair<std::string, std::string>> deferred;
  for (size_t i = 0; i < jobs_.size(); ++i) {
    if (known[i]) continue;
    const Job& job = jobs_[i];
    const bool waits = !job.decider.empty() && !landed.contains(job.decider);
    deferred.emplace(job.planned.node(), waits ? job.decider : std::string());
  }
  for (const auto& [node, decider] : deferred) {
    v1::DeferredGroup& group = *groups->Add();
    group.set_node(node);
    group.set_sized_by_artefact_id(decider);
  }
}

std::shared_ptr<const v1::Plan> RandomPlan::Plan() const {
  auto plan = std::make_shared<v1::Plan>();
  const std::vector<bool> known = Known({});
  AddJobs(known, plan.get());
  AddDeferred(known, {}, plan->mutable_deferred());
  return plan;
}

std::shared_ptr<const v1::ExpandDeferredGroupResponse> RandomPlan::Expand(
    const std::set<std::string>& landed,
    const std::set<std::string>* told) const {
  auto answer = std::make_shared<v1::ExpandDeferredGroupResponse>();
  const std::vector<bool> at_first = Known({});
  const std::vector<bool> known = Known(landed);
  const std::vector<bool> before = told == nullptr ? at_first : Known(*told);
  std::vector<bool> which(jobs_.size());
  for (size_t i = 0; i < jobs_.size(); ++i) which[i] = known[i] && !before[i];
  AddJobs(which, answer.get());
  AddDeferred(known, landed, answer->mutable_deferred());
  return answer;
}

}  // namespace kinora
