#include "clients/cpp/producer/output_sink.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/files/readable_path.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/status.h"
#include "common/utf8.h"

namespace kinora {
namespace {

constexpr absl::string_view kJson = "application/json";

}  // namespace

OutputSink::OutputSink(BlobStore& blobs, std::string movie_id,
                       int64_t inline_limit, AttemptRequest::Output output,
                       OutputSchemaSource schemas)
    : blobs_(blobs),
      movie_id_(std::move(movie_id)),
      inline_limit_(inline_limit),
      output_(std::move(output)),
      schemas_(std::move(schemas)) {}

const std::string& OutputSink::MimeTypeOf(const v1::OutputChunk& chunk) const {
  if (begun_) return mime_type_;
  return chunk.mime_type().empty() ? output_.mime_type : chunk.mime_type();
}

bool OutputSink::Overflows(const v1::OutputChunk& chunk) const {
  return upload_ != nullptr ||
         received_ + static_cast<int64_t>(chunk.data().size()) > inline_limit_;
}

bool OutputSink::Blocks(const v1::OutputChunk& chunk) const {
  // The canonical form of JSON may overflow where its bytes do not, and its
  // schema may have to be asked for.
  return Overflows(chunk) || (chunk.last() && MimeTypeOf(chunk) == kJson);
}

absl::Status OutputSink::Take(const v1::OutputChunk& chunk) {
  if (complete_) {
    return InvalidField("output_chunk.output", chunk.output(),
                        "its last chunk has been sent already");
  }
  if (chunk.offset() != received_) {
    return InvalidField(
        "output_chunk.offset", absl::StrCat(chunk.offset()),
        absl::StrCat(output_.artefact_id, " goes on at ", received_));
  }
  if (!begun_) {
    mime_type_ = MimeTypeOf(chunk);
    begun_ = true;
    if (!chunk.readable_path().empty()) {
      KINORA_RETURN_IF_ERROR(ValidateReadablePath("output_chunk.readable_path",
                                                  chunk.readable_path()));
      if (!IsReadableType(mime_type_)) {
        return InvalidField("output_chunk.readable_path", chunk.readable_path(),
                            absl::StrCat("only text and JSON have a readable "
                                         "copy, this is ",
                                         mime_type_));
      }
    }
    result_.readable_path = chunk.readable_path();
  }
  const bool overflows = Overflows(chunk);
  received_ += static_cast<int64_t>(chunk.data().size());
  if (!overflows) {
    buffer_ += chunk.data();
  } else {
    if (upload_ == nullptr) {
      KINORA_RETURN_IF_ERROR(StartUpload());
      KINORA_RETURN_IF_ERROR(upload_->Append(buffer_));
      buffer_ = std::string();
    }
    KINORA_RETURN_IF_ERROR(upload_->Append(chunk.data()));
  }
  return chunk.last() ? Finish() : absl::OkStatus();
}

absl::Status OutputSink::StartUpload() {
  v1::WriteBlobHeader header;
  header.set_movie_id(movie_id_);
  KINORA_ASSIGN_OR_RETURN(upload_, blobs_.StartUpload(header));
  return absl::OkStatus();
}

absl::Status OutputSink::Finish() {
  complete_ = true;
  if (upload_ == nullptr) return FinishInline();
  KINORA_RETURN_IF_ERROR(FinishUpload());
  if (mime_type_ != kJson) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(const auto schema, Schema());
  return schema == nullptr ? absl::OkStatus() : CheckStored(*schema);
}

absl::Status OutputSink::FinishUpload() {
  KINORA_ASSIGN_OR_RETURN(v1::WriteBlobResponse stored, upload_->Finish());
  upload_.reset();
  v1::BlobRef* blob = result_.content.mutable_blob();
  *blob->mutable_digest() = stored.digest();
  blob->set_mime_type(mime_type_);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const JsonSchema>> OutputSink::Schema() const {
  if (schemas_ == nullptr) return std::shared_ptr<const JsonSchema>();
  return schemas_(output_.name);
}

absl::Status OutputSink::Misfit(const absl::Status& fits) {
  misfit_ = !fits.ok();
  return fits;
}

// It has gone by in pieces, and is read back.
absl::Status OutputSink::CheckStored(const JsonSchema& schema) {
  const v1::Digest& digest = result_.content.blob().digest();
  KINORA_RETURN_IF_ERROR(CheckOutputSize(output_.name, digest.size_bytes()));
  v1::ReadBlobRequest read;
  read.set_movie_id(movie_id_);
  *read.mutable_digest() = digest;
  std::string text;
  KINORA_RETURN_IF_ERROR(blobs_.Read(read, [&text](absl::string_view bytes) {
    absl::StrAppend(&text, bytes);
    return absl::OkStatus();
  }));
  const absl::StatusOr<JsonValue> json = ParseJson(text);
  if (!json.ok()) {
    return Misfit(absl::InvalidArgumentError(
        absl::StrCat("must be JSON: ", json.status().message())));
  }
  return Misfit(CheckOutput(schema, output_.name, *json));
}

// Inline values have one spelling, so that a producer that orders the members
// of its JSON differently today has still made the same value.
absl::Status OutputSink::FinishInline() {
  if (mime_type_ == kJson) {
    KINORA_ASSIGN_OR_RETURN(const auto schema, Schema());
    absl::StatusOr<JsonValue> json = ParseJson(buffer_);
    if (!json.ok()) {
      misfit_ = schema != nullptr;
      return InvalidField(
          output_.artefact_id, buffer_,
          absl::StrCat("must be JSON: ", json.status().message()));
    }
    if (schema != nullptr) {
      KINORA_RETURN_IF_ERROR(Misfit(CheckOutput(*schema, output_.name, *json)));
    }
    std::string canonical = CanonicalJson(*json);
    // Numbers can be longer than they were sent.
    if (static_cast<int64_t>(canonical.size()) > inline_limit_) {
      KINORA_RETURN_IF_ERROR(StartUpload());
      KINORA_RETURN_IF_ERROR(upload_->Append(canonical));
      return FinishUpload();
    }
    buffer_ = std::move(canonical);
  } else if (absl::StartsWith(mime_type_, "text/") && !IsValidUtf8(buffer_)) {
    return InvalidField(output_.artefact_id, buffer_, "must be UTF-8 text");
  }
  v1::InlineValue* value = result_.content.mutable_inline_();
  value->set_hash(Sha256Of(buffer_).Hex());
  value->set_mime_type(mime_type_);
  value->set_data(std::move(buffer_));
  return absl::OkStatus();
}

}  // namespace kinora
