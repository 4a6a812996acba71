#include "clients/cli/args.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "common/utf8.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {
namespace {

// It stays in this process.
constexpr absl::string_view kUsagePayload = "kinora/usage";

const FlagSpec* Find(absl::Span<const FlagSpec> specs, absl::string_view name) {
  auto it = std::find_if(specs.begin(), specs.end(), [&](const FlagSpec& spec) {
    return spec.name == name;
  });
  return it == specs.end() ? nullptr : &*it;
}

absl::Status UnknownFlag(absl::string_view name,
                         absl::Span<const FlagSpec> specs) {
  std::vector<std::string> flags;
  for (const FlagSpec& spec : specs) {
    flags.push_back(absl::StrCat("--", spec.name));
  }
  const std::string given = absl::StrCat("--", name);
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown flag ", given, DidYouMean(given, {flags.begin(), flags.end()})));
}

}  // namespace

absl::StatusOr<Args> Args::Parse(absl::Span<const std::string> words,
                                 absl::Span<const FlagSpec> specs) {
  Args args;
  for (const std::string& word : words) {
    if (IsValidUtf8(word)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the argument \"", ClipValue(word), "\" is not UTF-8 text"));
  }
  for (size_t i = 0; i < words.size(); ++i) {
    absl::string_view word = words[i];
    if (word == "--") {
      args.operands_.insert(args.operands_.end(), words.begin() + i + 1,
                            words.end());
      break;
    }
    if (word == "-o") word = "--output";
    if (!absl::StartsWith(word, "--")) {
      // A lone dash is an operand: it names the standard input or output. So is
      // a negative number, for the command to say what it thinks of it.
      if (word.size() > 1 && word[0] == '-' && !absl::ascii_isdigit(word[1])) {
        return absl::InvalidArgumentError(absl::StrCat("unknown flag ", word));
      }
      args.operands_.emplace_back(word);
      continue;
    }
    word.remove_prefix(2);
    const size_t equals = word.find('=');
    const absl::string_view name = word.substr(0, equals);
    const FlagSpec* spec = Find(specs, name);
    if (spec == nullptr) {
      return UnknownFlag(name, specs);
    }
    std::string value;
    if (equals != absl::string_view::npos) {
      if (spec->value.empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", name, " takes no value"));
      }
      value = std::string(word.substr(equals + 1));
    } else if (!spec->value.empty()) {
      if (i + 1 == words.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", name, " needs a value: ", spec->value));
      }
      value = words[++i];
    }
    // Mostly a shell's variable that is not set: taken for none, it would
    // switch off what was asked for.
    if (!spec->value.empty() && value.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--", name, " needs a value: ", spec->value, ", got an empty one"));
    }
    args.flags_[std::string(name)].push_back(std::move(value));
  }
  return args;
}

bool Args::Has(absl::string_view flag) const {
  return flags_.find(std::string(flag)) != flags_.end();
}

std::optional<std::string> Args::Get(absl::string_view flag) const {
  auto it = flags_.find(std::string(flag));
  if (it == flags_.end()) return std::nullopt;
  return it->second.back();
}

std::vector<std::string> Args::GetAll(absl::string_view flag) const {
  auto it = flags_.find(std::string(flag));
  return it == flags_.end() ? std::vector<std::string>() : it->second;
}

absl::Status BadUsage(absl::Status status) {
  if (!status.ok()) status.SetPayload(kUsagePayload, absl::Cord());
  return status;
}

bool IsBadUsage(const absl::Status& status) {
  if (status.GetPayload(kUsagePayload).has_value()) return true;
  const auto field = status.GetPayload(kFieldPayload);
  return absl::IsInvalidArgument(status) && field.has_value() &&
         field->StartsWith("--");
}

}  // namespace kinora
