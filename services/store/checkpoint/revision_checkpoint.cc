#include "services/store/checkpoint/revision_checkpoint.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/digest.h"
#include "common/ids.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/event/log_line.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

constexpr absl::string_view kInputsStem = "inputs.checkpoint.";
constexpr absl::string_view kInputsSuffix = ".json";
constexpr absl::string_view kArtefactsStem = "artefacts.checkpoint.";
constexpr absl::string_view kArtefactsSuffix = ".jsonl";
constexpr int64_t kReadBytes = int64_t{64} << 10;
constexpr int64_t kLineBytes = int64_t{4} << 10;  // most lines are shorter
// A checkpoint that was listed may give way to a newer one before it is read.
constexpr int kAttempts = 10;

// `rev-0003` of `builds/film/events/inputs.checkpoint.rev-0003.json`.
std::optional<Revision> RevisionOf(absl::string_view key,
                                   absl::string_view stem,
                                   absl::string_view suffix) {
  absl::string_view name = LastPart(key);
  if (!absl::ConsumePrefix(&name, stem) ||
      !absl::ConsumeSuffix(&name, suffix)) {
    return std::nullopt;
  }
  const absl::StatusOr<Revision> revision = Revision::Parse(name);
  if (!revision.ok()) return std::nullopt;
  return *revision;
}

absl::StatusOr<Revision> NewestRevision(ObjectStorage& storage,
                                        absl::string_view movie_id) {
  Revision newest;
  KINORA_RETURN_IF_ERROR(ForEachEntry(
      storage, EventsPrefix(movie_id), [&newest](const ObjectPage& page) {
        for (const ObjectInfo& object : page.objects) {
          const std::optional<Revision> revision =
              RevisionOf(object.key, kInputsStem, kInputsSuffix);
          if (revision.has_value()) newest = std::max(newest, *revision);
        }
        return absl::OkStatus();
      }));
  return newest;
}

// The number of a line; -1 if it is damaged.
int64_t SequenceOf(absl::string_view line) {
  const absl::StatusOr<int64_t> sequence = CheckLogLine(line);
  return sequence.ok() ? *sequence : -1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RevisionCheckpoint>>
RevisionCheckpoint::OpenNewest(ObjectStorage& storage,
                               absl::string_view movie_id) {
  absl::Status last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    KINORA_ASSIGN_OR_RETURN(const Revision newest,
                            NewestRevision(storage, movie_id));
    if (newest.IsNone()) return nullptr;
    const std::string revision = newest.ToString();
    const std::string key = InputsCheckpointKey(movie_id, revision);
    absl::StatusOr<std::string> text = ReadObject(storage, key);
    last = text.status();
    if (absl::IsNotFound(last)) continue;
    KINORA_RETURN_IF_ERROR(last);
    CheckpointInfo info;
    absl::StatusOr<std::vector<LogRecord>> inputs =
        ParseCheckpoint(*text, &info);
    if (!inputs.ok()) return DataCorrupt(key, inputs.status().message());
    if (info.revision != revision) {
      return DataCorrupt(key, absl::StrCat("is that of ", info.revision));
    }
    const std::string artefacts = ArtefactsCheckpointKey(movie_id, revision);
    auto reader = storage.OpenRead(artefacts);
    if (absl::IsNotFound(reader.status())) {
      last = DataCorrupt(artefacts, "is missing");
      continue;
    }
    KINORA_RETURN_IF_ERROR(reader.status());
    if ((*reader)->size_bytes() != info.artefacts_bytes) {
      return DataCorrupt(artefacts,
                         absl::StrCat("has ", (*reader)->size_bytes(),
                                      " bytes, not ", info.artefacts_bytes));
    }
    std::unique_ptr<RevisionCheckpoint> checkpoint(
        new RevisionCheckpoint(std::string(movie_id), std::move(info)));
    checkpoint->inputs_ = *std::move(inputs);
    checkpoint->artefacts_ = *std::move(reader);
    return checkpoint;
  }
  return last;
}

std::string RevisionCheckpoint::PathOf(v1::LogKind kind) const {
  const std::string key =
      kind == v1::LOG_KIND_INPUTS
          ? InputsCheckpointKey(movie_id_, info_.revision)
          : ArtefactsCheckpointKey(movie_id_, info_.revision);
  return key.substr(MoviePrefix(movie_id_).size());
}

