// kinora: the command line.

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cpp/sim/sim_main.h"
#include "common/error_reason.h"
#include "common/json/canonical_json.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"
#include "services/standalone/standalone_main.h"

namespace kinora {

std::vector<FlagSpec> ClientFlags() {
  return {
      {"addr", "HOST:PORT", "all services; else $KINORA_ADDR, 127.0.0.1:7400"},
      {"store-addr", "HOST:PORT", "the store, if elsewhere"},
      {"planner-addr", "HOST:PORT", "the planner, if elsewhere"},
      {"runner-addr", "HOST:PORT", "the runner, if elsewhere"},
      {"json", "", "print JSON"},
      {"help", "", "print this"},
  };
}

void Print(absl::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void PrintJson(const JsonValue& json) {
  Print(absl::StrCat(CanonicalJson(json), "\n"));
}

void PrintJson(const google::protobuf::Message& message) {
  PrintJson(ProtoToJson(message));
}

namespace {

std::vector<Command> AllCommands() {
  std::vector<Command> all;
  for (auto* commands :
       {MovieCommands,    InputCommands,    PlanCommands,     HistoryCommands,
        GraphCommands,    RunCommands,      RunsCommands,     RunsDiffCommands,
        RunFileCommands,  QuestionCommands, ProducerCommands, TakeCommands,
        ArtefactCommands, EditCommands,     ManifestCommands, BlobCommands,
        UpkeepCommands,   CopyCommands,     ServerCommands,   ImportCommands,
        LedgerCommands,   RecordCommands}) {
    for (Command& command : commands()) all.push_back(std::move(command));
  }
  return all;
}

// One entry of a list of commands.
std::string Entry(const Command& command) {
  return absl::StrCat("  ", command.words, command.usage.empty() ? "" : " ",
                      command.usage, "\n      ", command.help, "\n");
}

std::string Usage(const std::vector<Command>& commands) {
  std::string text =
      "usage: kinora COMMAND ...\n\n"
      "  up --data DIR          serves everything in this process\n"
      "  sim --listen HOST:PORT serves the simulated producer\n";
  for (const Command& command : commands) {
    absl::StrAppend(&text, Entry(command));
  }
  return absl::StrCat(text, "\nkinora COMMAND --help tells its flags.\n");
}

// The commands of one noun, such as `movie`; empty if there is no such noun.
std::string UsageOfNoun(const std::vector<Command>& commands,
                        absl::string_view noun) {
  std::string text;
  for (const Command& command : commands) {
    if (!absl::StartsWith(command.words, absl::StrCat(noun, " "))) continue;
    absl::StrAppend(&text, Entry(command));
  }
  if (text.empty()) return text;
  return absl::StrCat("usage: kinora ", noun, " ...\n\n", text,
                      "\nkinora COMMAND --help tells its flags.\n");
}

std::string Usage(const Command& command) {
  std::string text = absl::StrCat("usage: kinora ", command.words,
                                  command.usage.empty() ? "" : " ",
                                  command.usage, "\n", command.help, "\n\n");
  std::vector<FlagSpec> flags = command.flags;
  for (const FlagSpec& flag : ClientFlags()) flags.push_back(flag);
  for (const FlagSpec& flag : flags) {
    const std::string name = absl::StrCat(
        "--", flag.name, flag.value.empty() ? "" : " ", flag.value);
    absl::StrAppend(&text, "  ", name,
                    std::string(name.size() < 26 ? 26 - name.size() : 1, ' '),
                    flag.help, "\n");
  }
  return text;
}

int Fail(absl::string_view message, int code) {
  std::fprintf(stderr, "kinora: %s\n", std::string(message).c_str());
  return code;
}

// The command whose words the line begins with, or null; takes them off.
const Command* Find(const std::vector<Command>& commands,
                    std::vector<std::string>* words) {
  for (size_t count : {2, 1}) {
    if (words->size() < count) continue;
    const std::string name =
        absl::StrJoin(words->begin(), words->begin() + count, " ");
    for (const Command& command : commands) {
      if (command.words != name) continue;
      words->erase(words->begin(), words->begin() + count);
      return &command;
    }
  }
  return nullptr;
}

// Says that there is no such command, and which one may have been meant.
int NoCommand(const std::vector<Command>& commands,
              const std::vector<std::string>& words) {
  std::vector<absl::string_view> known = {"up", "sim", "help"};
  std::vector<absl::string_view> second;  // of commands that begin like it
  for (const Command& command : commands) {
    known.push_back(command.words);
    known.push_back(command.words.substr(0, command.words.find(' ')));
    absl::string_view word = command.words;
    if (absl::ConsumePrefix(&word, absl::StrCat(words[0], " "))) {
      second.push_back(word);
    }
  }
  // What was meant to be the command, without its operands.
  const bool is_noun = !second.empty();
  std::string name = words[0];
  if (words.size() > 1 && !absl::StartsWith(words[1], "-")) {
    absl::StrAppend(&name, " ", words[1]);
  }
  std::string meant;
  if (is_noun && name != words[0]) meant = DidYouMean(words[1], second);
  if (meant.empty()) meant = DidYouMean(name, known);
  if (meant.empty()) meant = DidYouMean(words[0], known);
  return Fail(absl::StrCat("no command \"", is_noun ? name : words[0], "\"",
                           meant, " (see kinora help",
                           is_noun ? absl::StrCat(" ", words[0]) : "", ")"),
              kExitBadUsage);
}

// `kinora help [COMMAND]`, where a command may be given by its first word.
int Help(const std::vector<Command>& commands, std::vector<std::string> words) {
  if (words.empty()) {
    Print(Usage(commands));
    return kExitOk;
  }
  if (const Command* command = Find(commands, &words)) {
    Print(Usage(*command));
    return kExitOk;
  }
  const std::string noun =
      words.size() == 1 ? UsageOfNoun(commands, words[0]) : "";
  if (noun.empty()) return NoCommand(commands, words);
  Print(noun);
  return kExitOk;
}

int Run(const Command& command, const std::vector<std::string>& words) {
  std::vector<FlagSpec> flags = command.flags;
  for (const FlagSpec& flag : ClientFlags()) flags.push_back(flag);
  const absl::StatusOr<Args> args = Args::Parse(words, flags);
  if (!args.ok()) {
    return Fail(absl::StrCat(args.status().message(), "\n", Usage(command)),
                kExitBadUsage);
  }
  if (args->Has("help")) {
    Print(Usage(command));
    return kExitOk;
  }
  if (args->operands().size() < command.min_operands ||
      args->operands().size() > command.max_operands) {
    return Fail(
        absl::StrCat("wrong number of operands, got ",
                     args->operands().empty()
                         ? "none"
                         : ClipValue(absl::StrJoin(args->operands(), " ")),
                     "\n", Usage(command)),
        kExitBadUsage);
  }
  Connection connection(Addresses::Of(*args));
  const absl::StatusOr<int> code = command.run(
      {.args = *args, .connection = connection, .json = args->Has("json")});
  if (code.ok()) return *code;
  const std::string reason = ReasonOf(code.status());
  return Fail(absl::StrCat(code.status().message(), " (",
                           absl::StatusCodeToString(code.status().code()),
                           reason.empty() ? "" : ", ", reason, ")"),
              IsBadUsage(code.status()) ? kExitBadUsage : kExitFailure);
}

int Main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  // `help up` is `up --help`.
  char help[] = "--help";
  if (words.size() == 2 && words[0] == "help" &&
      (words[1] == "up" || words[1] == "sim")) {
    std::swap(words[0], words[1]);
    argv[1] = argv[2];
    argv[2] = help;
  }
  // The servers read their own flags: they are those of their configuration.
  if (!words.empty() && words[0] == "up") {
    return StandaloneMain(argc - 1, argv + 1);
  }
  if (!words.empty() && words[0] == "sim") return SimMain(argc - 1, argv + 1);
  const std::vector<Command> commands = AllCommands();
  if (words.empty()) {
    Print(Usage(commands));
    return kExitBadUsage;
  }
  if (words[0] == "help" || words[0] == "--help") {
    words.erase(words.begin());
    return Help(commands, std::move(words));
  }
  if (const Command* command = Find(commands, &words)) {
    return Run(*command, words);
  }
  // `kinora movie`, or `kinora movie --help`.
  if (words.size() == 1 || words[1] == "--help") {
    const std::string noun = UsageOfNoun(commands, words[0]);
    if (!noun.empty()) {
      Print(noun);
      return words.size() == 1 ? kExitBadUsage : kExitOk;
    }
  }
  return NoCommand(commands, words);
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  const int code = kinora::Main(argc, argv);
  // A full disk must not pass for success.
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written || code != kinora::kExitOk) return code;
  return kinora::Fail("cannot write to standard output", kinora::kExitFailure);
}
