#include "common/config_options.h"

#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

#include "common/json/proto_json.h"
#include "common/size_text.h"
#include "common/status.h"
#include "common/utf8.h"

namespace kinora {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct Range {
  int64_t min = 0;
  int64_t max = 0;
};

struct OptionText {
  absl::string_view field;  // "StoreConfig.data"
  absl::string_view doc;
  absl::string_view default_value;
  Range range = {};  // of a number; all zeros for what its type can hold
};

constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();
constexpr int64_t kMaxUint32 = std::numeric_limits<uint32_t>::max();
constexpr Range kThreads = {0, 4096};
constexpr Range kMessageBytes = {int64_t{1} << 20, int64_t{1} << 30};
constexpr Range kCalls = {1, int64_t{1} << 20};
constexpr Range kInlineBytes = {0, int64_t{1} << 20};
constexpr Range kBlobBytes = {0, kMaxInt64};
constexpr Range kEvents = {1, kMaxUint32};
constexpr Range kJobs = {1, 65536};
constexpr Range kLeaseSeconds = {1, 3600};

// The documentation and default of every option of config.proto.
constexpr OptionText kOptionTexts[] = {
    {"ServerConfig.listen", "HOST:PORT to listen on; port 0 takes a free one",
     ""},
    {"ServerConfig.worker_threads",
     "threads for blocking work; 0 for twice the cores, at least 4", "0",
     kThreads},
    {"ServerConfig.drain_seconds",
     "how long calls under way may take after SIGTERM", "10"},
    {"ServerConfig.max_message_bytes", "largest request accepted", "16777216",
     kMessageBytes},
    {"ServerConfig.max_concurrent_calls",
     "calls served at once; further ones are refused", "4096", kCalls},
    {"ServerConfig.log_level", "debug, info, warn or error", "info"},
    {"ServerConfig.log_format", "text or json", "text"},
    {"ServerConfig.metrics_listen",
     "HOST:PORT for GET /metrics (Prometheus) and /healthz; empty for none",
     ""},
    {"StoreConfig.data",
     "directory that holds everything; empty keeps all in memory", ""},
    {"StoreConfig.inline_limit_bytes",
     "values up to this size live inline in events and manifests", "4096",
     kInlineBytes},
    {"StoreConfig.max_blob_bytes", "largest blob; 0 for no limit", "0",
     kBlobBytes},
    {"StoreConfig.gc_grace_seconds",
     "for how long a collection keeps what nothing reaches", "3600"},
    {"StoreConfig.checkpoint_events",
     "events of a movie after which a checkpoint is written", "100000",
     kEvents},
    {"PlannerConfig.store_addr", "HOST:PORT of the store", "127.0.0.1:7401"},
    {"PlannerConfig.cache_dir",
     "directory of saved graphs, for faster first plans; empty for none", ""},
    {"RunnerConfig.store_addr", "HOST:PORT of the store", "127.0.0.1:7401"},
    {"RunnerConfig.planner_addr", "HOST:PORT of the planner", "127.0.0.1:7402"},
    {"RunnerConfig.producers", "YAML file with the producer table", ""},
    {"RunnerConfig.max_concurrency", "jobs called at once over all runs", "64",
     kJobs},
    {"RunnerConfig.lease_seconds", "seconds a lease lasts without renewal", "6",
     kLeaseSeconds},
    {"RunnerConfig.rate_per_second",
     "calls of producers that begin in a second; 0 for no limit", "0"},
    {"RunnerConfig.rate_per_minute",
     "calls of producers that begin in a minute; 0 for no limit", "0"},
    {"RunnerConfig.rate_burst",
     "calls that may begin at once if the rate was not used; 0 for one", "0"},
    {"RunnerConfig.hooks", "YAML file with the hooks; empty for none", ""},
    {"RunnerConfig.records", "directory for records of runs; empty for none",
     ""},
    {"SimConfig.version", "version that Describe reports", "1"},
    {"SimConfig.record",
     "file with what is known of each job, for LookUpJob; empty for none", ""},
    {"SimConfig.references",
     "true to ask for references to large inputs, which it reads as files",
     "false"},
    {"StandaloneConfig.data", "directory that holds everything", ""},
    {"StandaloneConfig.producers",
     "YAML file with the producer table; may be left out", ""},
    {"StandaloneConfig.hooks", "YAML file with the hooks; empty for none", ""},
    {"StandaloneConfig.records",
     "directory for records of runs; empty for none", ""},
    {"StandaloneConfig.max_concurrency", "jobs called at once over all runs",
     "64", kJobs},
    {"StandaloneConfig.lease_seconds", "seconds a lease lasts without renewal",
     "6", kLeaseSeconds},
    {"StandaloneConfig.rate_per_second",
     "calls of producers that begin in a second; 0 for no limit", "0"},
    {"StandaloneConfig.rate_per_minute",
     "calls of producers that begin in a minute; 0 for no limit", "0"},
    {"StandaloneConfig.rate_burst",
     "calls that may begin at once if the rate was not used; 0 for one", "0"},
    {"StandaloneConfig.inline_limit_bytes",
     "values up to this size live inline in events and manifests", "4096",
     kInlineBytes},
    {"StandaloneConfig.max_blob_bytes", "largest blob; 0 for no limit", "0",
     kBlobBytes},
    {"StandaloneConfig.gc_grace_seconds",
     "for how long a collection keeps what nothing reaches", "3600"},
    {"StandaloneConfig.checkpoint_events",
     "events of a movie after which a checkpoint is written", "100000",
     kEvents},
};

const OptionText* TextOf(const FieldDescriptor* field) {
  const std::string name =
      absl::StrCat(field->containing_type()->name(), ".", field->name());
  for (const OptionText& text : kOptionTexts) {
    if (text.field == name) return &text;
  }
  return nullptr;
}

void AddOptions(const Descriptor* message, const std::string& prefix,
                std::vector<const FieldDescriptor*>* path,
                std::vector<ConfigOption>* options) {
  for (int i = 0; i < message->field_count(); ++i) {
    const FieldDescriptor* field = message->field(i);
    if (field->is_repeated()) continue;
    const std::string name =
        IsTransparent(field) ? prefix : absl::StrCat(prefix, field->name());
    path->push_back(field);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      AddOptions(field->message_type(),
                 IsTransparent(field) ? prefix : absl::StrCat(name, "_"), path,
                 options);
    } else {
      ConfigOption option;
      option.path = *path;
      option.flag = absl::StrReplaceAll(name, {{"_", "-"}});
      option.variable = absl::StrCat("KINORA_", absl::AsciiStrToUpper(name));
      if (const OptionText* text = TextOf(field)) {
        option.doc = text->doc;
        option.default_value = text->default_value;
      }
      options->push_back(std::move(option));
    }
    path->pop_back();
  }
}

