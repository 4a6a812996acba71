#include "services/store/event/event_reader.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include "common/canonical_json.h"
#include "common/json.h"
#include "common/json_text.h"
#include "common/rfc3339.h"
#include "common/utf8.h"

namespace kinora {
namespace {

// A LineReader moves through a line as long as it finds what it expects.
class LineReader {
 public:
  explicit LineReader(absl::string_view line)
      : at_(line.data()), end_(line.data() + line.size()) {}

  bool AtEnd() const { return at_ == end_; }

  bool Take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  template <size_t kSize>
  bool Take(const char (&text)[kSize]) {
    constexpr size_t kLength = kSize - 1;
    if (static_cast<size_t>(end_ - at_) < kLength ||
        std::memcmp(at_, text, kLength) != 0) {
      return false;
    }
    at_ += kLength;
    return true;
  }

  bool BeginObject() {
    first_ = true;
    return Take('{');
  }
  bool EndObject() {
    first_ = false;
    return Take('}');
  }

  // True, and past it, if this member comes next; `member` is `"key":`.
  template <size_t kSize>
  bool Member(const char (&member)[kSize]) {
    const char* const before = at_;
    if ((first_ || Take(',')) && Take(member)) {
      first_ = false;
      return true;
    }
    at_ = before;
    return false;
  }

  // A string without the escape \u.
  bool Text(std::string* out) {
    if (!Take('"')) return false;
    const char* begin = at_;
    at_ += PlainJsonTextPrefix(Rest());
    if (Take('"')) {
      out->assign(begin, at_ - 1);
      return true;
    }
    out->assign(begin, at_);
    return EscapedText(out);
  }

  // A string of plain text, as it stands in the line.
  bool PlainText(absl::string_view* out) {
    if (!Take('"')) return false;
    *out = absl::string_view(at_, PlainJsonTextPrefix(Rest()));
    at_ += out->size();
    return Take('"');
  }

  bool Integer(int64_t* out) {
    const auto [end, error] = std::from_chars(at_, end_, *out);
    // Beyond that, JSON's numbers are not exact.
    if (error != std::errc() || *out > kMaxJsonInteger ||
        *out < -kMaxJsonInteger) {
      return false;
    }
    at_ = end;
    return at_ == end_ || (*at_ != '.' && *at_ != 'e' && *at_ != 'E');
  }

  bool Double(double* out) {
    const auto [end, error] = std::from_chars(at_, end_, *out);
    if (error != std::errc()) return false;
    at_ = end;
    return true;
  }

  // Any value, as it stands in the line, if it is canonical JSON.
  bool CanonicalValue(std::string* out) {
    const char* const begin = at_;
    if (!SkipValue()) return false;
    out->assign(begin, at_);
    return IsCanonicalJson(*out);
  }

 private:
  absl::string_view Rest() const {
    return absl::string_view(at_, static_cast<size_t>(end_ - at_));
  }

  // The rest of a string whose plain beginning is in `out`.
  bool EscapedText(std::string* out) {
    for (;;) {
      const size_t plain = PlainJsonTextPrefix(Rest());
      out->append(at_, plain);
      at_ += plain;
      if (at_ == end_) return false;
      if (Take('"')) return true;
      if (Take('\\')) {
        if (!TakeEscape(out)) return false;
        continue;
      }
      const size_t length = Utf8CharLength(Rest());
      if (length < 2) return false;  // a control character, or no character
      out->append(at_, length);
      at_ += length;
    }
  }

  bool TakeEscape(std::string* out) {
    if (at_ == end_) return false;
    switch (*at_++) {
      case '"':
        out->push_back('"');
        return true;
      case '\\':
        out->push_back('\\');
        return true;
      case 'b':
        out->push_back('\b');
        return true;
      case 'f':
        out->push_back('\f');
        return true;
      case 'n':
        out->push_back('\n');
        return true;
      case 'r':
        out->push_back('\r');
        return true;
      case 't':
        out->push_back('\t');
        return true;
      default:
        return false;
    }
  }

  // Goes past a value by its brackets alone.
  bool SkipValue() {
    int depth = 0;
    while (at_ != end_) {
      switch (*at_) {
        case '"':
          if (!SkipString()) return false;
          break;
        case '{':
        case '[':
          ++depth;
          ++at_;
          break;
        case '}':
        case ']':
          if (depth == 0) return true;
          --depth;
          ++at_;
          break;
        case ',':
          if (depth == 0) return true;
          ++at_;
          break;
        default:
          ++at_;
      }
    }
    return false;
  }

