#include "clients/cpp/producer/leaf_split.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/json/json.h"
#include "common/json/json_leaf.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<JsonValue> ReadJson(BlobStore& blobs,
                                   const std::string& movie_id,
                                   OutputSink& sink) {
  const std::string& id = sink.output().artefact_id;
  const v1::Content& content = sink.result().content;
  std::string text;
  if (content.has_inline_()) {
    text = content.inline_().data();
  } else {
    KINORA_RETURN_IF_ERROR(
        CheckSplitSize(id, content.blob().digest().size_bytes()));
    v1::ReadBlobRequest read;
    read.set_movie_id(movie_id);
    *read.mutable_digest() = content.blob().digest();
    KINORA_RETURN_IF_ERROR(blobs.Read(read, [&text](absl::string_view bytes) {
      absl::StrAppend(&text, bytes);
      return absl::OkStatus();
    }));
  }
  return ParseSplitDocument(id, text);
}

absl::Status Fill(const JsonValue& document, OutputSink* sink) {
  const AttemptRequest::Output& leaf = sink->output();
  KINORA_ASSIGN_OR_RETURN(
      std::string bytes,
      BytesOfLeaf(document, {leaf.artefact_id, leaf.leaf_of, leaf.json_pointer,
                             leaf.mime_type}));
  v1::OutputChunk chunk;
  chunk.set_last(true);
  chunk.set_data(std::move(bytes));
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
    sink.result().readable_path.clear();
    KINORA_ASSIGN_OR_RETURN(const JsonValue document,
                            ReadJson(blobs, movie_id, sink));
    for (OutputSink* leaf : found->second) {
      KINORA_RETURN_IF_ERROR(Fill(document, leaf));
    }
  }
  return absl::OkStatus();
}

}  // namespace kinora