absl::Status Mismatch(absl::string_view where, absl::string_view want,
                      absl::string_view text) {
  return InvalidField(where, text, absl::StrCat("must be ", want));
}

Range RangeOf(const FieldDescriptor* field) {
  const OptionText* text = TextOf(field);
  if (text != nullptr && text->range.max > 0) return text->range;
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
    return {0, kMaxUint32};
  }
  return {std::numeric_limits<int64_t>::min(), kMaxInt64};
}

absl::StatusOr<int64_t> ParseNumber(const FieldDescriptor* field,
                                    absl::string_view text,
                                    absl::string_view where) {
  const Range range = RangeOf(field);
  const bool is_size = absl::EndsWith(field->name(), "_bytes");
  int64_t value;
  bool parsed = absl::SimpleAtoi(text, &value);
  if (!parsed && is_size) {
    const std::optional<int64_t> size = ParseSizeText(text);
    parsed = size.has_value();
    value = size.value_or(0);
  }
  if (!parsed || value < range.min || value > range.max) {
    return Mismatch(where,
                    absl::StrCat("a whole number from ", range.min, " to ",
                                 range.max, is_size ? ", or such as 1GiB" : ""),
                    text);
  }
  return value;
}

// A word as in JSON: `call_again` for IN_DOUBT_POLICY_CALL_AGAIN. What means
// "not set" has none.
absl::Status SetWord(const FieldDescriptor* field, absl::string_view text,
                     absl::string_view where, Message* message) {
  const auto* reflection = message->GetReflection();
  std::vector<std::string> words;
  for (int i = 0; i < field->enum_type()->value_count(); ++i) {
    const auto* value = field->enum_type()->value(i);
    if (value->number() == 0) continue;
    words.push_back(EnumWord(*value));
    if (words.back() != text) continue;
    if (field->is_repeated()) {
      reflection->AddEnum(message, field, value);
    } else {
      reflection->SetEnum(message, field, value);
    }
    return absl::OkStatus();
  }
  return Mismatch(where, absl::StrCat("one of ", absl::StrJoin(words, ", ")),
                  text);
}

}  // namespace

bool IsTransparent(const FieldDescriptor* field) {
  return field->name() == "server" && !field->is_repeated() &&
         field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

std::vector<ConfigOption> ConfigOptionsOf(const Descriptor* message) {
  std::vector<ConfigOption> options;
  std::vector<const FieldDescriptor*> path;
  AddOptions(message, "", &path, &options);
  return options;
}

absl::Status SetConfigField(const FieldDescriptor* field,
                            absl::string_view text, absl::string_view where,
                            Message* message) {
  const auto* reflection = message->GetReflection();
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (!IsValidUtf8(text)) return Mismatch(where, "UTF-8 text", text);
      if (repeated) {
        reflection->AddString(message, field, std::string(text));
      } else {
        reflection->SetString(message, field, std::string(text));
      }
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_UINT32: {
      KINORA_ASSIGN_OR_RETURN(const int64_t value,
                              ParseNumber(field, text, where));
      reflection->SetUInt32(message, field, static_cast<uint32_t>(value));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      KINORA_ASSIGN_OR_RETURN(const int64_t value,
                              ParseNumber(field, text, where));
      reflection->SetInt64(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") {
        return Mismatch(where, "true or false", text);
      }
      reflection->SetBool(message, field, text == "true");
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_ENUM:
      return SetWord(field, text, where, message);
    default:
      return absl::InternalError(
          absl::StrCat("configuration fields of the type of ",
                       field->full_name(), " are not supported"));
  }
}

absl::Status SetConfigOption(const ConfigOption& option, absl::string_view text,
                             absl::string_view where, Message* config) {
  for (size_t i = 0; i + 1 < option.path.size(); ++i) {
    config = config->GetReflection()->MutableMessage(config, option.path[i]);
  }
  return SetConfigField(option.path.back(), text, where, config);
}

}  // namespace kinora