  bool SkipString() {
    for (++at_; at_ != end_; ++at_) {
      at_ += PlainJsonTextPrefix(Rest());
      if (at_ == end_) return false;
      if (*at_ == '"') {
        ++at_;
        return true;
      }
      if (*at_ == '\\' && ++at_ == end_) return false;
    }
    return false;
  }

  const char* at_;
  const char* const end_;
  bool first_ = true;  // no member of the object was read yet
};

// The words of the enums, as event_writer.cc writes them.
bool ReadWord(LineReader& line, v1::EditedBy* value) {
  absl::string_view word;
  if (!line.PlainText(&word)) return false;
  *value = word == "user"     ? v1::EDITED_BY_USER
           : word == "system" ? v1::EDITED_BY_SYSTEM
                              : v1::EDITED_BY_UNSPECIFIED;
  return *value != v1::EDITED_BY_UNSPECIFIED;
}

bool ReadWord(LineReader& line, v1::ArtefactStatus* value) {
  absl::string_view word;
  if (!line.PlainText(&word)) return false;
  *value = word == "succeeded" ? v1::ARTEFACT_STATUS_SUCCEEDED
           : word == "failed"  ? v1::ARTEFACT_STATUS_FAILED
           : word == "skipped" ? v1::ARTEFACT_STATUS_SKIPPED
                               : v1::ARTEFACT_STATUS_UNSPECIFIED;
  return *value != v1::ARTEFACT_STATUS_UNSPECIFIED;
}

bool Read(LineReader& line, v1::InlineValue* value) {
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

bool Read(LineReader& line, v1::BlobRef* blob) {
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

bool Read(LineReader& line, v1::Content* content) {
  if (!line.BeginObject()) return false;
  if (line.Member("\"blob\":")) {
    if (!Read(line, content->mutable_blob())) return false;
  } else if (line.Member("\"inline\":")) {
    if (!Read(line, content->mutable_inline_())) return false;
  }
  return line.EndObject();
}

bool Read(LineReader& line, v1::InputEvent* input) {
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
  return line.EndObject();
}

bool Read(LineReader& line, v1::ProducerIdentity* producer) {
  if (!line.BeginObject()) return false;
  if (line.Member("\"name\":") && !line.Text(producer->mutable_name())) {
    return false;
  }
  if (line.Member("\"version\":") && !line.Text(producer->mutable_version())) {
    return false;
  }
  return line.EndObject();
}

bool Read(LineReader& line, v1::ProducedBy* by) {
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

bool Read(LineReader& line, v1::Dependency* dependency) {
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

bool ReadDependencies(LineReader& line, v1::ArtefactEvent* artefact) {
  if (!line.Take('[')) return false;
  do {
    if (!Read(line, artefact->add_dependencies())) return false;
  } while (line.Take(','));
  return line.Take(']');
}

bool Read(LineReader& line, v1::Cost* cost) {
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

bool ReadDuration(LineReader& line, google::protobuf::Duration* duration) {
  double seconds = 0;
  if (!line.Double(&seconds) || !(std::abs(seconds) < 1e9)) return false;
  const double whole = std::trunc(seconds);
  duration->set_seconds(static_cast<int64_t>(whole));
  duration->set_nanos(
      static_cast<int32_t>(std::round((seconds - whole) * 1e9)));
  return true;
}

bool Read(LineReader& line, v1::ArtefactEvent* artefact) {
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
  return line.EndObject();
}

// The members that frame a body: a request's mark and the checksum.
bool ReadFraming(LineReader& line) {
  absl::string_view ignored;
  int64_t events = 0;
  if (line.Member("\"requestId\":") && !line.PlainText(&ignored)) return false;
  if (line.Member("\"requestEvents\":") && !line.Integer(&events)) return false;
  return line.Member("\"crc32c\":") && line.PlainText(&ignored) &&
         line.EndObject() && line.AtEnd();
}

}  // namespace

bool ReadEventLine(absl::string_view line, v1::Event* event) {
  LineReader reader(line);
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

}  // namespace kinora
