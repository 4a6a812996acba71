// The JSON of events. An event that was read and written is the same event, and
// its JSON is a fixed point: writing what was read of it changes no byte.

#include <string>

#include "services/store/event/event_json.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

v1::Event Unnumbered(v1::Event event) {
  event.clear_sequence();
  return event;
}

void CheckRoundTrip(v1::LogKind kind, absl::string_view line) {
  const LogRecord record = {.sequence = 7, .line = std::string(line)};
  const absl::StatusOr<v1::Event> event =
      EventFromRecord("builds/film/events/x.log", kind, record);
  const std::optional<RequestMark> mark = RequestMarkOf(line);
  if (!event.ok()) return;
  FUZZ_CHECK(event->sequence() == 7);
  // A kind that this build does not know cannot be written again.
  if (event->payload_case() == v1::Event::PAYLOAD_NOT_SET) return;
  const std::string body = EventToBody(Unnumbered(*event), nullptr);
  const absl::StatusOr<v1::Event> again = EventFromRecord(
      "builds/film/events/x.log", kind, {.sequence = 7, .line = body});
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(EventToBody(Unnumbered(*again), nullptr) == body);
  FUZZ_CHECK(again->SerializeAsString() == event->SerializeAsString());
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  const absl::string_view input = FuzzInput(data, size);
  for (const v1::LogKind kind :
       {v1::LOG_KIND_INPUTS, v1::LOG_KIND_ARTEFACTS, v1::LOG_KIND_LEDGER}) {
    CheckRoundTrip(kind, input);
  }
  return 0;
}
