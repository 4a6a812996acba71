// The commands of `kinora`: a table of words, usage and function. One file a
// noun; main.cc puts the table together.

#ifndef KINORA_CLIENTS_CLI_COMMAND_H_
#define KINORA_CLIENTS_CLI_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

#include "clients/cli/args.h"
#include "common/exit_codes.h"
#include "common/json/json.h"

namespace kinora {

class Connection;

// One call of a command.
struct Invocation {
  const Args& args;
  Connection& connection;
  bool json = false;  // --json

  absl::string_view operand(size_t i) const { return args.operands()[i]; }
};

// A command. Its function prints to standard output and returns the exit code
// (common/exit_codes.h; kExitFailure if a run did not complete, or a scan
// skipped a file), or an error that main.cc prints to standard error.
struct Command {
  absl::string_view words;  // "movie create"
  absl::string_view usage;  // "MOVIE --blueprint FILE"
  absl::string_view help;   // one line
  std::vector<FlagSpec> flags;
  size_t min_operands = 0;
  size_t max_operands = 0;
  absl::StatusOr<int> (*run)(const Invocation&) = nullptr;
};

// What every client command takes.
std::vector<FlagSpec> ClientFlags();

// The commands of each noun.
std::vector<Command> MovieCommands();
std::vector<Command> InputCommands();
std::vector<Command> PlanCommands();
std::vector<Command> HistoryCommands();
std::vector<Command> TakeCommands();
std::vector<Command> GraphCommands();
std::vector<Command> RunCommands();
std::vector<Command> RunsCommands();
Command ReplayCommand();  // one of them
std::vector<Command> RunFileCommands();
std::vector<Command> RunsDiffCommands();
std::vector<Command> QuestionCommands();
std::vector<Command> ProducerCommands();
std::vector<Command> ArtefactCommands();
std::vector<Command> EditCommands();
std::vector<Command> ManifestCommands();
std::vector<Command> BlobCommands();
std::vector<Command> UpkeepCommands();
std::vector<Command> CopyCommands();
std::vector<Command> ServerCommands();
std::vector<Command> ImportCommands();
std::vector<Command> LedgerCommands();
std::vector<Command> RecordCommands();

// Prints one line of JSON.
void PrintJson(const google::protobuf::Message& message);
void PrintJson(const JsonValue& json);

// Prints text to standard output.
void Print(absl::string_view text);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_COMMAND_H_
