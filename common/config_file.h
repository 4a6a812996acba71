// Fills a configuration message (proto/kinora/v1/config.proto) from its four
// sources. In rising order of precedence: the built-in defaults, a YAML file,
// the environment, flags.
//
// One table in config_file.cc holds the documentation and the default of every
// option, and one rule names it in each source: field `listen` of the message
// `server` is `listen:` in the file, KINORA_LISTEN in the environment and
// `--listen=V` or `--listen V` as a flag. Fields of other nested messages join
// the names. Lists and maps are set in files only.

#ifndef KINORA_COMMON_CONFIG_FILE_H_
#define KINORA_COMMON_CONFIG_FILE_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace google::protobuf {
class Message;
}

namespace kinora {

// Where a configuration comes from.
struct ConfigSources {
  // The command line without the program's name.
  std::vector<std::string> args;
  // Reads one variable of the environment.
  std::function<std::optional<std::string>(const std::string& name)> env;
  // Defaults of this program, by flag name ("listen"), in place of the table's.
  std::map<std::string, std::string> defaults;
};

// The process's environment.
std::optional<std::string> GetEnvironment(const std::string& name);

// Fills `config`. `--config FILE` or KINORA_CONFIG names the file; without it
// there is none. Every error is INVALID_ARGUMENT, or the error of reading the
// file, and names the flag, the variable, or file and line, with the value:
// unknown flags and fields, values of the wrong type, repeated fields of a
// file. Arguments that are no flags are errors too.
absl::Status LoadConfig(const ConfigSources& sources, FileSystem& files,
                        google::protobuf::Message* config);

// Every option of `config` with its flag, variable, documentation and default,
// for `--help`.
std::string ConfigHelp(const google::protobuf::Message& config,
                       const std::map<std::string, std::string>& defaults);

// Merges a YAML document into `config`: field names as in the proto, lists and
// maps included. `file` is for messages: `producers.yaml:3: unknown field ...`.
absl::Status ParseYamlConfig(absl::string_view yaml, absl::string_view file,
                             google::protobuf::Message* config);

}  // namespace kinora

#endif  // KINORA_COMMON_CONFIG_FILE_H_
