// W3C trace context: which request a piece of work belongs to, across
// processes. A server sets the trace of the call it is serving for the thread
// that serves it (TraceScope); channels made by clients/cpp/channel.h pass the
// thread's trace on as the header `traceparent`.

#ifndef KINORA_COMMON_TELEMETRY_TRACE_CONTEXT_H_
#define KINORA_COMMON_TELEMETRY_TRACE_CONTEXT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace kinora {

inline constexpr absl::string_view kTraceparentHeader = "traceparent";

// An empty TraceContext (the default) means that nothing is traced.
struct TraceContext {
  std::string trace_id;  // 32 lower-case hex digits, not all zero
  std::string span_id;   // 16 lower-case hex digits, not all zero
  bool sampled = false;

  bool empty() const { return trace_id.empty(); }

  // Reads a `traceparent` of version 00, or a later one as far as it looks the
  // same. nullopt for anything else: by the standard a bad header is ignored.
  static std::optional<TraceContext> Parse(absl::string_view traceparent);

  // A trace of its own, with random ids.
  static TraceContext New();

  // The same trace with a new span.
  TraceContext Child() const;

  // The header's value; empty for an empty context.
  std::string ToString() const;
};

// The trace of the calling thread; empty if none was set.
const TraceContext& CurrentTrace();

// Sets the trace of the calling thread for the length of a scope. Work handed
// to another thread copies CurrentTrace() and opens a scope of its own there.
class TraceScope {
 public:
  explicit TraceScope(TraceContext trace);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  TraceContext previous_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_TELEMETRY_TRACE_CONTEXT_H_
