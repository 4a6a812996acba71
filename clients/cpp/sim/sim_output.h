// The outputs of the simulated producer: a pure function of what the job's
// header says, made piece by piece so that an output of any size costs no
// memory.

#ifndef KINORA_CLIENTS_CPP_SIM_SIM_OUTPUT_H_
#define KINORA_CLIENTS_CPP_SIM_SIM_OUTPUT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "clients/cpp/sim/sim_settings.h"
#include "kinora/v1/producer.pb.h"

namespace kinora {

// A SimOutput is one output under way. Not thread-safe.
class SimOutput {
 public:
  // `output_id` is what OutputChunk.output will say; `mime_type` the declared
  // type: for `application/json` the default content is a JSON object.
  SimOutput(const SimSettings& settings, const v1::JobHeader& header,
            absl::string_view output_id, absl::string_view mime_type);

  // The next bytes, at most `max_bytes`; empty at the end.
  std::string Next(int64_t max_bytes);

  bool AtEnd() const { return offset_ == size_; }
  int64_t offset() const { return offset_; }

 private:
  std::string text_;  // the content, or what seeds it
  bool random_ = false;
  uint64_t seed_ = 0;
  int64_t offset_ = 0;
  int64_t size_ = 0;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_SIM_SIM_OUTPUT_H_
