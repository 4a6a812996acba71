// A failure in a few words, for people.

#ifndef KINORA_COMMON_FAILURE_TEXT_H_
#define KINORA_COMMON_FAILURE_TEXT_H_

#include <string>

#include "kinora/v1/types.pb.h"

namespace kinora {

// `REJECTED "the prompt was refused"`: the reason's code and the message, on
// one line and cut as ClipValue() does. A reason that is not said is FAILED.
std::string FailureText(const v1::Failure& failure);

}  // namespace kinora

#endif  // KINORA_COMMON_FAILURE_TEXT_H_
