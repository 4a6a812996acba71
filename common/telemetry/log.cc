#include "common/telemetry/log.h"

#include <atomic>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

#include "common/clock.h"
#include "common/json/json_writer.h"
#include "common/status.h"

namespace kinora {
namespace {

std::atomic<LogLevel> g_level = LogLevel::kInfo;
std::atomic<LogFormat> g_format = LogFormat::kLogfmt;
thread_local const LogMark* current_mark = nullptr;

// Lines come to spdlog complete: it sees to it that they go out whole. Never
// destroyed, as threads may log until the very end.
spdlog::logger& Sink() {
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger(
        "kinora", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

absl::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      return "off";
  }
  return "unknown";
}

// Logfmt takes these bytes bare; all else goes in quotes, escaped as in JSON.
bool IsBare(absl::string_view value) {
  for (const char c : value) {
    if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\') {
      return false;
    }
  }
  return !value.empty();
}

void AppendLogfmtText(absl::string_view value, std::string* out) {
  if (IsBare(value)) {
    out->append(value.data(), value.size());
  } else {
    AppendJsonString(value, out);
  }
}

std::string Timestamp() {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", RealClock().Now(),
                          absl::UTCTimeZone());
}

}  // namespace

// Builds the text of one line.
class LogLine {
 public:
  static std::string Json(LogLevel level, absl::string_view message,
                          std::initializer_list<LogField> fields) {
    std::string line;
    JsonWriter json(&line);
    json.BeginObject();
    json.Key("time").String(Timestamp());
    json.Key("level").String(NameOf(level));
    json.Key("msg").String(message);
    for (const LogField& field : fields) {
      json.Key(field.key_);
      std::visit([&json](const auto& value) { Put(value, &json); },
                 field.value_);
    }
    for (const LogMark* mark = current_mark; mark != nullptr;
         mark = mark->outer_) {
      json.Key(mark->mark_).Bool(true);
    }
    json.EndObject();
    return line;
  }

  static std::string Logfmt(LogLevel level, absl::string_view message,
                            std::initializer_list<LogField> fields) {
    std::string line =
        absl::StrCat("time=", Timestamp(), " level=", NameOf(level), " msg=");
    AppendLogfmtText(message, &line);
    for (const LogField& field : fields) {
      absl::StrAppend(&line, " ", field.key_, "=");
      std::visit([&line](const auto& value) { Put(value, &line); },
                 field.value_);
    }
    for (const LogMark* mark = current_mark; mark != nullptr;
         mark = mark->outer_) {
      absl::StrAppend(&line, " ", mark->mark_, "=true");
    }
    return line;
  }

 private:
  static void Put(absl::string_view value, JsonWriter* json) {
    json->String(value);
  }
  static void Put(const std::string& value, JsonWriter* json) {
    json->String(value);
  }
  static void Put(double value, JsonWriter* json) { json->Double(value); }
  static void Put(bool value, JsonWriter* json) { json->Bool(value); }
  static void Put(int64_t value, JsonWriter* json) { json->Int(value); }
  static void Put(uint64_t value, JsonWriter* json) { json->Uint(value); }

  static void Put(absl::string_view value, std::string* line) {
    AppendLogfmtText(value, line);
  }
  static void Put(const std::string& value, std::string* line) {
    AppendLogfmtText(value, line);
  }
  static void Put(bool value, std::string* line) {
    *line += value ? "true" : "false";
  }
  template <typename Number>
  static void Put(Number value, std::string* line) {
    absl::StrAppend(line, value);
  }
};

LogMark::LogMark(absl::string_view mark) : mark_(mark), outer_(current_mark) {
  current_mark = this;
}

LogMark::~LogMark() { current_mark = outer_; }

void Log(LogLevel level, absl::string_view message,
         std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) return;
  const std::string line =
      g_format.load(std::memory_order_relaxed) == LogFormat::kJson
          ? LogLine::Json(level, message, fields)
          : LogLine::Logfmt(level, message, fields);
  Sink().log(spdlog::level::info, line);
}

void SetLogLevel(LogLevel level) {
  g_level.store(level, std::memory_order_relaxed);
}

bool LogEnabled(LogLevel level) {
  return level >= g_level.load(std::memory_order_relaxed) &&
         level != LogLevel::kOff;
}

void SetLogFormat(LogFormat format) {
  g_format.store(format, std::memory_order_relaxed);
}

absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view text) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError,
        LogLevel::kOff}) {
    if (text == NameOf(level)) return level;
  }
  return InvalidField("log.level", text,
                      "must be debug, info, warning, error or off");
}

absl::StatusOr<LogFormat> ParseLogFormat(absl::string_view text) {
  if (text == "logfmt") return LogFormat::kLogfmt;
  if (text == "json") return LogFormat::kJson;
  return InvalidField("log.format", text, "must be logfmt or json");
}

}  // namespace kinora
