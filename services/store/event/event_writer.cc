#include "services/store/event/event_writer.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "common/json/canonical_json.h"
#include "common/json/json_writer.h"
#include "common/json/ledger_json.h"
#include "common/json/proto_json.h"
#include "common/rfc3339.h"
#include "common/utf8.h"

namespace kinora {
namespace {

absl::string_view WordOf(v1::EditedBy value) {
  switch (value) {
    case v1::EDITED_BY_USER:
      return "user";
    case v1::EDITED_BY_SYSTEM:
      return "system";
    default:
      return "";
  }
}

absl::string_view WordOf(v1::ArtefactStatus value) {
  switch (value) {
    case v1::ARTEFACT_STATUS_SUCCEEDED:
      return "succeeded";
    case v1::ARTEFACT_STATUS_FAILED:
      return "failed";
    case v1::ARTEFACT_STATUS_SKIPPED:
      return "skipped";
    default:
      return "";
  }
}

// A MemberWriter leaves out members that hold their default, as ProtoToJson()
// does. What it cannot write makes it fail for good.
class MemberWriter {
 public:
  explicit MemberWriter(std::string* out) : out_(*out), json_(out) {}

  bool ok() const { return ok_; }

  void Write(const v1::Event& event) {
    if (event.has_time()) {
      json_.Key("time");
      out_.push_back('"');
      AppendRfc3339(event.time().seconds(), event.time().nanos(), &out_);
      json_.Raw("\"");
    }
    Text("revision", event.revision());
    if (event.reader_may_ignore()) json_.Key("readerMayIgnore").Bool(true);
    if (event.has_input()) {
      Object("input", event.input());
    } else if (event.has_artefact()) {
      Object("artefact", event.artefact());
    } else {
      ok_ = false;
    }
  }

 private:
  template <typename Message>
  void Object(absl::string_view key, const Message& message) {
    json_.Key(key).BeginObject();
    Members(message);
    json_.EndObject();
  }

  void Text(absl::string_view key, const std::string& value) {
    if (!value.empty()) json_.Key(key).String(value);
  }
  void Number(absl::string_view key, int64_t value) {
    if (value == 0) return;
    if (value > kMaxJsonInteger || value < -kMaxJsonInteger) ok_ = false;
    json_.Key(key).Int(value);
  }
  template <typename Enum>
  void Word(absl::string_view key, Enum value) {
    if (value == 0) return;
    const absl::string_view word = WordOf(value);
    if (word.empty()) ok_ = false;
    json_.Key(key).String(word);
  }

  void Members(const v1::InputEvent& input) {
    Text("inputId", input.input_id());
    if (input.has_content()) Object("content", input.content());
    Word("editedBy", input.edited_by());
    if (input.cleared()) json_.Key("cleared").Bool(true);
    Number("restoredSequence", input.restored_sequence());
  }

  void Members(const v1::ArtefactEvent& artefact) {
    Text("artefactId", artefact.artefact_id());
    Text("inputsHash", artefact.inputs_hash());
    Word("status", artefact.status());
    if (artefact.has_output()) Object("output", artefact.output());
    if (artefact.has_produced_by())
      Object("producedBy", artefact.produced_by());
    // Rare, and it nests.
    if (artefact.has_failure()) {
      json_.Key("failure").Value(ProtoToJson(artefact.failure()));
    }
    Number("reusedSequence", artefact.reused_sequence());
    if (!artefact.dependencies().empty()) {
      json_.Key("dependencies").BeginArray();
      for (const v1::Dependency& dependency : artefact.dependencies()) {
        json_.BeginObject();
        Text("slot", dependency.slot());
        Text("sourceId", dependency.source_id());
        Text("hash", dependency.hash());
        json_.EndObject();
      }
      json_.EndArray();
    }
    if (artefact.has_cost()) Object("cost", artefact.cost());
    Text("diagnosticsJson", artefact.diagnostics_json());
    Text("readablePath", artefact.readable_path());
    if (artefact.has_duration()) {
      json_.Key("duration")
          .Double(static_cast<double>(artefact.duration().seconds()) +
                  static_cast<double>(artefact.duration().nanos()) * 1e-9);
    }
    Number("draw", artefact.draw());
  }

  void Members(const v1::ProducedBy& by) {
    Text("runId", by.run_id());
    Text("jobId", by.job_id());
    Text("node", by.node());
    if (by.has_producer()) Object("producer", by.producer());
    Text("settingsHash", by.settings_hash());
    Number("attempt", by.attempt());
    Word("editedBy", by.edited_by());
  }

  void Members(const v1::ProducerIdentity& producer) {
    Text("name", producer.name());
    Text("version", producer.version());
  }

