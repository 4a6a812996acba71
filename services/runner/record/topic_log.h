// The log from which a run record is completed: named topics of records, each
// with an id that grows.

#ifndef KINORA_SERVICES_RUNNER_RECORD_TOPIC_LOG_H_
#define KINORA_SERVICES_RUNNER_RECORD_TOPIC_LOG_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"

namespace kinora {

// One record of a topic.
struct TopicRecord {
  int64_t id = 0;    // from 1, strictly increasing within its topic
  std::string kind;  // such as `hitl.question_asked`
  std::map<std::string, std::string> headers;
  JsonValue payload;

  // A header's text; empty if there is none.
  absl::string_view header(absl::string_view name) const;
};

// An EventTopicLog is an append-only log with topics. Whether it is safe to use
// from several threads is up to its implementation.
class EventTopicLog {
 public:
  virtual ~EventTopicLog() = default;

  // The first `max_records` records of `topic` with an id greater than
  // `after_id` (0 for the first), in the order of their ids; none at the end,
  // and of a topic that nobody has written to.
  virtual absl::StatusOr<std::vector<TopicRecord>> Read(absl::string_view topic,
                                                        int64_t after_id,
                                                        size_t max_records) = 0;

  // Appends a record; its id is the log's to choose. Returns the id.
  virtual absl::StatusOr<int64_t> Append(absl::string_view topic,
                                         TopicRecord record) = 0;
};

// All records of `topic`, read in pages of 256 up to the first empty one. What
// the log answers with an error is an error here, which names the topic: it is
// never taken for the end. DATA_LOSS if ids do not increase.
absl::StatusOr<std::vector<TopicRecord>> ReadTopic(EventTopicLog& log,
                                                   absl::string_view topic);

// An event of an agent's session, as it was logged.
struct SessionEvent {
  int64_t event_id = 0;
  JsonValue event;
};

// The topic of a session's events: `observability.agent_events.<session>`, each
// character of the session but ASCII letters, digits, `.`, `_` and `-` replaced
// by `_`. Two sessions can have the same topic.
std::string SessionTopic(absl::string_view session_id);

// The events of one session in the order of the log, read in pages of 1024 up
// to the first that is shorter; none without a log. Records of other sessions,
// by their header or by the event itself, and those without an `event` are
// passed over. Errors: those of the log, with the topic; DATA_LOSS with the id
// of a record whose event is no object with the strings `type` and
// `session_id`.
absl::StatusOr<std::vector<SessionEvent>> LoadSessionEvents(
    EventTopicLog* log, absl::string_view session_id);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_TOPIC_LOG_H_
