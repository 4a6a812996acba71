// kinora artefact get | list

#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/content_text.h"
#include "clients/cli/output_file.h"
#include "clients/cpp/artefact_edits.h"
#include "common/element_id.h"
#include "common/status.h"
#include "services/store/manifest/manifest_document.h"

namespace kinora {
namespace {

// The manifest of --revision, or the current one.
absl::StatusOr<v1::Manifest> LoadManifest(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(
      ManifestDocument document,
      ReadManifest(call.connection.store().manifests, call.operand(0),
                   call.args.Get("revision").value_or("")));
  return std::move(document.manifest);
}

// Writes a blob to `sink` without holding it whole.
absl::Status CopyBlob(const Invocation& call, const v1::BlobRef& blob,
                      BlobStore::Sink sink) {
  v1::ReadBlobRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  *request.mutable_digest() = blob.digest();
  request.set_verify(true);
  return call.connection.store().blobs.Read(request, sink);
}

absl::Status CopyContent(const Invocation& call, const v1::Content& content,
                         BlobStore::Sink sink) {
  if (content.has_inline_()) return sink(content.inline_().data());
  return CopyBlob(call, content.blob(), sink);
}

absl::Status CopyToFile(const Invocation& call, const v1::Content& content,
                        const std::string& path) {
  KINORA_ASSIGN_OR_RETURN(OutputFile file,
                          OutputFile::Open(path, ExistingFile::kReplace));
  KINORA_RETURN_IF_ERROR(CopyContent(
      call, content,
      [&file](absl::string_view bytes) { return file.Append(bytes); }));
  return file.Finish();
}

absl::StatusOr<int> GetArtefact(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(
      const ElementId id,
      ElementId::Parse(call.operand(1), ElementId::Kind::kArtefact));
  KINORA_ASSIGN_OR_RETURN(const v1::Manifest manifest, LoadManifest(call));
  auto it = manifest.artefacts().find(id.ToString());
  if (it == manifest.artefacts().end()) {
    return ArtefactNotInRevision(manifest, call.operand(0), id.ToString());
  }
  const v1::Content& content = it->second.content();
  const std::optional<std::string> output = call.args.Get("output");
  if (output.has_value() && *output != "-") {
    KINORA_RETURN_IF_ERROR(CopyToFile(call, content, *output));
    if (call.json) PrintJson(it->second);
    return kExitOk;
  }
  if (call.json) {
    PrintJson(it->second);
    return kExitOk;
  }
  KINORA_RETURN_IF_ERROR(
      CopyContent(call, content, [](absl::string_view bytes) {
        if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) ==
            bytes.size()) {
          return absl::OkStatus();
        }
        return absl::UnavailableError("cannot write to standard output");
      }));
  return kExitOk;
}

absl::StatusOr<int> ListArtefacts(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(const v1::Manifest manifest, LoadManifest(call));
  if (call.json) {
    v1::Manifest artefacts;
    artefacts.set_revision(manifest.revision());
    *artefacts.mutable_artefacts() = manifest.artefacts();
    PrintJson(artefacts);
    return kExitOk;
  }
  // In the order of their ids, where segment 2 comes before segment 10.
  std::vector<std::pair<ElementId, const v1::ManifestArtefact*>> sorted;
  for (const auto& entry : manifest.artefacts()) {
    KINORA_ASSIGN_OR_RETURN(ElementId id, ElementId::Parse(entry.first));
    sorted.emplace_back(std::move(id), &entry.second);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& entry : sorted) {
    Print(absl::StrFormat("%-44s  %s\n", entry.first.ToString(),
                          DescribeContent(entry.second->content())));
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> ArtefactCommands() {
  const FlagSpec revision = {"revision", "REV",
                             "a revision such as rev-0001; else the current"};
  return {
      {.words = "artefact get",
       .usage = "MOVIE ID [-o FILE] [--revision REV]",
       .help = "writes an artefact to a file or standard output",
       .flags = {{"output", "FILE", "where to write it; - for standard output"},
                 revision},
       .min_operands = 2,
       .max_operands = 2,
       .run = GetArtefact},
      {.words = "artefact list",
       .usage = "MOVIE [--revision REV]",
       .help = "lists the artefacts of a revision",
       .flags = {revision},
       .min_operands = 1,
       .max_operands = 1,
       .run = ListArtefacts},
  };
}

}  // namespace kinora
