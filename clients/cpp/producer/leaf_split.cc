#include "clients/cpp/producer/leaf_split.h"

#include <map>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/canonical_json.h"
#include "common/json.h"
#include "common/json_pointer.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::Status BadLeaf(const AttemptRequest::Output& leaf,
                     absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      leaf.artefact_id, ": ", leaf.leaf_of, " ", why, " ", leaf.json_pointer));
}

absl::StatusOr<JsonValue> ReadJson(BlobStore& blobs,
                                   const std::string& movie_id,
                                   OutputSink& sink) {
  const std::string& id = sink.output().artefact_id;
  const v1::Content& content = sink.result().content;
  std::string text;
  if (content.has_inline_()) {
    text = content.inline_().data();
  } else {
    const int64_t size = content.blob().digest().size_bytes();
    if (size > kMaxSplitBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(id, ": has ", size,
                       " bytes; leaves are taken from at "
                       "most ",
                       kMaxSplitBytes));
    }
    v1::ReadBlobRequest read;
    read.set_movie_id(movie_id);
    *read.mutable_digest() = content.blob().digest();
    KINORA_RETURN_IF_ERROR(blobs.Read(read, [&text](absl::string_view bytes) {
      absl::StrAppend(&text, bytes);
      return absl::OkStatus();
    }));
  }
  absl::StatusOr<JsonValue> json = ParseJson(text);
  if (json.ok()) return json;
  return absl::InvalidArgumentError(absl::StrCat(
      id, ": has leaves, so it must be JSON: ", json.status().message()));
}

absl::Status Fill(const JsonValue& document, OutputSink* sink) {
  const AttemptRequest::Output& leaf = sink->output();
  const JsonValue* value = FindByPointer(document, leaf.json_pointer);
  if (value == nullptr) return BadLeaf(leaf, "has nothing at");
  v1::OutputChunk chunk;
  chunk.set_last(true);
  if (leaf.mime_type == "application/json") {
    chunk.set_data(CanonicalJson(*value));
  } else if (value->is_string()) {
    chunk.set_data(value->string_value());
  } else {
    return BadLeaf(leaf, absl::StrCat("has ", JsonTypeName(value->type()),
                                      ", not a string, at"));
  }
  return sink->Take(chunk);
}

}  // namespace

absl::Status SplitLeaves(BlobStore& blobs, const std::string& movie_id,
                         std::deque<OutputSink>* sinks) {
  std::map<std::string, std::vector<OutputSink*>>
      leaves;  // by what they are of
  for (OutputSink& sink : *sinks) {
    if (!sink.output().leaf_of.empty()) {
      leaves[sink.output().leaf_of].push_back(&sink);
    }
  }
  for (OutputSink& sink : *sinks) {
    auto found = leaves.find(sink.output().artefact_id);
    if (found == leaves.end() || !sink.complete()) continue;
    KINORA_ASSIGN_OR_RETURN(const JsonValue document,
                            ReadJson(blobs, movie_id, sink));
    for (OutputSink* leaf : found->second) {
      KINORA_RETURN_IF_ERROR(Fill(document, leaf));
    }
  }
  return absl::OkStatus();
}

}  // namespace kinora
