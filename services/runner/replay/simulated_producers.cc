#include "services/runner/replay/simulated_producers.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/json_leaf.h"

namespace kinora {
namespace {

constexpr absl::string_view kJson = "application/json";

class EndedAttempt final : public Attempt {
 public:
  void Cancel() override {}
  void Answer(const v1::Answer&) override {}
};

// What the settings say that each output is; none if they do not.
std::optional<std::string> TextIn(const std::string& settings_json) {
  const absl::StatusOr<JsonValue> settings = ParseJson(settings_json);
  if (!settings.ok() || !settings->is_object()) return std::nullopt;
  const JsonValue* text = settings->Find("text");
  if (text == nullptr || !text->is_string()) return std::nullopt;
  return std::string(text->string_value());
}

}  // namespace

SimulatedProducers::SimulatedProducers(ProducerCaller& producers,
                                       const Blueprint& blueprint,
                                       Executor& executor)
    : producers_(producers), executor_(executor) {
  for (const int index : blueprint.deciding_outputs) {
    const OutputDeclaration& output = blueprint.outputs[index];
    Wish& wish = deciding_[output.name];
    wish.list = output.sizes_dimension;
    wish.number = output.is_ordered;
    if (output.leaf_of >= 0) {
      deciding_.try_emplace(blueprint.outputs[output.leaf_of].name);
    }
  }
}

std::unique_ptr<Attempt> SimulatedProducers::Start(
    AttemptRequest request, std::shared_ptr<AttemptObserver> observer) {
  executor_.Post(
      [observer = std::move(observer), result = ResultOf(request)]() mutable {
        observer->OnDone(std::move(result));
      });
  return std::make_unique<EndedAttempt>();
}

AttemptResult SimulatedProducers::ResultOf(
    const AttemptRequest& request) const {
  const std::optional<std::string> text =
      TextIn(request.header.settings_json());
  std::map<std::string, JsonValue> documents;  // to be split, by artefact
  AttemptResult result;
  result.contact = Contact::kAnswered;
  result.version = request.producer_version;
  result.outputs.resize(request.outputs.size());
  // Leaves after what they are parts of.
  for (const bool leaves : {false, true}) {
    for (size_t i = 0; i < request.outputs.size(); ++i) {
      const AttemptRequest::Output& output = request.outputs[i];
      if (output.leaf_of.empty() == leaves) continue;
      std::string bytes;
      if (const auto whole = documents.find(output.leaf_of);
          leaves && whole != documents.end()) {
        const absl::StatusOr<std::string> leaf =
            BytesOfLeaf(whole->second, {output.artefact_id, output.leaf_of,
                                        output.json_pointer, output.mime_type});
        bytes = leaf.ok() ? *leaf : MadeUp(output, request.header);
      } else if (!leaves && text.has_value() &&
                 deciding_.contains(output.name)) {
        bytes = *text;
        if (output.mime_type == kJson) {
          const absl::StatusOr<JsonValue> json = ParseJson(bytes);
          bytes =
              json.ok() ? CanonicalJson(*json) : MadeUp(output, request.header);
          if (json.ok()) documents.emplace(output.artefact_id, *json);
        }
      } else {
        bytes = MadeUp(output, request.header);
      }
      result.outputs[i].content = InlineContent(output.mime_type, bytes);
    }
  }
  return result;
}

std::string SimulatedProducers::MadeUp(const AttemptRequest::Output& output,
                                       const v1::JobHeader& header) const {
  const std::string text = absl::StrCat("simulated ", output.artefact_id,
                                        " of ", header.inputs_hash());
  if (output.mime_type != kJson) return text;
  const auto found = deciding_.find(output.name);
  if (found != deciding_.end() && found->second.number) return "1";
  if (found != deciding_.end() && found->second.list) {
    JsonArray list;
    list.push_back(JsonValue(absl::StrCat(text, ", first")));
    list.push_back(JsonValue(absl::StrCat(text, ", second")));
    return CanonicalJson(JsonValue(std::move(list)));
  }
  JsonObject object;
  object.Add("simulated", text);
  return CanonicalJson(JsonValue(std::move(object)));
}

}  // namespace kinora
