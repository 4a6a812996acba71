#include "services/runner/hooks/hook_table.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/config_file.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr HookEvent kAllEvents[] = {HookEvent::kQuestion, HookEvent::kFailure,
                                    HookEvent::kBudget, HookEvent::kCompletion,
                                    HookEvent::kRecord};
constexpr uint32_t kMaxTimeoutSeconds = 60 * 60;

absl::Status AddEvent(const std::string& field, const std::string& word,
                      std::set<HookEvent>* on) {
  for (const HookEvent event : kAllEvents) {
    if (WordOf(event) != word) continue;
    on->insert(event);
    return absl::OkStatus();
  }
  return InvalidField(
      field, word, "must be question, failure, budget, completion or record");
}

absl::Status CheckTarget(const std::string& field, const v1::HookEntry& entry) {
  const bool is_command = !entry.command().empty();
  if (is_command == !entry.webhook().empty()) {
    return InvalidField(field, entry.webhook(),
                        "must have either a command or a webhook");
  }
  if (is_command && entry.command(0).empty()) {
    return InvalidField(field + ".command", "", "must name a program");
  }
  if (!is_command && !absl::StartsWith(entry.webhook(), "https://") &&
      !absl::StartsWith(entry.webhook(), "http://")) {
    return InvalidField(field + ".webhook", entry.webhook(),
                        "must be a URL with http or https");
  }
  if (is_command && !entry.secret_env().empty()) {
    return InvalidField(field + ".secret_env", entry.secret_env(),
                        "signs webhooks only");
  }
  return absl::OkStatus();
}

absl::StatusOr<Hook> CheckEntry(const std::string& field,
                                const v1::HookEntry& entry,
                                const ReadVariable& variable) {
  Hook hook;
  for (const std::string& word : entry.on()) {
    KINORA_RETURN_IF_ERROR(AddEvent(field + ".on", word, &hook.on));
  }
  if (hook.on.empty()) {
    return InvalidField(
        field + ".on", "",
        "must name question, failure, budget, completion or record");
  }
  KINORA_RETURN_IF_ERROR(CheckTarget(field, entry));
  hook.command.assign(entry.command().begin(), entry.command().end());
  hook.webhook = entry.webhook();
  if (!entry.secret_env().empty()) {
    hook.secret = variable(entry.secret_env()).value_or("");
    if (hook.secret.empty()) {
      return InvalidField(field + ".secret_env", entry.secret_env(),
                          "the environment has no such variable");
    }
  }
  if (entry.timeout_seconds() > kMaxTimeoutSeconds) {
    return InvalidField(field + ".timeout_seconds",
                        absl::StrCat(entry.timeout_seconds()),
                        absl::StrCat("must be at most ", kMaxTimeoutSeconds));
  }
  if (entry.timeout_seconds() > 0) {
    hook.timeout = absl::Seconds(entry.timeout_seconds());
  }
  return hook;
}

}  // namespace

absl::string_view WordOf(HookEvent event) {
  switch (event) {
    case HookEvent::kQuestion:
      return "question";
    case HookEvent::kFailure:
      return "failure";
    case HookEvent::kBudget:
      return "budget";
    case HookEvent::kCompletion:
      return "completion";
    case HookEvent::kRecord:
      return "record";
  }
  return "";
}

absl::StatusOr<std::vector<Hook>> CheckHookTable(const v1::HookTable& table,
                                                 const ReadVariable& variable) {
  std::vector<Hook> hooks;
  for (int i = 0; i < table.hooks_size(); ++i) {
    KINORA_ASSIGN_OR_RETURN(
        Hook hook,
        CheckEntry(absl::StrCat("hooks[", i, "]"), table.hooks(i), variable));
    hook.index = i;
    hooks.push_back(std::move(hook));
  }
  return hooks;
}

absl::StatusOr<std::vector<Hook>> LoadHookTable(FileSystem& files,
                                                absl::string_view path,
                                                const ReadVariable& variable) {
  if (path.empty()) return std::vector<Hook>();
  KINORA_ASSIGN_OR_RETURN(const std::string yaml, ReadFile(files, path));
  v1::HookTable table;
  KINORA_RETURN_IF_ERROR(ParseYamlConfig(yaml, path, &table));
  absl::StatusOr<std::vector<Hook>> hooks = CheckHookTable(table, variable);
  if (!hooks.ok()) return Annotate(hooks.status(), path);
  return hooks;
}

}  // namespace kinora