absl::StatusOr<std::string> RevisionCheckpoint::BytesAt(int64_t offset,
                                                        int64_t limit) {
  std::string bytes(static_cast<size_t>(limit), '\0');
  KINORA_ASSIGN_OR_RETURN(const size_t got,
                          artefacts_->ReadAt(offset, absl::MakeSpan(bytes)));
  bytes.resize(got);
  return bytes;
}

absl::StatusOr<std::string> RevisionCheckpoint::LineAt(int64_t offset) {
  std::string line;
  for (;;) {
    const size_t known = line.size();
    KINORA_ASSIGN_OR_RETURN(
        const std::string bytes,
        BytesAt(offset + static_cast<int64_t>(known), kLineBytes));
    line += bytes;
    const size_t end = line.find('\n', known);
    if (end != std::string::npos) line.resize(end);
    if (end != std::string::npos || bytes.empty()) return line;
  }
}

// Where the first line after the record `after` begins, by halving the range of
// offsets in which it may.
absl::StatusOr<int64_t> RevisionCheckpoint::FindArtefact(int64_t after) {
  if (after == next_after_) return next_offset_;
  int64_t low = 0, high = info_.artefacts_bytes;
  while (high - low > kReadBytes) {
    const int64_t middle = low + (high - low) / 2;
    KINORA_ASSIGN_OR_RETURN(const std::string cut, LineAt(middle));
    int64_t begin = middle + static_cast<int64_t>(cut.size()) + 1;
    int64_t sequence = -1;
    // A damaged line tells nothing of where the wanted one is.
    while (begin < high && sequence < 0) {
      KINORA_ASSIGN_OR_RETURN(const std::string line, LineAt(begin));
      sequence = SequenceOf(line);
      if (sequence < 0) begin += static_cast<int64_t>(line.size()) + 1;
    }
    if (sequence >= 0 && sequence <= after) {
      low = begin;
    } else {
      high = middle;
    }
  }
  // `low` is where a line begins that is not behind the wanted one. That one
  // follows the last that is known to come before it: a damaged line in between
  // may be it.
  KINORA_ASSIGN_OR_RETURN(const std::string bytes, BytesAt(low, kReadBytes));
  size_t wanted = 0;
  size_t at = 0;
  for (size_t end = bytes.find('\n'); end != std::string::npos;
       end = bytes.find('\n', at)) {
    const int64_t sequence =
        SequenceOf(absl::string_view(bytes).substr(at, end - at));
    if (sequence > after) break;
    at = end + 1;
    if (sequence >= 0) wanted = at;
  }
  return low + static_cast<int64_t>(wanted);
}

absl::StatusOr<std::vector<LogRecord>> RevisionCheckpoint::Read(
    v1::LogKind kind, int64_t after, int64_t through, int64_t limit,
    int64_t max_bytes) {
  std::vector<LogRecord> records;
  int64_t bytes = 0;
  const auto full = [&] {
    return static_cast<int64_t>(records.size()) >= limit || bytes >= max_bytes;
  };
  if (kind == v1::LOG_KIND_INPUTS) {
    auto next = std::upper_bound(inputs_.begin(), inputs_.end(), after,
                                 [](int64_t sequence, const LogRecord& record) {
                                   return sequence < record.sequence;
                                 });
    for (; next != inputs_.end() && next->sequence <= through && !full();
         ++next) {
      bytes += static_cast<int64_t>(next->line.size());
      records.push_back(*next);
    }
    return records;
  }
  KINORA_ASSIGN_OR_RETURN(int64_t offset, FindArtefact(after));
  std::string buffer;
  int64_t last = after;
  while (offset < info_.artefacts_bytes && !full()) {
    size_t begin = 0;
    size_t end = buffer.find('\n');
    if (end == std::string::npos) {
      KINORA_ASSIGN_OR_RETURN(
          const std::string more,
          BytesAt(offset + static_cast<int64_t>(buffer.size()), kReadBytes));
      buffer += more;
      if (more.empty()) {
        return DataCorrupt(ArtefactsCheckpointKey(movie_id_, info_.revision),
                           "the file ends within a line");
      }
      continue;
    }
    bool beyond = false;
    for (; end != std::string::npos && !full();
         end = buffer.find('\n', begin)) {
      const absl::string_view line =
          absl::string_view(buffer).substr(begin, end - begin);
      const absl::StatusOr<int64_t> sequence = CheckLogLine(line);
      // A search may have stopped at a line before the wanted one.
      if (sequence.ok() && *sequence <= after && records.empty()) {
        begin = end + 1;
        continue;
      }
      if (!sequence.ok() || *sequence <= last) {
        return DataCorrupt(
            ArtefactsCheckpointKey(movie_id_, info_.revision),
            absl::StrCat("the line after record ", last, ": ",
                         sequence.ok()
                             ? absl::StrCat("has number ", *sequence)
                             : std::string(sequence.status().message())));
      }
      beyond = *sequence > through;
      if (beyond) break;
      last = *sequence;
      bytes += static_cast<int64_t>(line.size());
      records.push_back({.sequence = last, .line = std::string(line)});
      begin = end + 1;
    }
    offset += static_cast<int64_t>(begin);
    buffer.erase(0, begin);
    if (beyond) break;
  }
  next_after_ = last;
  next_offset_ = offset;
  return records;
}