  void Members(const v1::Cost& cost) {
    Text("currencyCode", cost.currency_code());
    Number("micros", cost.micros());
  }

  void Members(const v1::Content& content) {
    if (content.has_blob()) Object("blob", content.blob());
    if (content.has_inline_()) Object("inline", content.inline_());
  }

  void Members(const v1::BlobRef& blob) {
    const int64_t size = blob.digest().size_bytes();
    if (size > kMaxJsonInteger || size < -kMaxJsonInteger) ok_ = false;
    json_.Key("hash").String(blob.digest().hash()).Key("size").Int(size);
    Text("mimeType", blob.mime_type());
  }

  void Members(const v1::InlineValue& value) {
    Text("hash", value.hash());
    Text("mimeType", value.mime_type());
    if (value.mime_type() == "application/json" &&
        IsCanonicalJson(value.data())) {
      json_.Key("json").Raw(value.data());
    } else if (IsValidUtf8(value.data())) {
      json_.Key("text").String(value.data());
    } else {
      json_.Key("base64").String(absl::Base64Escape(value.data()));
    }
  }

  std::string& out_;
  JsonWriter json_;
  bool ok_ = true;
};

}  // namespace

bool AppendEventMembers(const v1::Event& event, std::string* out) {
  const size_t before = out->size();
  MemberWriter writer(out);
  writer.Write(event);
  if (!writer.ok()) out->resize(before);
  return writer.ok();
}

namespace {

// Writes the members of a step's event in the order of LedgerEventToJson().
class StepWriter {
 public:
  explicit StepWriter(std::string* out) : json_(out) {}

  bool ok() const { return ok_; }

  void Begin(const v1::LedgerEvent& event, absl::string_view type) {
    Text("runId", event.run_id());
    const absl::string_view source = LedgerSourceWord(event.source());
    if (!source.empty()) json_.Key("source").String(source);
    Number("occurredAt", event.occurred_at_ms());
    json_.Key("type").String(type);
  }

  void Step(const v1::StepIdentity& step) {
    Text("stepId", step.step_id());
    if (step.has_label()) Text("label", step.label());
    if (step.has_kind()) Text("kind", step.kind());
    if (step.has_artefact_namespace()) {
      Text("artefactNamespace", step.artefact_namespace());
    }
  }

  void Attempt(uint32_t attempt) {
    if (attempt != 0) Number("attempt", attempt);
  }

  void TextIfAny(absl::string_view key, const std::string& text) {
    if (!text.empty()) Text(key, text);
  }

  void Money(absl::string_view key, const v1::Cost& cost) {
    json_.Key(key).BeginObject();
    TextIfAny("currencyCode", cost.currency_code());
    Number("micros", cost.micros());
    json_.EndObject();
  }

 private:
  void Text(absl::string_view key, const std::string& text) {
    ok_ = ok_ && IsValidUtf8(text);
    json_.Key(key).String(text);
  }

  void Number(absl::string_view key, int64_t value) {
    ok_ = ok_ && value <= kMaxJsonInteger && value >= -kMaxJsonInteger;
    json_.Key(key).Int(value);
  }

  JsonWriter json_;
  bool ok_ = true;
};

bool WriteStep(const v1::LedgerEvent& event, StepWriter* json) {
  switch (event.kind_case()) {
    case v1::LedgerEvent::kStepStarted: {
      const v1::StepStartedEvent& started = event.step_started();
      json->Begin(event, "step.started");
      json->Step(started.step());
      json->Attempt(started.attempt());
      json->TextIfAny("inputsHash", started.inputs_hash());
      if (started.has_reserved()) json->Money("reserved", started.reserved());
      return json->ok();
    }
    case v1::LedgerEvent::kStepCompleted: {
      const v1::StepCompletedEvent& completed = event.step_completed();
      json->Begin(event, "step.completed");
      json->Step(completed.step());
      json->Attempt(completed.attempt());
      if (completed.has_cost()) json->Money("cost", completed.cost());
      return json->ok();
    }
    case v1::LedgerEvent::kStepSkipped: {
      const v1::StepSkippedEvent& skipped = event.step_skipped();
      json->Begin(event, "step.skipped");
      json->Step(skipped.step());
      json->TextIfAny("reason", skipped.reason());
      json->TextIfAny("blockedBy", skipped.blocked_by());
      return json->ok();
    }
    default:
      return false;
  }
}

}  // namespace

bool AppendLedgerMembers(const v1::LedgerEvent& event, std::string* out) {
  const size_t before = out->size();
  StepWriter writer(out);
  if (WriteStep(event, &writer)) return true;
  out->resize(before);
  return false;
}

}  // namespace kinora
