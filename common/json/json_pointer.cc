#include "common/json/json_pointer.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "common/status.h"

namespace kinora {

absl::Status ValidateJsonPointer(absl::string_view pointer) {
  auto malformed = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", ClipValue(pointer), "\" is no JSON pointer such as ",
                     "/shots/0/prompt: ", why));
  };
  if (pointer.size() > kMaxJsonPointerBytes) {
    return malformed(
        absl::StrCat("more than ", kMaxJsonPointerBytes, " bytes"));
  }
  if (!pointer.empty() && pointer[0] != '/') {
    return malformed("it begins with a slash");
  }
  for (size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] != '~') continue;
    if (i + 1 == pointer.size() ||
        (pointer[i + 1] != '0' && pointer[i + 1] != '1')) {
      return malformed("a ~ is written as ~0, a / within a name as ~1");
    }
  }
  return absl::OkStatus();
}

const JsonValue* FindByPointer(const JsonValue& document,
                               absl::string_view pointer) {
  const JsonValue* at = &document;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);  // the slash
    const size_t slash = std::min(pointer.find('/'), pointer.size());
    const std::string step = absl::StrReplaceAll(
        absl::StrReplaceAll(pointer.substr(0, slash), {{"~1", "/"}}),
        {{"~0", "~"}});
    pointer.remove_prefix(slash);
    if (at->is_object()) {
      at = at->object().Find(step);
    } else if (at->is_array()) {
      const JsonArray& items = at->array();
      uint32_t index = 0;
      const bool is_index = !step.empty() && absl::ascii_isdigit(step[0]) &&
                            (step.size() == 1 || step[0] != '0') &&
                            absl::SimpleAtoi(step, &index);
      at = is_index && index < items.size() ? &items[index] : nullptr;
    } else {
      at = nullptr;
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string JsonPointerStep(absl::string_view name) {
  return absl::StrCat("/",
                      absl::StrReplaceAll(name, {{"~", "~0"}, {"/", "~1"}}));
}

}  // namespace kinora
