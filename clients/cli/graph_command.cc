// kinora graph

#include <cstdio>
#include <string>

#include "absl/strings/numbers.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/output_file.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<v1::GraphFormat> ParseFormat(absl::string_view text) {
  if (text == "dot") return v1::GRAPH_FORMAT_DOT;
  if (text == "mermaid") return v1::GRAPH_FORMAT_MERMAID;
  if (text == "svg") return v1::GRAPH_FORMAT_SVG;
  return InvalidField("--format", text, "must be dot, mermaid or svg");
}

absl::Status WriteWhole(const std::string& path, absl::string_view text) {
  KINORA_ASSIGN_OR_RETURN(OutputFile file,
                          OutputFile::Open(path, ExistingFile::kReplace));
  KINORA_RETURN_IF_ERROR(file.Append(text));
  return file.Finish();
}

absl::StatusOr<int> DrawGraph(const Invocation& call) {
  v1::RenderGraphRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(const v1::GraphFormat format,
                          ParseFormat(call.args.Get("format").value_or("dot")));
  request.set_format(format);
  if (const auto flag = call.args.Get("fold-above"); flag.has_value()) {
    int32_t parts = 0;
    if (!absl::SimpleAtoi(*flag, &parts) || parts < -1 || parts == 0) {
      return InvalidField("--fold-above", *flag,
                          "must be a whole number, 1 or more, or -1 for never");
    }
    request.set_fold_above(parts);
  }
  KINORA_ASSIGN_OR_RETURN(const v1::RenderGraphResponse drawn,
                          call.connection.planner().RenderGraph(request));
  if (drawn.folded()) {
    std::fprintf(stderr,
                 "kinora: the graph is large, so all jobs of a node are one "
                 "box; --fold-above=-1 draws them all\n");
  }
  const std::string path = call.args.Get("output").value_or("-");
  if (path != "-") KINORA_RETURN_IF_ERROR(WriteWhole(path, drawn.text()));
  if (call.json) {
    PrintJson(drawn);
  } else if (path == "-") {
    Print(drawn.text());
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> GraphCommands() {
  return {
      {.words = "graph",
       .usage = "MOVIE [--format dot|mermaid|svg] [-o FILE] "
                "[--fold-above N]",
       .help = "draws the blueprint at the movie's inputs",
       .flags = {{"format", "FORMAT", "dot, mermaid or svg; else dot"},
                 {"output", "FILE", "where to write it; - for standard output"},
                 {"fold-above", "N",
                  "one box for all jobs of a node above so many boxes and "
                  "arrows; else 500, -1 for never"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = DrawGraph}};
}

}  // namespace kinora
