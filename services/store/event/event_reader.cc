#include "services/store/event/event_reader.h"

#include <cmath>
#include <cstdint>
#include <string>

#include "common/json/json_scanner.h"
#include "common/json/ledger_json.h"
#include "common/rfc3339.h"

namespace kinora {
namespace {

// The words of the enums, as event_writer.cc writes them.
bool ReadWord(JsonScanner& line, v1::EditedBy* value) {
  absl::string_view word;
  if (!line.PlainText(&word)) return false;
  *value = word == "user"     ? v1::EDITED_BY_USER
           : word == "system" ? v1::EDITED_BY_SYSTEM
                              : v1::EDITED_BY_UNSPECIFIED;
  return *value != v1::EDITED_BY_UNSPECIFIED;
}

bool ReadWord(JsonScanner& line, v1::ArtefactStatus* value) {
  absl::string_view word;
  if (!line.PlainText(&word)) return false;
  *value = word == "succeeded" ? v1::ARTEFACT_STATUS_SUCCEEDED
           : word == "failed"  ? v1::ARTEFACT_STATUS_FAILED
           : word == "skipped" ? v1::ARTEFACT_STATUS_SKIPPED
                               : v1::ARTEFACT_STATUS_UNSPECIFIED;
  return *value != v1::ARTEFACT_STATUS_UNSPECIFIED;
}

bool Read(JsonScanner& line, v1::InlineValue* value) {
  if (!line.BeginObject()) return false;
  if (line.Member("\"hash\":") && !line.Text(value->mutable_hash())) {
    return false;
  }
  if (line.Member("\"mimeType\":") && !line.Text(value->mutable_mime_type())) {
    return false;
  }
  if (line.Member("\"json\":")) {
    if (!line.CanonicalValue(value->mutable_data())) return false;
  } else if (line.Member("\"text\":")) {
    if (!line.Text(value->mutable_data())) return false;
  }
  return line.EndObject();  // not so for base64
}

bool Read(JsonScanner& line, v1::BlobRef* blob) {
  if (!line.BeginObject()) return false;
  v1::Digest& digest = *blob->mutable_digest();
  int64_t size = 0;
  if (!line.Member("\"hash\":") || !line.Text(digest.mutable_hash()) ||
      !line.Member("\"size\":") || !line.Integer(&size)) {
    return false;
  }
  digest.set_size_bytes(size);
  if (line.Member("\"mimeType\":") && !line.Text(blob->mutable_mime_type())) {
    return false;
  }
  return line.EndObject();
}

bool Read(JsonScanner& line, v1::Content* content) {
  if (!line.BeginObject()) return false;
  if (line.Member("\"blob\":")) {
    if (!Read(line, content->mutable_blob())) return false;
  } else if (line.Member("\"inline\":")) {
    if (!Read(line, content->mutable_inline_())) return false;
  }
  return line.EndObject();
}

bool Read(JsonScanner& line, v1::InputEvent* input) {
  if (!line.BeginObject()) return false;
  if (line.Member("\"inputId\":") && !line.Text(input->mutable_input_id())) {
    return false;
  }
  if (line.Member("\"content\":") && !Read(line, input->mutable_content())) {
    return false;
  }
  if (line.Member("\"editedBy\":")) {
    v1::EditedBy by;
    if (!ReadWord(line, &by)) return false;
    input->set_edited_by(by);
  }
  if (line.Member("\"cleared\":")) {
    if (!line.Take("true")) return false;
    input->set_cleared(true);
  }
  if (line.Member("\"restoredSequence\":")) {
    int64_t restored = 0;
    if (!line.Integer(&restored)) return false;
    input->set_restored_sequence(restored);
  }
  return line.EndObject();
}

bool Read(JsonScanner& line, v1::ProducerIdentity* producer) {
  if (!line.BeginObject()) return false;
  if (line.Member("\"name\":") && !line.Text(producer->mutable_name())) {
    return false;
  }
  if (line.Member("\"version\":") && !line.Text(producer->mutable_version())) {
    return false;
  }
  return line.EndObject();
}

bool Read(JsonScanner& line, v1::ProducedBy* by) {
  if (!line.BeginObject()) return false;
  if (line.Member("\"runId\":") && !line.Text(by->mutable_run_id())) {
    return false;
  }
  if (line.Member("\"jobId\":") && !line.Text(by->mutable_job_id())) {
    return false;
  }
  if (line.Member("\"node\":") && !line.Text(by->mutable_node())) return false;
  if (line.Member("\"producer\":") && !Read(line, by->mutable_producer())) {
    return false;
  }
  if (line.Member("\"settingsHash\":") &&
      !line.Text(by->mutable_settings_hash())) {
    return false;
  }
  if (line.Member("\"attempt\":")) {
    int64_t attempt = 0;
    if (!line.Integer(&attempt) || attempt < 0 || attempt > UINT32_MAX) {
      return false;
    }
    by->set_attempt(static_cast<uint32_t>(attempt));
  }
  if (line.Member("\"editedBy\":")) {
    v1::EditedBy edited_by;
    if (!ReadWord(line, &edited_by)) return false;
    by->set_edited_by(edited_by);
  }
  return line.EndObject();
}

bool Read(JsonScanner& line, v1::Dependency* dependency) {
  if (!line.BeginObject()) return false;
  if (line.Member("\"slot\":") && !line.Text(dependency->mutable_slot())) {
    return false;
  }
  if (line.Member("\"sourceId\":") &&
      !line.Text(dependency->mutable_source_id())) {
    return false;
  }
  if (line.Member("\"hash\":") && !line.Text(dependency->mutable_hash())) {
    return false;
  }
  return line.EndObject();
}

bool ReadDependencies(JsonScanner& line, v1::ArtefactEvent* artefact) {
  if (!line.Take('[')) return false;
  do {
    if (!Read(line, artefact->add_dependencies())) return false;
  } while (line.Take(','));
  return line.Take(']');
}

bool Read(JsonScanner& line, v1::Cost* cost) {
  if (!line.BeginObject()) return false;
  if (line.Member("\"currencyCode\":") &&
      !line.Text(cost->mutable_currency_code())) {
    return false;
  }
  if (line.Member("\"micros\":")) {
    int64_t micros = 0;
    if (!line.Integer(&micros)) return false;
    cost->set_micros(micros);
  }
  return line.EndObject();
}

bool ReadDuration(JsonScanner& line, google::protobuf::Duration* duration) {
  double seconds = 0;
  if (!line.Double(&seconds) || !(std::abs(seconds) < 1e9)) return false;
  const double whole = std::trunc(seconds);
  duration->set_seconds(static_cast<int64_t>(whole));
  duration->set_nanos(
      static_cast<int32_t>(std::round((seconds - whole) * 1e9)));
  return true;
}

bool Read(JsonScanner& line, v1::ArtefactEvent* artefact) {
  if (!line.BeginObject()) return false;
  if (line.Member("\"artefactId\":") &&
      !line.Text(artefact->mutable_artefact_id())) {
    return false;
  }
  if (line.Member("\"inputsHash\":") &&
      !line.Text(artefact->mutable_inputs_hash())) {
    return false;
  }
  if (line.Member("\"status\":")) {
    v1::ArtefactStatus status;
    if (!ReadWord(line, &status)) return false;
    artefact->set_status(status);
  }
  if (line.Member("\"output\":") && !Read(line, artefact->mutable_output())) {
    return false;
  }
  if (line.Member("\"producedBy\":") &&
      !Read(line, artefact->mutable_produced_by())) {
    return false;
  }
  // A failure would stand here; its lines are for the general parser.
  if (line.Member("\"reusedSequence\":")) {
    int64_t reused = 0;
    if (!line.Integer(&reused)) return false;
    artefact->set_reused_sequence(reused);
  }
  if (line.Member("\"dependencies\":") && !ReadDependencies(line, artefact)) {
    return false;
  }
  if (line.Member("\"cost\":") && !Read(line, artefact->mutable_cost())) {
    return false;
  }
  if (line.Member("\"diagnosticsJson\":") &&
      !line.Text(artefact->mutable_diagnostics_json())) {
    return false;
  }
  if (line.Member("\"readablePath\":") &&
      !line.Text(artefact->mutable_readable_path())) {
    return false;
  }
  if (line.Member("\"duration\":") &&
      !ReadDuration(line, artefact->mutable_duration())) {
    return false;
  }
  if (line.Member("\"draw\":")) {
    int64_t draw = 0;
    if (!line.Integer(&draw) || draw < 0 || draw > UINT32_MAX) return false;
    artefact->set_draw(static_cast<uint32_t>(draw));
  }
  return line.EndObject();
}

// The members that frame a body: a request's mark and the checksum.
bool ReadFraming(JsonScanner& line) {
  absl::string_view ignored;
  int64_t events = 0;
  if (line.Member("\"requestId\":") && !line.PlainText(&ignored)) return false;
  if (line.Member("\"requestEvents\":") && !line.Integer(&events)) return false;
  return line.Member("\"crc32c\":") && line.PlainText(&ignored) &&
         line.EndObject() && line.AtEnd();
}

}  // namespace

bool ReadEventLine(absl::string_view line, v1::Event* event) {
  JsonScanner reader(line);
  int64_t sequence = 0;
  if (!reader.BeginObject() || !reader.Member("\"seq\":") ||
      !reader.Integer(&sequence)) {
    return false;
  }
  if (reader.Member("\"time\":")) {
    absl::string_view time;
    int64_t seconds = 0;
    int32_t nanos = 0;
    if (!reader.PlainText(&time) || !ParseRfc3339(time, &seconds, &nanos)) {
      return false;
    }
    event->mutable_time()->set_seconds(seconds);
    event->mutable_time()->set_nanos(nanos);
  }
  if (reader.Member("\"revision\":") &&
      !reader.Text(event->mutable_revision())) {
    return false;
  }
  if (reader.Member("\"readerMayIgnore\":")) {
    if (!reader.Take("true")) return false;
    event->set_reader_may_ignore(true);
  }
  if (reader.Member("\"input\":")) {
    if (!Read(reader, event->mutable_input())) return false;
  } else if (reader.Member("\"artefact\":")) {
    if (!Read(reader, event->mutable_artefact())) return false;
  } else {
    return false;
  }
  return ReadFraming(reader);
}

namespace {

bool ReadWord(JsonScanner& line, v1::LedgerSource* value) {
  absl::string_view word;
  if (!line.PlainText(&word)) return false;
  *value = LedgerSourceOf(word);
  return *value != v1::LEDGER_SOURCE_UNSPECIFIED;
}

bool Read(JsonScanner& line, v1::StepIdentity* step) {
  if (!line.Member("\"stepId\":") || !line.Text(step->mutable_step_id())) {
    return false;
  }
  if (line.Member("\"label\":") && !line.Text(step->mutable_label())) {
    return false;
  }
  if (line.Member("\"kind\":") && !line.Text(step->mutable_kind())) {
    return false;
  }
  return !line.Member("\"artefactNamespace\":") ||
         line.Text(step->mutable_artefact_namespace());
}

template <typename Step>
bool ReadAttempt(JsonScanner& line, Step* step) {
  int64_t attempt = 0;
  if (!line.Member("\"attempt\":")) return true;
  if (!line.Integer(&attempt) || attempt < 0 || attempt > UINT32_MAX) {
    return false;
  }
  step->set_attempt(static_cast<uint32_t>(attempt));
  return true;
}

bool Read(JsonScanner& line, v1::StepStartedEvent* started) {
  if (!Read(line, started->mutable_step()) || !ReadAttempt(line, started)) {
    return false;
  }
  if (line.Member("\"inputsHash\":") &&
      !line.Text(started->mutable_inputs_hash())) {
    return false;
  }
  return !line.Member("\"reserved\":") ||
         Read(line, started->mutable_reserved());
}

bool Read(JsonScanner& line, v1::StepCompletedEvent* completed) {
  if (!Read(line, completed->mutable_step()) || !ReadAttempt(line, completed)) {
    return false;
  }
  return !line.Member("\"cost\":") || Read(line, completed->mutable_cost());
}

bool Read(JsonScanner& line, v1::StepSkippedEvent* skipped) {
  return Read(line, skipped->mutable_step()) &&
         (!line.Member("\"reason\":") ||
          line.Text(skipped->mutable_reason())) &&
         (!line.Member("\"blockedBy\":") ||
          line.Text(skipped->mutable_blocked_by()));
}

}  // namespace

bool ReadLedgerLine(absl::string_view line, v1::LedgerEvent* event) {
  JsonScanner reader(line);
  int64_t sequence = 0;
  int64_t occurred_at_ms = 0;
  if (!reader.BeginObject() || !reader.Member("\"seq\":") ||
      !reader.Integer(&sequence) || !reader.Member("\"runId\":") ||
      !reader.Text(event->mutable_run_id())) {
    return false;
  }
  if (reader.Member("\"source\":")) {
    v1::LedgerSource source;
    if (!ReadWord(reader, &source)) return false;
    event->set_source(source);
  }
  absl::string_view type;
  if (!reader.Member("\"occurredAt\":") || !reader.Integer(&occurred_at_ms) ||
      !reader.Member("\"type\":") || !reader.PlainText(&type)) {
    return false;
  }
  event->set_occurred_at_ms(occurred_at_ms);
  const bool read =
      type == "step.started"     ? Read(reader, event->mutable_step_started())
      : type == "step.completed" ? Read(reader, event->mutable_step_completed())
      : type == "step.skipped"   ? Read(reader, event->mutable_step_skipped())
                                 : false;
  return read && ReadFraming(reader);
}

}  // namespace kinora
