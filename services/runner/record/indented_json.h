// JSON as people read it: a member or element a line, indented by two spaces.

#ifndef KINORA_SERVICES_RUNNER_RECORD_INDENTED_JSON_H_
#define KINORA_SERVICES_RUNNER_RECORD_INDENTED_JSON_H_

#include <string>

#include "common/json/json.h"

namespace kinora {

// `value` with its members in their order, and a line break at the end. What is
// empty stands as `[]` or `{}`.
std::string IndentedJson(const JsonValue& value);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_INDENTED_JSON_H_
