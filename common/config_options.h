// The options of a configuration message; see common/config_file.h.

#ifndef KINORA_COMMON_CONFIG_OPTIONS_H_
#define KINORA_COMMON_CONFIG_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace kinora {

// One scalar field, reached through messages from the top.
struct ConfigOption {
  std::vector<const google::protobuf::FieldDescriptor*> path;
  std::string flag;                 // "store-addr", without dashes
  std::string variable;             // "KINORA_STORE_ADDR"
  absl::string_view doc;            // empty if the table lacks it
  absl::string_view default_value;  // empty for none
};

// All options of a message, in the order of its fields. Lists and maps are
// left out.
std::vector<ConfigOption> ConfigOptionsOf(
    const google::protobuf::Descriptor* message);

// Sets the option's field. INVALID_ARGUMENT `<where>: must be ..., got "..."`
// if `text` is not of its type, a number out of the option's range, or text
// that is not UTF-8.
absl::Status SetConfigOption(const ConfigOption& option, absl::string_view text,
                             absl::string_view where,
                             google::protobuf::Message* config);

// Sets a scalar field, or appends to a repeated one; errors as above.
absl::Status SetConfigField(const google::protobuf::FieldDescriptor* field,
                            absl::string_view text, absl::string_view where,
                            google::protobuf::Message* message);

// True for the field `server`, whose fields stand at the top level.
bool IsTransparent(const google::protobuf::FieldDescriptor* field);

}  // namespace kinora

#endif  // KINORA_COMMON_CONFIG_OPTIONS_H_
