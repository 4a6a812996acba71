#include "services/store/event/event_validator.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/cost_check.h"
#include "common/digest.h"
#include "common/element_id.h"
#include "common/files/readable_path.h"
#include "common/ids.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/status.h"
#include "common/utf8.h"
#include "services/store/checks.h"

namespace kinora {
namespace {

constexpr size_t kMaxMimeTypeBytes = 128;

// Spelling out the names takes longer than checking what they name.
std::string Sub(absl::string_view field, absl::string_view name) {
  return field.empty() ? std::string() : absl::StrCat(field, ".", name);
}

absl::Status ValidateId(absl::string_view field, absl::string_view id,
                        ElementId::Kind kind) {
  absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
  if (!parsed.ok()) return InvalidField(field, id, parsed.status().message());
  if (parsed->kind == kind) return absl::OkStatus();
  return InvalidField(field, id,
                      kind == ElementId::Kind::kInput
                          ? "must be the id of an input"
                          : "must be the id of an artefact");
}

absl::Status ValidateMimeType(absl::string_view field,
                              absl::string_view mime_type) {
  if (!mime_type.empty() && mime_type.size() <= kMaxMimeTypeBytes &&
      absl::StrContains(mime_type, '/')) {
    return absl::OkStatus();
  }
  return InvalidField(field, mime_type, "must be a media type: type/subtype");
}

// What is hashed must have one spelling, or equal values get different keys.
absl::Status ValidateBytes(absl::string_view field,
                           const v1::InlineValue& value) {
  if (absl::StartsWith(value.mime_type(), "text/") &&
      !IsValidUtf8(value.data())) {
    return InvalidField(field, value.data(), "must be UTF-8");
  }
  if (value.mime_type() == "application/json") {
    absl::StatusOr<JsonValue> json = ParseJson(value.data());
    if (!json.ok()) {
      return InvalidField(field, value.data(), json.status().message());
    }
    if (CanonicalJson(*json) != value.data()) {
      return InvalidField(field, value.data(),
                          "must be canonical JSON (RFC 8785)");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateInline(absl::string_view field, int64_t inline_limit,
                            v1::InlineValue* value) {
  KINORA_RETURN_IF_ERROR(
      ValidateMimeType(Sub(field, "mime_type"), value->mime_type()));
  if (static_cast<int64_t>(value->data().size()) > inline_limit) {
    return InvalidField(Sub(field, "data"),
                        absl::StrCat(value->data().size(), " bytes"),
                        absl::StrCat("inline values have at most ",
                                     inline_limit, " bytes: store a blob"));
  }
  KINORA_RETURN_IF_ERROR(ValidateBytes(Sub(field, "data"), *value));
  std::string hash = Sha256Of(value->data()).Hex();
  if (value->hash().empty()) {
    value->set_hash(std::move(hash));
  } else if (value->hash() != hash) {
    return InvalidField(Sub(field, "hash"), value->hash(),
                        absl::StrCat("the bytes have the hash ", hash));
  }
  return absl::OkStatus();
}

absl::Status ValidateContent(absl::string_view field, int64_t inline_limit,
                             v1::Content* content) {
  switch (content->value_case()) {
    case v1::Content::kInline:
      return ValidateInline(Sub(field, "inline"), inline_limit,
                            content->mutable_inline_());
    case v1::Content::kBlob: {
      const v1::BlobRef& blob = content->blob();
      KINORA_RETURN_IF_ERROR(
          ValidateHash(Sub(field, "blob.digest.hash"), blob.digest().hash()));
      if (blob.digest().size_bytes() < 0) {
        return InvalidField(Sub(field, "blob.digest.size_bytes"),
                            absl::StrCat(blob.digest().size_bytes()),
                            "must not be negative");
      }
      return ValidateMimeType(Sub(field, "blob.mime_type"), blob.mime_type());
    }
    case v1::Content::VALUE_NOT_SET:
      break;
  }
  return InvalidField(field, "", "must have a blob or an inline value");
}

absl::Status ValidateInput(absl::string_view field, int64_t inline_limit,
                           v1::InputEvent* input) {
  KINORA_RETURN_IF_ERROR(ValidateId(Sub(field, "input_id"), input->input_id(),
                                    ElementId::Kind::kInput));
  if (input->edited_by() != v1::EDITED_BY_USER &&
      input->edited_by() != v1::EDITED_BY_SYSTEM) {
    return InvalidField(Sub(field, "edited_by"),
                        absl::StrCat(input->edited_by()),
                        "must be user (1) or system (2)");
  }
  if (input->input_id() == kBlueprintInputId &&
      input->edited_by() != v1::EDITED_BY_SYSTEM) {
    return InvalidField(Sub(field, "input_id"), input->input_id(),
                        "blueprints are pinned by SetBlueprint");
  }
  if (input->restored_sequence() < 0) {
    return InvalidField(Sub(field, "restored_sequence"),
                        absl::StrCat(input->restored_sequence()),
                        "must be the sequence of an event");
  }
  if (input->cleared()) {
    if (input->input_id() == kBlueprintInputId) {
      return InvalidField(Sub(field, "cleared"), "true",
                          "a movie always has a blueprint");
    }
    if (!input->has_content()) return absl::OkStatus();
    return InvalidField(Sub(field, "content"), "set",
                        "an input that is cleared has no value");
  }
  return ValidateContent(Sub(field, "content"), inline_limit,
                         input->mutable_content());
}

absl::Status ValidateDependencies(absl::string_view field,
                                  const v1::ArtefactEvent& artefact) {
  const std::string* previous = nullptr;
  for (const v1::Dependency& dependency : artefact.dependencies()) {
    if (previous != nullptr && dependency.slot() <= *previous) {
      return InvalidField(Sub(field, "dependencies"), dependency.slot(),
                          "must be sorted by slot, each slot once");
    }
    previous = &dependency.slot();
    KINORA_RETURN_IF_ERROR(
        ValidateHash(Sub(field, "dependencies.hash"), dependency.hash()));
  }
  return absl::OkStatus();
}

absl::Status ValidateDuration(absl::string_view field,
                              const google::protobuf::Duration& duration) {
  if (duration.seconds() >= 0 && duration.nanos() >= 0 &&
      duration.nanos() < 1'000'000'000) {
    return absl::OkStatus();
  }
  return InvalidField(
      field, absl::StrCat(duration.seconds(), " s ", duration.nanos(), " ns"),
      "must not be negative, and have less than a second in nanos");
}

absl::Status ValidateOutcome(absl::string_view field, int64_t inline_limit,
                             v1::ArtefactEvent* artefact) {
  const v1::ArtefactStatus status = artefact->status();
  const bool succeeded = status == v1::ARTEFACT_STATUS_SUCCEEDED;
  const bool failed = status == v1::ARTEFACT_STATUS_FAILED;
  if (!succeeded && !failed && status != v1::ARTEFACT_STATUS_SKIPPED) {
    return InvalidField(Sub(field, "status"), absl::StrCat(status),
                        "must be succeeded, failed or skipped");
  }
  const std::string word = succeeded ? "succeeded"
                           : failed  ? "failed"
                                     : "skipped";
  if (artefact->has_output() != succeeded) {
    return InvalidField(Sub(field, "output"), word,
                        "is set exactly when the status is succeeded");
  }
  if (artefact->has_failure() != failed) {
    return InvalidField(Sub(field, "failure"), word,
                        "is set exactly when the status is failed");
  }
  if (artefact->reused_sequence() < 0 ||
      (artefact->reused_sequence() > 0 && !succeeded)) {
    return InvalidField(Sub(field, "reused_sequence"),
                        absl::StrCat(artefact->reused_sequence()),
                        "must be the sequence of an event, and only a "
                        "succeeded artefact reuses one");
  }
  if (!succeeded) return absl::OkStatus();
  return ValidateContent(Sub(field, "output"), inline_limit,
                         artefact->mutable_output());
}

absl::Status ValidateReadable(absl::string_view field,
                              const v1::ArtefactEvent& artefact) {
  if (artefact.readable_path().empty()) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(ValidateReadablePath(Sub(field, "readable_path"),
                                              artefact.readable_path()));
  if (!artefact.has_output()) return absl::OkStatus();
  const v1::Content& output = artefact.output();
  if (IsReadableType(ContentMimeType(output))) {
    return absl::OkStatus();
  }
  return InvalidField(Sub(field, "readable_path"), artefact.readable_path(),
                      "only text and JSON have a readable copy");
}

absl::Status ValidateArtefact(absl::string_view field, int64_t inline_limit,
                              v1::ArtefactEvent* artefact) {
  KINORA_RETURN_IF_ERROR(
      ValidateArtefactId(Sub(field, "artefact_id"), artefact->artefact_id()));
  const v1::ProducedBy& by = artefact->produced_by();
  if (!by.run_id().empty()) {
    KINORA_RETURN_IF_ERROR(
        ValidateRunIdField(Sub(field, "produced_by.run_id"), by.run_id()));
  }
  if (!v1::EditedBy_IsValid(by.edited_by())) {
    return InvalidField(Sub(field, "produced_by.edited_by"),
                        absl::StrCat(by.edited_by()),
                        "must be user (1) or system (2), or not set");
  }
  if (!by.settings_hash().empty()) {
    KINORA_RETURN_IF_ERROR(ValidateHash(Sub(field, "produced_by.settings_hash"),
                                        by.settings_hash()));
  }
  // A person's own edit is not the result of a job and has no signature.
  if (!artefact->inputs_hash().empty() ||
      by.edited_by() != v1::EDITED_BY_USER) {
    KINORA_RETURN_IF_ERROR(
        ValidateHash(Sub(field, "inputs_hash"), artefact->inputs_hash()));
  }
  if (!artefact->diagnostics_json().empty()) {
    absl::StatusOr<JsonValue> json = ParseJson(artefact->diagnostics_json());
    if (!json.ok() || !json->is_object()) {
      return InvalidField(Sub(field, "diagnostics_json"),
                          artefact->diagnostics_json(),
                          "must be a JSON object");
    }
  }
  KINORA_RETURN_IF_ERROR(ValidateCost(Sub(field, "cost"), artefact->cost()));
  KINORA_RETURN_IF_ERROR(
      ValidateDuration(Sub(field, "duration"), artefact->duration()));
  KINORA_RETURN_IF_ERROR(ValidateDependencies(field, *artefact));
  KINORA_RETURN_IF_ERROR(ValidateOutcome(field, inline_limit, artefact));
  return ValidateReadable(field, *artefact);
}

absl::Status ValidateLedger(absl::string_view field, absl::string_view run_id,
                            const v1::LedgerEvent& ledger) {
  if (ledger.run_id() != run_id) {
    return InvalidField(Sub(field, "run_id"), ledger.run_id(),
                        absl::StrCat("must be the log's run, ", run_id));
  }
  if (ledger.kind_case() == v1::LedgerEvent::KIND_NOT_SET) {
    return InvalidField(Sub(field, "kind"), "", "must be set");
  }
  if (ledger.occurred_at_ms() < 0 ||
      ledger.occurred_at_ms() > kMaxJsonInteger) {
    return InvalidField(Sub(field, "occurred_at_ms"),
                        absl::StrCat(ledger.occurred_at_ms()),
                        "must be milliseconds since 1970");
  }
  return absl::OkStatus();
}

absl::Status WrongPayload(absl::string_view field, const v1::Event& event,
                          absl::string_view wanted) {
  absl::string_view got = "none";
  switch (event.payload_case()) {
    case v1::Event::kInput:
      got = "input";
      break;
    case v1::Event::kArtefact:
      got = "artefact";
      break;
    case v1::Event::kRevisionCommitted:
      got = "revision_committed";
      break;
    case v1::Event::kLedger:
      got = "ledger";
      break;
    case v1::Event::PAYLOAD_NOT_SET:
      break;
  }
  return InvalidField(Sub(field, "payload"), got,
                      absl::StrCat("this log takes ", wanted, " events"));
}

}  // namespace

absl::Status ValidateArtefactId(absl::string_view field, absl::string_view id) {
  return ValidateId(field, id, ElementId::Kind::kArtefact);
}

absl::Status ValidateLogName(const v1::LogName& log) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(log.movie_id()));
  switch (log.kind()) {
    case v1::LOG_KIND_LEDGER:
      return ValidateRunIdField("log.run_id", log.run_id());
    case v1::LOG_KIND_INPUTS:
    case v1::LOG_KIND_ARTEFACTS:
      if (log.run_id().empty()) return absl::OkStatus();
      return InvalidField("log.run_id", log.run_id(),
                          "only ledgers belong to a run");
    default:
      return InvalidField("log.kind", absl::StrCat(log.kind()),
                          "must be inputs, artefacts or ledger");
  }
}

absl::Status ValidateEvent(absl::string_view field, const v1::LogName& log,
                           int64_t inline_limit, v1::Event* event) {
  if (event->sequence() != 0) {
    return InvalidField(Sub(field, "sequence"), absl::StrCat(event->sequence()),
                        "is assigned by the store");
  }
  if (event->has_time()) {
    return InvalidField(Sub(field, "time"),
                        absl::StrCat(event->time().seconds()),
                        "is assigned by the store");
  }
  if (log.kind() == v1::LOG_KIND_LEDGER) {
    if (!event->has_ledger()) return WrongPayload(field, *event, "ledger");
    if (!event->revision().empty()) {
      return InvalidField(Sub(field, "revision"), event->revision(),
                          "must be empty in a ledger");
    }
    return ValidateLedger(Sub(field, "ledger"), log.run_id(), event->ledger());
  }
  KINORA_RETURN_IF_ERROR(
      ValidateRevisionField(Sub(field, "revision"), event->revision()));
  if (log.kind() == v1::LOG_KIND_INPUTS) {
    if (!event->has_input()) return WrongPayload(field, *event, "input");
    return ValidateInput(Sub(field, "input"), inline_limit,
                         event->mutable_input());
  }
  if (!event->has_artefact()) return WrongPayload(field, *event, "artefact");
  return ValidateArtefact(Sub(field, "artefact"), inline_limit,
                          event->mutable_artefact());
}

const v1::Content* ContentOf(const v1::Event& event) {
  if (event.input().has_content()) return &event.input().content();
  if (event.artefact().has_output()) return &event.artefact().output();
  return nullptr;
}

}  // namespace kinora
