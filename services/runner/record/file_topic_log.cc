#include "services/runner/record/file_topic_log.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/status.h"
#include "services/runner/record/document_members.h"

namespace kinora {
namespace {

std::string LineOf(const TopicRecord& record) {
  JsonObject headers;
  for (const auto& header : record.headers) {
    headers.Add(header.first, header.second);
  }
  JsonObject line;
  line.Add("id", record.id);
  line.Add("kind", record.kind);
  line.Add("headers", std::move(headers));
  line.Add("payload", record.payload);
  return absl::StrCat(CanonicalJson(JsonValue(std::move(line))), "\n");
}

std::optional<TopicRecord> RecordIn(absl::string_view line) {
  absl::StatusOr<JsonValue> json = ParseJson(line);
  if (!json.ok() || !json->is_object()) return std::nullopt;
  const JsonValue* id = json->Find("id");
  const std::optional<int64_t> number =
      id == nullptr ? std::nullopt : id->integer_value();
  if (!number.has_value()) return std::nullopt;
  TopicRecord record;
  record.id = *number;
  record.kind = std::string(TextOrEmpty(*json, "kind"));
  const JsonValue* headers = json->Find("headers");
  if (headers != nullptr && headers->is_object()) {
    for (const JsonMember& header : headers->object()) {
      if (!header.value.is_string()) return std::nullopt;
      record.headers.emplace(header.key, header.value.string_value());
    }
  }
  const JsonValue* payload = json->Find("payload");
  if (payload != nullptr) record.payload = *payload;
  return record;
}

}  // namespace

FileTopicLog::FileTopicLog(FileSystem& files, std::string directory)
    : files_(files), directory_(std::move(directory)) {}

absl::StatusOr<std::string> FileTopicLog::PathOf(
    absl::string_view topic) const {
  bool is_name = !topic.empty() && topic[0] != '.';
  for (const char c : topic) {
    is_name = is_name && c != '/' && !absl::ascii_iscntrl(c);
  }
  if (!is_name) {
    return InvalidField("topic", topic, "must be the name of a file");
  }
  return JoinPath(directory_, absl::StrCat(topic, ".jsonl"));
}

absl::StatusOr<FileTopicLog::Topic> FileTopicLog::ReadTopicFile(
    const std::string& path) const {
  const absl::StatusOr<std::string> text =
      ReadFile(files_, path, kMaxTopicBytes);
  if (absl::IsNotFound(text.status())) return Topic();
  if (!text.ok()) return text.status();
  Topic topic;
  absl::string_view rest = *text;
  for (size_t end = rest.find('\n'); end != absl::string_view::npos;
       end = rest.find('\n')) {
    std::optional<TopicRecord> record = RecordIn(rest.substr(0, end));
    const int64_t before = topic.records.empty() ? 0 : topic.records.back().id;
    if (!record.has_value() || record->id <= before) {
      return absl::DataLossError(absl::StrCat(
          path, ": line ", topic.records.size() + 1, " is no record"));
    }
    topic.records.push_back(*std::move(record));
    topic.bytes += end + 1;
    rest.remove_prefix(end + 1);
  }
  topic.is_torn = !rest.empty();
  return topic;
}

absl::StatusOr<std::vector<TopicRecord>> FileTopicLog::Read(
    absl::string_view topic, int64_t after_id, size_t max_records) {
  KINORA_ASSIGN_OR_RETURN(const std::string path, PathOf(topic));
  const absl::StatusOr<FileInfo> now = files_.Stat(path);
  if (!now.ok() || known_path_ != path || known_.is_torn ||
      known_.bytes != now->size_bytes) {
    KINORA_ASSIGN_OR_RETURN(known_, ReadTopicFile(path));
    known_path_ = path;
  }
  std::vector<TopicRecord> page;
  auto next = std::upper_bound(
      known_.records.begin(), known_.records.end(), after_id,
      [](int64_t id, const TopicRecord& record) { return id < record.id; });
  for (; next != known_.records.end() && page.size() < max_records; ++next) {
    page.push_back(*next);
  }
  return page;
}

absl::StatusOr<int64_t> FileTopicLog::Append(absl::string_view topic,
                                             TopicRecord record) {
  KINORA_ASSIGN_OR_RETURN(const std::string path, PathOf(topic));
  KINORA_RETURN_IF_ERROR(files_.CreateDirectories(directory_));
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock,
                          files_.Lock(absl::StrCat(path, ".lock")));
  KINORA_ASSIGN_OR_RETURN(const Topic all, ReadTopicFile(path));
  if (all.is_torn) KINORA_RETURN_IF_ERROR(files_.Truncate(path, all.bytes));
  record.id = all.records.empty() ? 1 : all.records.back().id + 1;
  const std::string line = LineOf(record);
  if (all.bytes + line.size() > kMaxTopicBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, ": would have more than ", kMaxTopicBytes,
                     " bytes; put it aside"));
  }
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                          files_.OpenForWrite(path, OpenMode::kAppend));
  KINORA_RETURN_IF_ERROR(file->Append(line));
  KINORA_RETURN_IF_ERROR(file->Sync());
  KINORA_RETURN_IF_ERROR(file->Close());
  KINORA_RETURN_IF_ERROR(files_.SyncDirectory(directory_));
  return record.id;
}

}  // namespace kinora
