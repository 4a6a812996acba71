// kinora manifest show

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/content_text.h"
#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<int> ShowManifest(const Invocation& call) {
  v1::GetManifestRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_revision(call.args.Get("revision").value_or(""));
  KINORA_ASSIGN_OR_RETURN(const StoredManifest stored,
                          call.connection.store().manifests.Get(request));
  if (call.json) {
    // Exactly the stored bytes, without an end of line: they are what the
    // hash covers.
    Print(stored.json);
    return kExitOk;
  }
  v1::Manifest manifest;
  KINORA_RETURN_IF_ERROR(ParseDocument(stored.json, &manifest));
  Print(absl::StrFormat(
      "%s on %s  hash %s\n%d inputs, %d artefacts\n", manifest.revision(),
      manifest.base_revision().empty() ? "nothing" : manifest.base_revision(),
      stored.pointer.hash(), manifest.inputs_size(),
      manifest.artefacts_size()));
  for (const auto& node : manifest.nodes()) {
    Print(absl::StrFormat("  %-20s made by %s, version %s\n", node.first,
                          node.second.producer().name(),
                          node.second.producer().version()));
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> ManifestCommands() {
  return {{.words = "manifest show",
           .usage = "MOVIE [--revision REV]",
           .help = "shows a manifest; with --json its exact stored bytes",
           .flags = {{"revision", "REV",
                      "a revision such as rev-0001; else the current"}},
           .min_operands = 1,
           .max_operands = 1,
           .run = ShowManifest}};
}

}  // namespace kinora
