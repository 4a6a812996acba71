#include "clients/cpp/import/folder_inputs.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "common/element_id.h"
#include "common/status.h"
#include "services/planner/plan/input_values.h"

namespace kinora {
namespace {

using Values = std::map<std::string, FolderValue>;

v1::Content ContentOf(const FolderValue& value) {
  v1::Content content;
  if (value.path.empty()) {
    v1::InlineValue& inlined = *content.mutable_inline_();
    inlined.set_data(value.bytes);
    inlined.set_mime_type(value.mime_type);
    inlined.set_hash(value.hash);
    return content;
  }
  v1::BlobRef& blob = *content.mutable_blob();
  blob.set_mime_type(value.mime_type);
  blob.mutable_digest()->set_hash(value.hash);
  blob.mutable_digest()->set_size_bytes(value.size_bytes);
  return content;
}

// What the edit says of the value that was given.
FolderValue CanonicalValue(FolderValue given, const v1::Content& content) {
  if (content.has_blob()) {
    given.mime_type = content.blob().mime_type();
    return given;
  }
  given.bytes = content.inline_().data();
  given.mime_type = content.inline_().mime_type();
  given.hash = content.inline_().hash();
  given.size_bytes = static_cast<int64_t>(given.bytes.size());
  return given;
}

// The values that say how large dimensions are: indices are checked against
// them.
InputMap SizesIn(const Blueprint& blueprint, const Values& values) {
  InputMap sizes;
  for (const DimensionDeclaration& dimension : blueprint.dimensions) {
    if (dimension.size_input < 0) continue;
    const std::string id =
        absl::StrCat("Input:", blueprint.inputs[dimension.size_input].name);
    for (auto value = values.lower_bound(id);
         value != values.end() && absl::StartsWith(value->first, id); ++value) {
      sizes[value->first] = ContentOf(value->second);
    }
  }
  return sizes;
}

absl::Status CheckIsFile(const Blueprint& blueprint, const std::string& id,
                         const FolderValue& value) {
  if (!value.path.empty()) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(const ElementId element, ElementId::Parse(id));
  const int input = blueprint.FindInput(element.name);
  if (input < 0 || blueprint.inputs[input].rule.type != InputType::kFile) {
    return absl::OkStatus();
  }
  return InvalidField(id, value.bytes,
                      "must be a file, given as {\"file\": PATH}");
}

// The edits in the form in which they are kept.
absl::StatusOr<std::vector<v1::PendingEdit>> EditsOf(const Blueprint& blueprint,
                                                     const Values& given,
                                                     const InputMap& sizes) {
  google::protobuf::RepeatedPtrField<v1::PendingEdit> edits;
  for (const auto& entry : given) {
    KINORA_RETURN_IF_ERROR(CheckIsFile(blueprint, entry.first, entry.second));
    v1::PendingEdit& edit = *edits.Add();
    edit.set_input_id(entry.first);
    *edit.mutable_content() = ContentOf(entry.second);
  }
  return CanonicalEdits(blueprint, sizes, "", edits);
}

// The blueprint refuses inputs, or there is no size to check indices against.
bool IsRefusal(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
}

absl::Status Told(const absl::Status& refusal) {
  if (!absl::IsFailedPrecondition(refusal)) return refusal;
  // A size that nobody gave. What it says after the semicolon is how to set
  // inputs of a movie.
  const absl::string_view why = refusal.message();
  return absl::InvalidArgumentError(why.substr(0, why.find(';')));
}

// Of inputs that are not taken together those that are not taken alone, and
// why; OK if that is said of another one. Sizes go first: the others are
// checked against those that are taken.
std::map<std::string, absl::Status> FindRefused(const Blueprint& blueprint,
                                                const Values& given,
                                                const Values& in_effect) {
  std::map<std::string, absl::Status> refused;
  Values sizes = in_effect;
  const InputMap given_sizes = SizesIn(blueprint, given);
  bool size_refused = false;
  for (const bool is_size : {true, false}) {
    for (const auto& entry : given) {
      if (given_sizes.contains(entry.first) != is_size) continue;
      const absl::StatusOr<std::vector<v1::PendingEdit>> edits =
          EditsOf(blueprint, {entry}, SizesIn(blueprint, sizes));
      if (!edits.ok()) {
        const bool for_size = !is_size && size_refused &&
                              absl::IsFailedPrecondition(edits.status());
        refused.emplace(entry.first,
                        for_size ? absl::OkStatus() : Told(edits.status()));
        size_refused = size_refused || is_size;
      } else if (is_size) {
        sizes[entry.first] =
            CanonicalValue(entry.second, edits->front().content());
      }
    }
  }
  return refused;
}

}  // namespace

absl::StatusOr<InputsTaken> TakeInputs(const Blueprint& blueprint, Values given,
                                       Values* in_effect) {
  InputsTaken taken;
  const InputMap sizes = SizesIn(blueprint, *in_effect);
  absl::StatusOr<std::vector<v1::PendingEdit>> edits =
      EditsOf(blueprint, given, sizes);
  if (IsRefusal(edits.status())) {
    for (const auto& [id, why] : FindRefused(blueprint, given, *in_effect)) {
      if (!why.ok()) taken.refused.push_back(why);
      given.erase(id);
    }
    edits = EditsOf(blueprint, given, sizes);
    if (IsRefusal(edits.status())) {
      // Alone they are all right, but not together.
      taken.refused.push_back(Told(edits.status()));
      return taken;
    }
  }
  KINORA_RETURN_IF_ERROR(edits.status());
  for (const v1::PendingEdit& edit : *edits) {
    (*in_effect)[edit.input_id()] =
        CanonicalValue(std::move(given[edit.input_id()]), edit.content());
    taken.ids.push_back(edit.input_id());
  }
  return taken;
}

}  // namespace kinora
