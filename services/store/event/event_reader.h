// Reads the JSON of events as event_writer.h writes it: the members in that
// order and spelling, each at most once, without white space. For lines that
// are read often; everything else is for the general parser, which also says
// what is wrong.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_READER_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_READER_H_

#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"

namespace kinora {

// Reads a line of inputs.log or artefacts.log with its framing (log_line.h),
// whose checksum was seen to be right. False, and `event` in any state, if the
// line is not of this form. `event` MUST be empty and gets no sequence.
bool ReadEventLine(absl::string_view line, v1::Event* event);

// Reads a line of a run's ledger: of a step that started, completed or was
// skipped. As above otherwise.
bool ReadLedgerLine(absl::string_view line, v1::LedgerEvent* event);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_READER_H_
