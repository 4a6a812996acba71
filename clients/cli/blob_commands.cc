// kinora gc | blob explain

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "common/proto_time.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<int> CollectGarbage(const Invocation& call) {
  v1::CollectGarbageRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_dry_run(call.args.Has("dry-run"));
  if (const auto text = call.args.Get("grace"); text.has_value()) {
    KINORA_ASSIGN_OR_RETURN(const absl::Duration grace,
                            ParseSpan("--grace", *text));
    *request.mutable_grace() = ToProto(grace);
  }
  JsonArray removed;
  std::vector<std::string> files;
  v1::CollectGarbageResponse last;
  KINORA_RETURN_IF_ERROR(call.connection.store().maintenance.CollectGarbage(
      request, [&](const v1::CollectGarbageResponse& response) {
        for (const v1::Digest& digest : response.removed()) {
          removed.push_back(digest.hash());
        }
        files.insert(files.end(), response.removed_files().begin(),
                     response.removed_files().end());
        last = response;
        return absl::OkStatus();
      }));
  const auto count = static_cast<int64_t>(removed.size());
  if (call.json) {
    JsonObject json;
    json.Add("dryRun", request.dry_run());
    json.Add("freedBytes", last.freed_bytes());
    json.Add("movieId", request.movie_id());
    json.Add("removed", std::move(removed));
    json.Add("removedFiles", JsonArray(files.begin(), files.end()));
    json.Add("scannedBlobs", last.scanned_blobs());
    PrintJson(JsonValue(std::move(json)));
    return kExitOk;
  }
  const absl::string_view does =
      request.dry_run() ? "would remove " : "removed ";
  Print(absl::StrCat(does, Counted(count, "blob"), ", ",
                     FormatSize(last.freed_bytes()), ", of ",
                     last.scanned_blobs(), "\n"));
  if (files.empty()) return kExitOk;
  Print(absl::StrCat(
      does, Counted(static_cast<int64_t>(files.size()), "readable file"),
      ":\n"));
  for (const std::string& path : files) Print(absl::StrCat("  ", path, "\n"));
  return kExitOk;
}

absl::StatusOr<int> ExplainBlob(const Invocation& call) {
  v1::ExplainBlobRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.mutable_digest()->set_hash(std::string(call.operand(1)));
  KINORA_ASSIGN_OR_RETURN(
      const v1::ExplainBlobResponse response,
      call.connection.store().maintenance.ExplainBlob(request));
  if (call.json) {
    JsonArray reached_by;
    for (const std::string& by : response.reached_by()) {
      reached_by.push_back(by);
    }
    JsonObject json;
    json.Add("hash", request.digest().hash());
    json.Add("movieId", request.movie_id());
    json.Add("reachedBy", std::move(reached_by));
    PrintJson(JsonValue(std::move(json)));
    return kExitOk;
  }
  for (const std::string& by : response.reached_by()) {
    Print(absl::StrCat(by, "\n"));
  }
  if (response.reached_by().empty()) {
    Print("nothing keeps it: the next collection removes it\n");
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> BlobCommands() {
  return {
      {.words = "gc",
       .usage = "MOVIE [--dry-run] [--grace SPAN]",
       .help = "removes blobs and readable files that nothing needs any more",
       .flags = {{"dry-run", "", "tell what would go; remove nothing"},
                 {"grace", "SPAN",
                  "keep what was used within this, such as 10m; else the "
                  "server's"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = CollectGarbage},
      {.words = "blob explain",
       .usage = "MOVIE HASH",
       .help = "tells what keeps a blob",
       .flags = {},
       .min_operands = 2,
       .max_operands = 2,
       .run = ExplainBlob},
  };
}

}  // namespace kinora
