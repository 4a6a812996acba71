// The text of the file that makes a RevisionCheckpoint
// (services/store/checkpoint/revision_checkpoint.h, where its format is): what
// the checkpoint stands for, and lines of inputs.log.

#ifndef KINORA_SERVICES_STORE_CHECKPOINT_CHECKPOINT_TEXT_H_
#define KINORA_SERVICES_STORE_CHECKPOINT_CHECKPOINT_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "services/store/event/event_log.h"

namespace kinora {

// What its first line says.
struct CheckpointInfo {
  std::string revision;
  int64_t inputs_through = 0;
  int64_t artefacts_through = 0;
  int64_t artefact_events = 0;
  std::string artefacts_sha256;
  int64_t artefacts_bytes = 0;
  std::string producer_totals;  // ProducerTotals::ToJson()

  int64_t Through(v1::LogKind kind) const {
    return kind == v1::LOG_KIND_INPUTS ? inputs_through : artefacts_through;
  }
};

std::string CheckpointText(const CheckpointInfo& info,
                           const std::vector<LogRecord>& inputs);

// The lines, each checked; moves what the first line says to `info`. DATA_LOSS
// if the text is damaged or of another version.
absl::StatusOr<std::vector<LogRecord>> ParseCheckpoint(absl::string_view text,
                                                       CheckpointInfo* info);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_CHECKPOINT_CHECKPOINT_TEXT_H_
