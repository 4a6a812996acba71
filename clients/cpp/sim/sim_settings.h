// What a blueprint node may tell the simulated producer.
//
//   bytes          size of each output in bytes; the content is pseudo-random
//                  but the same for the same job and inputs
//   text           each output is this text, whatever the inputs
//   delay_ms       time from the last input to the first output
//   slow_attempts  only the first so many attempts take that time
//   fail_attempts  the first so many attempts fail with fail_code
//   fail_code      UNAVAILABLE unless set; UNAVAILABLE, DEADLINE_EXCEEDED,
//                  RESOURCE_EXHAUSTED and ABORTED may be retried
//   retry_after_ms what a failure asks for until the next call
//   lost_attempts  the calls of the first so many attempts break off before
//                  the job is accepted, as if the producer were down
//   question       asked of a person; the output then names the answer
//   question_kind  text unless set; confirm, choice, multiple or json
//   question_options  what a choice is made from
//   question_terms  all else that it has, as a Question is in JSON, such as
//                  {timeout: 3600, defaultJson: "true"}; the contentHash
//                  `inputs` stands for the job's inputs hash, and
//                  `answers` for how many answers it has got: other content
//                  each time it is called
//   log_lines      so many lines for the run's log
//   cost           charged for each attempt
//   currency       of the cost, such as USD; the installation's unless set
//   readable_path  what each output names as the path of its readable copy
//   salt           makes outputs differ that would be equal
//
// Without any of them an output is a text that names the job and the digests
// of its inputs. Other members are allowed and ignored, so that a real node
// can be simulated with its own settings in place.

#ifndef KINORA_CLIENTS_CPP_SIM_SIM_SETTINGS_H_
#define KINORA_CLIENTS_CPP_SIM_SIM_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/producer.pb.h"

namespace kinora {

struct SimSettings {
  std::optional<int64_t> bytes;
  std::optional<std::string> text;
  int64_t delay_ms = 0;
  std::optional<int64_t> slow_attempts;
  int64_t fail_attempts = 0;
  std::string fail_code = "UNAVAILABLE";
  int64_t retry_after_ms = 0;
  int64_t lost_attempts = 0;
  std::string question;
  v1::QuestionKind question_kind = v1::QUESTION_KIND_TEXT;
  std::vector<std::string> question_options;
  v1::Question question_terms;
  int64_t log_lines = 0;
  int64_t cost_micros = 0;
  std::string currency;
  std::string readable_path;
  std::string salt;
};

// INVALID_ARGUMENT naming the setting (`settings.bytes`) and its value.
absl::StatusOr<SimSettings> ParseSimSettings(absl::string_view settings_json);

// True for the codes that the runner may retry.
bool IsRetryableCode(absl::string_view code);

// The JSON Schema of the settings, for Describe.
absl::string_view SimSettingsSchema();

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_SIM_SIM_SETTINGS_H_
