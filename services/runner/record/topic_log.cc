#include "services/runner/record/topic_log.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/runner/record/document_members.h"

namespace kinora {
namespace {

constexpr size_t kTopicPage = 256;
constexpr size_t kSessionPage = 1024;

// The page after `after_id`, which MUST go on from there: what does not would
// be read for ever.
absl::StatusOr<std::vector<TopicRecord>> ReadPage(EventTopicLog& log,
                                                  absl::string_view topic,
                                                  int64_t after_id,
                                                  size_t max_records) {
  absl::StatusOr<std::vector<TopicRecord>> page =
      log.Read(topic, after_id, max_records);
  if (!page.ok()) {
    return Annotate(page.status(),
                    absl::StrCat("read topic ", ClipValue(topic)));
  }
  for (const TopicRecord& record : *page) {
    if (record.id <= after_id) {
      return absl::DataLossError(absl::StrCat("read topic ", ClipValue(topic),
                                              ": record ", record.id,
                                              " follows record ", after_id));
    }
    after_id = record.id;
  }
  return page;
}

}  // namespace

absl::string_view TopicRecord::header(absl::string_view name) const {
  const auto it = headers.find(std::string(name));
  return it == headers.end() ? absl::string_view() : it->second;
}

absl::StatusOr<std::vector<TopicRecord>> ReadTopic(EventTopicLog& log,
                                                   absl::string_view topic) {
  std::vector<TopicRecord> records;
  while (true) {
    const int64_t after_id = records.empty() ? 0 : records.back().id;
    KINORA_ASSIGN_OR_RETURN(std::vector<TopicRecord> page,
                            ReadPage(log, topic, after_id, kTopicPage));
    if (page.empty()) return records;
    for (TopicRecord& record : page) records.push_back(std::move(record));
  }
}

std::string SessionTopic(absl::string_view session_id) {
  std::string topic = "observability.agent_events.";
  // A character is replaced once, however many bytes it has.
  for (const char c : session_id) {
    if (absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-') {
      topic.push_back(c);
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      topic.push_back('_');
    }
  }
  return topic;
}

absl::StatusOr<std::vector<SessionEvent>> LoadSessionEvents(
    EventTopicLog* log, absl::string_view session_id) {
  std::vector<SessionEvent> events;
  if (log == nullptr) return events;
  const std::string topic = SessionTopic(session_id);
  int64_t after_id = 0;
  while (true) {
    KINORA_ASSIGN_OR_RETURN(std::vector<TopicRecord> page,
                            ReadPage(*log, topic, after_id, kSessionPage));
    for (TopicRecord& record : page) {
      after_id = record.id;
      if (record.header("session_id") != session_id) continue;
      const JsonValue* event = record.payload.Find("event");
      if (event == nullptr) continue;
      const std::optional<absl::string_view> of = TextOf(*event, "session_id");
      if (!of.has_value() || !TextOf(*event, "type").has_value()) {
        return absl::DataLossError(absl::StrCat(
            "decode record ", record.id, " of topic ", ClipValue(topic),
            ": its event is no object with the texts type and session_id"));
      }
      if (*of != session_id) continue;
      events.push_back({record.id, *event});
    }
    if (page.size() < kSessionPage) return events;
  }
}

}  // namespace kinora
