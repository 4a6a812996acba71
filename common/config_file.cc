#include "common/config_file.h"

#include <cstdlib>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "yaml-cpp/yaml.h"

#include "common/config_options.h"
#include "common/status.h"

namespace kinora {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A configuration is written by hand; more is a wrong file.
constexpr uint64_t kMaxFileBytes = 1 << 20;

class YamlReader {
 public:
  explicit YamlReader(absl::string_view file) : file_(file) {}

  absl::Status ReadMessage(const YAML::Node& node, Message* message) {
    if (node.IsNull()) return absl::OkStatus();
    if (!node.IsMap()) {
      return Error(node, absl::StrCat("must be a mapping of the fields of ",
                                      message->GetDescriptor()->name()));
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = entry.first.Scalar();
      if (!seen.insert(key).second) {
        return Error(entry.first, absl::StrCat("field \"", ClipValue(key),
                                               "\" is set twice"));
      }
      Message* owner = message;
      const FieldDescriptor* field = FindField(key, &owner);
      if (field == nullptr) {
        return Error(
            entry.first,
            absl::StrCat("unknown field \"", ClipValue(key), "\"; known are ",
                         FieldNames(message->GetDescriptor())));
      }
      KINORA_RETURN_IF_ERROR(ReadField(entry.second, field, owner));
    }
    return absl::OkStatus();
  }

 private:
  static const FieldDescriptor* FindField(const std::string& name,
                                          Message** owner) {
    const Descriptor* descriptor = (*owner)->GetDescriptor();
    const FieldDescriptor* field = descriptor->FindFieldByName(name);
    if (field != nullptr && !IsTransparent(field)) return field;
    const FieldDescriptor* server = descriptor->FindFieldByName("server");
    if (server == nullptr || !IsTransparent(server)) return nullptr;
    field = server->message_type()->FindFieldByName(name);
    if (field == nullptr) return nullptr;
    *owner = (*owner)->GetReflection()->MutableMessage(*owner, server);
    return field;
  }

  static std::string FieldNames(const Descriptor* descriptor) {
    std::string names;
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      absl::StrAppend(&names, names.empty() ? "" : ", ",
                      IsTransparent(field) ? FieldNames(field->message_type())
                                           : field->name());
    }
    return names;
  }

  absl::Status ReadField(const YAML::Node& node, const FieldDescriptor* field,
                         Message* message) {
    if (field->is_map()) return ReadMap(node, field, message);
    if (field->is_repeated()) return ReadList(node, field, message);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return ReadMessage(
          node, message->GetReflection()->MutableMessage(message, field));
    }
    return ReadScalar(node, field, message);
  }

  absl::Status ReadScalar(const YAML::Node& node, const FieldDescriptor* field,
                          Message* message) {
    if (!node.IsScalar()) {
      return Error(node, absl::StrCat(field->name(), ": must be one value"));
    }
    return SetConfigField(field, node.Scalar(),
                          absl::StrCat(Place(node), ": ", field->name()),
                          message);
  }

  absl::Status ReadList(const YAML::Node& node, const FieldDescriptor* field,
                        Message* message) {
    if (node.IsNull()) return absl::OkStatus();
    if (!node.IsSequence()) {
      return Error(node, absl::StrCat(field->name(), ": must be a list"));
    }
    const bool is_message =
        field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    for (const YAML::Node& element : node) {
      KINORA_RETURN_IF_ERROR(
          is_message
              ? ReadMessage(element, message->GetReflection()->AddMessage(
                                         message, field))
              : ReadScalar(element, field, message));
    }
    return absl::OkStatus();
  }

  absl::Status ReadMap(const YAML::Node& node, const FieldDescriptor* field,
                       Message* message) {
    if (node.IsNull()) return absl::OkStatus();
    if (!node.IsMap()) {
      return Error(node, absl::StrCat(field->name(), ": must be a mapping"));
    }
    const FieldDescriptor* key = field->message_type()->map_key();
    const FieldDescriptor* value = field->message_type()->map_value();
    std::set<std::string> seen;
    for (const auto& entry : node) {
      if (!seen.insert(entry.first.Scalar()).second) {
        return Error(entry.first, absl::StrCat(field->name(), ": \"",
                                               ClipValue(entry.first.Scalar()),
                                               "\" is set twice"));
      }
      Message* element = message->GetReflection()->AddMessage(message, field);
      KINORA_RETURN_IF_ERROR(ReadScalar(entry.first, key, element));
      KINORA_RETURN_IF_ERROR(ReadField(entry.second, value, element));
    }
    return absl::OkStatus();
  }

  std::string Place(const YAML::Node& node) const {
    return absl::StrCat(file_, ":", node.Mark().line + 1);
  }
  absl::Status Error(const YAML::Node& node, absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(Place(node), ": ", what));
  }

  const absl::string_view file_;
};

