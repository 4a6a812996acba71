// What the simulated producer answers to one job, message by message. Pure:
// no stream, no clock, no thread.

#ifndef KINORA_CLIENTS_CPP_SIM_SIM_SCRIPT_H_
#define KINORA_CLIENTS_CPP_SIM_SIM_SCRIPT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "clients/cpp/sim/sim_output.h"
#include "clients/cpp/sim/sim_settings.h"
#include "common/digest.h"
#include "kinora/v1/producer.pb.h"

namespace kinora {

// An input that is to be read at a URL.
struct SimReference {
  std::string binding;
  uint32_t element = 0;
  std::string url;
};

// A SimScript takes a job's inputs, then gives its answers. Not thread-safe.
class SimScript {
 public:
  // INVALID_ARGUMENT if the header or its settings are malformed.
  static absl::StatusOr<SimScript> Make(v1::JobHeader header);

  // True if the call is to break off before the job is accepted.
  bool is_lost() const { return header_.attempt() <= settings_.lost_attempts; }

  // Takes a piece of an input that is not inline. INVALID_ARGUMENT if no such
  // input is expected, if bytes are missing, or if the whole is not what its
  // digest says: a simulation also checks its caller.
  absl::Status TakeInput(const v1::InputChunk& chunk);

  // The inputs that do not come by the stream: whoever has the script reads
  // them, and hands over their pieces as if they did.
  std::vector<SimReference> References() const;

  // To be called after the last input; INVALID_ARGUMENT names an input whose
  // bytes did not all arrive.
  absl::Status CheckInputs() const;

  // How long to wait before the first answer.
  absl::Duration delay() const {
    return header_.attempt() > settings_.slow_attempts.value_or(UINT32_MAX)
               ? absl::ZeroDuration()
               : absl::Milliseconds(settings_.delay_ms);
  }

  // Whether a question is asked with the stream left open, until TakeAnswer();
  // else the job ends with a result that waits.
  void StayOpen(bool open) { stays_open_ = open; }
  void TakeAnswer(const v1::Answer& answer) { *header_.add_answers() = answer; }
  // True while there is nothing to send until TakeAnswer() or StayOpen(false).
  bool paused() const {
    return stays_open_ && question_sent_ && !result_sent_ && MustAsk();
  }

  // The next answer after `accepted`; false after the result. REQUIRES:
  // !paused().
  bool Next(v1::ProduceResponse* response);

 private:
  // An input that is not inline, under way.
  struct LargeInput {
    std::string source_id;
    std::string reference;  // empty if it is streamed
    v1::Digest expected;
    Sha256 hasher;
    int64_t received = 0;
    bool complete = false;
  };

  SimScript(v1::JobHeader header, SimSettings settings);

  bool NextLogLines(v1::ProduceResponse* response);
  bool NextOutputChunk(v1::ProduceResponse* response);
  void WriteResult(v1::ProduceResponse* response);
  bool MustAsk() const;
  std::string ContentHash() const;

  v1::JobHeader header_;
  SimSettings settings_;
  // By binding and element.
  std::map<std::pair<std::string, uint32_t>, LargeInput> inputs_;

  int64_t lines_sent_ = 0;
  bool usage_sent_ = false;
  bool question_sent_ = false;
  bool stays_open_ = false;
  bool result_sent_ = false;
  std::vector<std::pair<std::string, std::string>> outputs_;  // id, mime type
  size_t next_output_ = 0;
  std::optional<SimOutput> output_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_SIM_SIM_SCRIPT_H_
