// Structured logging to standard error: one line per call, a message and
// fields.
//
//   LogInfo("run started", {{"movie_id", movie_id}, {"jobs", plan.jobs()}});
//
//   time=2026-01-02T03:04:05.678Z level=info msg="run started" movie_id=m
//   jobs=3
//   {"time":"2026-01-02T03:04:05.678Z","level":"info","msg":"run started",...}
//
// Thread-safe; lines of several threads never mix. A call whose level is off
// costs the evaluation of its arguments and one load.

#ifndef KINORA_COMMON_TELEMETRY_LOG_H_
#define KINORA_COMMON_TELEMETRY_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kinora {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };
enum class LogFormat { kLogfmt, kJson };

// A field of a log line. Borrows texts: make it inside the call.
class LogField {
 public:
  LogField(absl::string_view key, absl::string_view value)
      : key_(key), value_(value) {}
  LogField(absl::string_view key, const std::string& value)
      : LogField(key, absl::string_view(value)) {}
  LogField(absl::string_view key, const char* value)
      : LogField(key, absl::string_view(value)) {}
  LogField(absl::string_view key, double value) : key_(key), value_(value) {}
  LogField(absl::string_view key, const absl::Status& value)
      : key_(key), value_(value.ToString()) {}

  // bool and the integers.
  template <typename T, typename = std::enable_if_t<std::is_integral<T>::value>>
  LogField(absl::string_view key, T value) : key_(key) {
    if constexpr (std::is_same<T, bool>::value) {
      value_ = value;
    } else if constexpr (std::is_unsigned<T>::value) {
      value_ = static_cast<uint64_t>(value);
    } else {
      value_ = static_cast<int64_t>(value);
    }
  }

 private:
  friend class LogLine;
  absl::string_view key_;
  std::variant<absl::string_view, std::string, double, bool, int64_t, uint64_t>
      value_;
};

// Writes the line if `level` is on.
void Log(LogLevel level, absl::string_view message,
         std::initializer_list<LogField> fields = {});

inline void LogDebug(absl::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kDebug, message, fields);
}
inline void LogInfo(absl::string_view message,
                    std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, message, fields);
}
inline void LogWarning(absl::string_view message,
                       std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, message, fields);
}
inline void LogError(absl::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, message, fields);
}

// While it lives, each line of this thread has the field `mark=true`, behind
// its own: for work that is like other work but for that, such as a run that is
// tried out. Scopes nest. Work handed to another thread opens one of its own
// there.
class LogMark {
 public:
  // The text MUST outlive this.
  explicit LogMark(absl::string_view mark);
  ~LogMark();
  LogMark(const LogMark&) = delete;
  LogMark& operator=(const LogMark&) = delete;

 private:
  friend class LogLine;
  const absl::string_view mark_;
  const LogMark* const outer_;
};

// Levels below `level` are off. At the start: kInfo.
void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);

// At the start: kLogfmt.
void SetLogFormat(LogFormat format);

// "debug", "info", "warning", "error", "off"; "logfmt", "json". For any other
// text INVALID_ARGUMENT, naming the field "log.level" or "log.format".
absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view text);
absl::StatusOr<LogFormat> ParseLogFormat(absl::string_view text);

}  // namespace kinora

#endif  // KINORA_COMMON_TELEMETRY_LOG_H_