// The flags of a command line, by name.
absl::Status ParseFlags(const std::vector<std::string>& args,
                        std::map<std::string, std::string>* flags) {
  for (size_t i = 0; i < args.size(); ++i) {
    absl::string_view arg = args[i];
    if (!absl::ConsumePrefix(&arg, "--") || arg.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unexpected argument \"", ClipValue(args[i]),
                       "\": options begin with --; see --help"));
    }
    std::string name(arg.substr(0, arg.find('=')));
    if (name.size() < arg.size()) {
      (*flags)[name] = std::string(arg.substr(name.size() + 1));
    } else if (i + 1 < args.size()) {
      (*flags)[name] = args[++i];
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("--", ClipValue(name), ": has no value"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<std::string> GetEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

absl::Status ParseYamlConfig(absl::string_view yaml, absl::string_view file,
                             Message* config) {
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    return YamlReader(file).ReadMessage(root, config);
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ":", error.mark.line + 1, ": ", error.msg));
  }
}

absl::Status LoadConfig(const ConfigSources& sources, FileSystem& files,
                        Message* config) {
  std::map<std::string, std::string> flags;
  KINORA_RETURN_IF_ERROR(ParseFlags(sources.args, &flags));
  const std::vector<ConfigOption> options =
      ConfigOptionsOf(config->GetDescriptor());

  for (const ConfigOption& option : options) {
    const auto own = sources.defaults.find(option.flag);
    const absl::string_view value = own == sources.defaults.end()
                                        ? option.default_value
                                        : absl::string_view(own->second);
    if (value.empty()) continue;
    KINORA_RETURN_IF_ERROR(SetConfigOption(
        option, value, absl::StrCat("default of --", option.flag), config));
  }

  std::string file = sources.env("KINORA_CONFIG").value_or("");
  if (const auto found = flags.find("config"); found != flags.end()) {
    file = found->second;
    flags.erase(found);
  }
  if (!file.empty()) {
    KINORA_ASSIGN_OR_RETURN(std::string yaml,
                            ReadFile(files, file, kMaxFileBytes));
    KINORA_RETURN_IF_ERROR(ParseYamlConfig(yaml, file, config));
  }

  for (const ConfigOption& option : options) {
    if (const auto value = sources.env(option.variable)) {
      KINORA_RETURN_IF_ERROR(
          SetConfigOption(option, *value, option.variable, config));
    }
  }
  for (const ConfigOption& option : options) {
    const auto found = flags.find(option.flag);
    if (found == flags.end()) continue;
    KINORA_RETURN_IF_ERROR(SetConfigOption(
        option, found->second, absl::StrCat("--", option.flag), config));
    flags.erase(found);
  }
  if (!flags.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "unknown option --", ClipValue(flags.begin()->first), "; see --help"));
  }
  return absl::OkStatus();
}

std::string ConfigHelp(const Message& config,
                       const std::map<std::string, std::string>& defaults) {
  std::string help =
      absl::StrFormat("  --%-22s %s [KINORA_CONFIG]\n", "config=FILE",
                      "YAML file with these options, `listen: ...`");
  for (const ConfigOption& option : ConfigOptionsOf(config.GetDescriptor())) {
    const auto own = defaults.find(option.flag);
    const std::string value =
        own == defaults.end() ? std::string(option.default_value) : own->second;
    absl::StrAppendFormat(&help, "  --%-22s %s [%s%s%s]\n", option.flag + "=V",
                          option.doc, option.variable,
                          value.empty() ? "" : ", default ", value);
  }
  return help;
}

}  // namespace kinora
