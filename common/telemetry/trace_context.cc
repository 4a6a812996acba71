#include "common/telemetry/trace_context.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "common/random.h"

namespace kinora {
namespace {

thread_local TraceContext current_trace;

bool IsLowerHex(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(c) && (c < 'a' || c > 'f')) return false;
  }
  return true;
}

bool IsId(absl::string_view text) {
  return IsLowerHex(text) &&
         text.find_first_not_of('0') != absl::string_view::npos;
}

// Ids of traces are no secrets: no call to the kernel for each.
Random& IdRandom() {
  static SeededRandom* const random = new SeededRandom(SystemRandom().Next());
  return *random;
}

// All zero is no id; it comes up once in 2^64 draws.
std::string RandomHex(size_t bytes) {
  std::string raw(bytes, '\0');
  do {
    IdRandom().Fill(
        absl::MakeSpan(reinterpret_cast<uint8_t*>(raw.data()), raw.size()));
  } while (raw.find_first_not_of('\0') == std::string::npos);
  return absl::BytesToHexString(raw);
}

}  // namespace

std::optional<TraceContext> TraceContext::Parse(absl::string_view traceparent) {
  const absl::string_view text = traceparent;
  // 00-<32 trace>-<16 span>-<2 flags>; later versions may append "-...".
  constexpr size_t kLength = 55;
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' ||
      text[52] != '-') {
    return std::nullopt;
  }
  const absl::string_view version = text.substr(0, 2);
  const absl::string_view flags = text.substr(53, 2);
  if (!IsLowerHex(version) || version == "ff" || !IsLowerHex(flags)) {
    return std::nullopt;
  }
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) {
    return std::nullopt;
  }
  TraceContext trace;
  trace.trace_id = std::string(text.substr(3, 32));
  trace.span_id = std::string(text.substr(36, 16));
  if (!IsId(trace.trace_id) || !IsId(trace.span_id)) return std::nullopt;
  const char low = flags[1];
  const int bits = low <= '9' ? low - '0' : low - 'a' + 10;
  trace.sampled = (bits & 1) != 0;
  return trace;
}

TraceContext TraceContext::New() {
  TraceContext trace;
  trace.trace_id = RandomHex(16);
  trace.span_id = RandomHex(8);
  trace.sampled = true;
  return trace;
}

TraceContext TraceContext::Child() const {
  if (empty()) return {};
  TraceContext child = *this;
  child.span_id = RandomHex(8);
  return child;
}

std::string TraceContext::ToString() const {
  if (empty()) return "";
  return absl::StrCat("00-", trace_id, "-", span_id, sampled ? "-01" : "-00");
}

const TraceContext& CurrentTrace() { return current_trace; }

TraceScope::TraceScope(TraceContext trace)
    : previous_(std::exchange(current_trace, std::move(trace))) {}

TraceScope::~TraceScope() { current_trace = std::move(previous_); }

}  // namespace kinora