absl::Status RevisionCheckpoint::Check() {
  const std::string key = ArtefactsCheckpointKey(movie_id_, info_.revision);
  Sha256 hasher;
  int64_t count = 0;
  for (int64_t after = 0;;) {
    KINORA_ASSIGN_OR_RETURN(
        const std::vector<LogRecord> records,
        Read(v1::LOG_KIND_ARTEFACTS, after, info_.artefacts_through, 1000,
             int64_t{1} << 20));
    if (records.empty()) break;
    for (const LogRecord& record : records) {
      hasher.Update(record.line);
      hasher.Update("\n");
      ++count;
    }
    after = records.back().sequence;
  }
  const std::string hash = hasher.Finish().Hex();
  if (count == info_.artefact_events && hash == info_.artefacts_sha256) {
    return absl::OkStatus();
  }
  return DataCorrupt(key, absl::StrCat("has ", count, " events and the hash ",
                                       hash, ", not ", info_.artefact_events,
                                       " and ", info_.artefacts_sha256));
}

absl::Status WriteRevisionCheckpoint(
    ObjectStorage& storage, absl::string_view movie_id, CheckpointInfo info,
    const std::vector<LogRecord>& inputs,
    absl::FunctionRef<
        absl::Status(absl::FunctionRef<absl::Status(const LogRecord&)> keep)>
        artefacts) {
  const std::string artefacts_key =
      ArtefactsCheckpointKey(movie_id, info.revision);
  const std::string inputs_key = InputsCheckpointKey(movie_id, info.revision);
  // Left by a crash, or damaged: not a checkpoint.
  KINORA_RETURN_IF_ERROR(storage.Delete(inputs_key));
  KINORA_RETURN_IF_ERROR(storage.Delete(artefacts_key));
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
                          storage.StartWrite(EventsPrefix(movie_id)));
  Sha256 hasher;
  info.artefact_events = 0;
  info.artefacts_bytes = 0;
  KINORA_RETURN_IF_ERROR(artefacts([&](const LogRecord& record) {
    const std::string line = absl::StrCat(record.line, "\n");
    hasher.Update(line);
    ++info.artefact_events;
    info.artefacts_bytes += static_cast<int64_t>(line.size());
    return writer->Append(line);
  }));
  info.artefacts_sha256 = hasher.Finish().Hex();
  KINORA_ASSIGN_OR_RETURN(const bool created,
                          writer->CommitIfAbsent(artefacts_key));
  if (!created) {
    return absl::AbortedError(
        absl::StrCat(artefacts_key, ": somebody else writes it"));
  }
  return storage.Write(inputs_key, CheckpointText(info, inputs));
}

absl::Status RemoveOtherCheckpoints(ObjectStorage& storage,
                                    absl::string_view movie_id,
                                    absl::string_view revision) {
  KINORA_ASSIGN_OR_RETURN(const Revision kept, Revision::Parse(revision));
  // What makes them checkpoints goes first.
  std::vector<std::string> inputs, artefacts;
  KINORA_RETURN_IF_ERROR(ForEachEntry(
      storage, EventsPrefix(movie_id), [&](const ObjectPage& page) {
        for (const ObjectInfo& object : page.objects) {
          const auto first = RevisionOf(object.key, kInputsStem, kInputsSuffix);
          if (first.has_value() && *first != kept) {
            inputs.push_back(object.key);
          }
          const auto second =
              RevisionOf(object.key, kArtefactsStem, kArtefactsSuffix);
          if (second.has_value() && *second != kept) {
            artefacts.push_back(object.key);
          }
        }
        return absl::OkStatus();
      }));
  KINORA_RETURN_IF_ERROR(storage.DeleteAll(inputs));
  return storage.DeleteAll(artefacts);
}

}  // namespace kinora
