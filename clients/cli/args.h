// The words of one command line, sorted into flags and operands.

#ifndef KINORA_CLIENTS_CLI_ARGS_H_
#define KINORA_CLIENTS_CLI_ARGS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace kinora {

// A flag that a command takes.
struct FlagSpec {
  absl::string_view name;   // without dashes: "blueprint"
  absl::string_view value;  // what stands for its value in usage; "" for none
  absl::string_view help;
};

// Immutable once parsed.
class Args {
 public:
  // Accepts `--name value`, `--name=value` and, for flags without a value,
  // `--name`; `-o` is short for `--output`. `--` ends the flags. A flag given
  // more than once keeps all its values. What begins like a negative number is
  // no flag. INVALID_ARGUMENT names a word that
  // is no flag of `specs` or not UTF-8, a value that is missing or empty, or
  // one too many.
  static absl::StatusOr<Args> Parse(absl::Span<const std::string> words,
                                    absl::Span<const FlagSpec> specs);

  // Words that are not flags, in order.
  const std::vector<std::string>& operands() const { return operands_; }

  bool Has(absl::string_view flag) const;

  // The last value of a flag, or nullopt.
  std::optional<std::string> Get(absl::string_view flag) const;

  // All values of a flag, in order.
  std::vector<std::string> GetAll(absl::string_view flag) const;

 private:
  std::vector<std::string> operands_;
  std::map<std::string, std::vector<std::string>, std::less<>> flags_;
};

// Marks an error as one of the command line itself, which ends with exit code
// 2. Only for what is found before anything is asked of a server.
absl::Status BadUsage(absl::Status status);

// Whether BadUsage() made it, or it is INVALID_ARGUMENT of a flag: a field that
// begins with two dashes.
bool IsBadUsage(const absl::Status& status);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_ARGS_H_
