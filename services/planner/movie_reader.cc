#include "services/planner/movie_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/element_id.h"
#include "common/error_reason.h"
#include "common/json/json.h"
#include "common/status.h"
#include "common/utf8.h"

namespace kinora {
namespace {

absl::StatusOr<std::string> ReadText(BlobStore& blobs,
                                     const std::string& movie_id,
                                     const v1::Content& content) {
  if (content.has_inline_()) return content.inline_().data();
  v1::ReadBlobRequest request;
  request.set_movie_id(movie_id);
  *request.mutable_digest() = content.blob().digest();
  std::string text;
  KINORA_RETURN_IF_ERROR(
      blobs.Read(request, [&text](absl::string_view bytes) -> absl::Status {
        if (text.size() + bytes.size() > kMaxBlueprintTextBytes) {
          return absl::FailedPreconditionError(
              absl::StrCat("the blueprint has more than ",
                           kMaxBlueprintTextBytes, " bytes"));
        }
        absl::StrAppend(&text, bytes);
        return absl::OkStatus();
      }));
  return text;
}

}  // namespace

void MovieInputs::Apply(const v1::InputEvent& event) {
  if (event.input_id() == kBlueprintInputId) {
    blueprint = event.content();
  } else if (event.cleared()) {
    values.erase(event.input_id());
  } else {
    values[event.input_id()] = event.content();
  }
}

absl::StatusOr<MovieSnapshot> MovieReader::Read(const std::string& movie_id) {
  KINORA_ASSIGN_OR_RETURN(MovieInputs inputs, ReadInputs(movie_id));
  MovieSnapshot snapshot;
  KINORA_ASSIGN_OR_RETURN(snapshot.blueprint,
                          PinnedBlueprint(movie_id, inputs.blueprint));
  snapshot.blueprint_hash = ContentHash(inputs.blueprint);
  snapshot.inputs = std::move(inputs.values);
  return snapshot;
}

absl::StatusOr<MovieInputs> MovieReader::ReadInputs(const std::string& movie_id,
                                                    int64_t through_sequence) {
  v1::ListInputsRequest request;
  request.set_movie_id(movie_id);
  request.set_through_sequence(through_sequence);
  KINORA_ASSIGN_OR_RETURN(const v1::ListInputsResponse response,
                          store_.events.ListInputs(request));
  MovieInputs inputs;
  inputs.through_sequence = response.through_sequence();
  for (const v1::Event& event : response.inputs()) inputs.Apply(event.input());
  return inputs;
}

absl::Status MovieReader::CheckBytes(const std::string& movie_id,
                                     InputType type,
                                     const v1::Content& content) {
  if (!content.has_blob() ||
      (type != InputType::kText && type != InputType::kJson)) {
    return absl::OkStatus();
  }
  const std::string name =
      absl::StrCat(InputTypeName(type), " ", ContentHash(content));
  {
    MutexLock lock(mu_);
    if (checked_.contains(name)) return absl::OkStatus();
  }
  v1::ReadBlobRequest request;
  request.set_movie_id(movie_id);
  *request.mutable_digest() = content.blob().digest();
  request.set_verify(true);
  Utf8Check text;
  std::string json;
  // To the end, also of what is no text: it may be that for being damaged.
  const absl::Status read =
      store_.blobs.Read(request, [&](absl::string_view bytes) -> absl::Status {
        text.Add(bytes);
        if (type != InputType::kJson) return absl::OkStatus();
        if (json.size() + bytes.size() > kMaxJsonInputBytes) {
          return absl::InvalidArgumentError(
              absl::StrCat("must have at most ", kMaxJsonInputBytes, " bytes"));
        }
        absl::StrAppend(&json, bytes);
        return absl::OkStatus();
      });
  if (absl::IsNotFound(read) || absl::IsDataLoss(read)) {
    return absl::OkStatus();
  }
  KINORA_RETURN_IF_ERROR(read);
  if (!text.IsValid()) {
    return absl::InvalidArgumentError("must be UTF-8 text");
  }
  if (type == InputType::kJson) {
    const absl::Status parsed = ParseJson(json).status();
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("is not JSON: ", parsed.message()));
    }
  }
  MutexLock lock(mu_);
  if (checked_.size() >= kMaxCheckedBytes) checked_.clear();
  checked_.insert(name);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::PendingEdit>> MovieReader::CheckedEdits(
    const std::string& movie_id, const Blueprint& blueprint,
    const InputMap& set, absl::string_view field,
    const google::protobuf::RepeatedPtrField<v1::PendingEdit>& edits) {
  KINORA_ASSIGN_OR_RETURN(std::vector<v1::PendingEdit> canonical,
                          CanonicalEdits(blueprint, set, field, edits));
  for (size_t i = 0; i < canonical.size(); ++i) {
    const v1::PendingEdit& edit = canonical[i];
    KINORA_ASSIGN_OR_RETURN(const ElementId id,
                            ElementId::Parse(edit.input_id()));
    const int input = blueprint.FindInput(id.name);
    if (input < 0) continue;  // chooses a take
    const absl::Status bytes =
        CheckBytes(movie_id, blueprint.inputs[input].rule.type, edit.content());
    if (absl::IsInvalidArgument(bytes)) {
      return Annotate(
          InvalidField(edit.input_id(),
                       absl::StrCat("blob ", ContentHash(edit.content())),
                       bytes.message()),
          absl::StrCat(field, "[", i, "]"));
    }
    KINORA_RETURN_IF_ERROR(bytes);
  }
  return canonical;
}

absl::StatusOr<std::string> MovieReader::BirthOf(const std::string& movie_id) {
  v1::GetMovieRequest request;
  request.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const v1::GetMovieResponse response,
                          store_.movies.Get(request));
  return response.movie().create_time().SerializeAsString();
}

absl::StatusOr<std::shared_ptr<const Blueprint>> MovieReader::PinnedBlueprint(
    const std::string& movie_id, const v1::Content& content) {
  const std::string& hash = ContentHash(content);
  if (hash.empty()) {
    return WithReason(absl::FailedPreconditionError(absl::StrCat(
                          "movie ", movie_id, " has no blueprint pinned")),
                      "BLUEPRINT_INVALID", {{"movie", movie_id}});
  }
  {
    MutexLock lock(mu_);
    if (auto cached = blueprints_.Get(hash)) return cached;
  }
  KINORA_ASSIGN_OR_RETURN(std::string text,
                          ReadText(store_.blobs, movie_id, content));
  absl::StatusOr<Blueprint> parsed =
      ParseBlueprint(absl::StrCat("blueprint of ", movie_id), text);
  if (!parsed.ok()) {
    // The caller's request is right; what the movie has pinned is not.
    return WithReason(absl::FailedPreconditionError(parsed.status().message()),
                      "BLUEPRINT_INVALID", {{"movie", movie_id}});
  }
  auto blueprint = std::make_shared<const Blueprint>(*std::move(parsed));
  MutexLock lock(mu_);
  blueprints_.Put(hash, blueprint);
  return blueprint;
}

}  // namespace kinora
