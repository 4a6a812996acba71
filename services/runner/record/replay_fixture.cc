#include "services/runner/record/replay_fixture.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "services/runner/ledger/status_words.h"
#include "services/runner/record/document_members.h"

namespace kinora {
namespace {

// How much of a stage's text a replay has to contain.
constexpr size_t kTextCharacters = 80;

JsonValue AssertionOf(const JsonValue& stage) {
  JsonObject assertion;
  assertion.Add("node_id", TextOrEmpty(stage, "node_id"));
  assertion.Add("expected_status", TextOrEmpty(stage, "status"));
  assertion.Add("expected_outcome", TextOrEmpty(stage, "outcome"));
  const std::optional<absl::string_view> branch = TextOf(stage, "branch");
  if (branch.has_value()) assertion.Add("expected_branch", *branch);
  JsonArray kinds;
  for (const JsonValue& artifact : ElementsOf(stage, "artifacts")) {
    kinds.emplace_back(TextOrEmpty(artifact, "kind"));
  }
  assertion.Add("required_artifact_kinds", std::move(kinds));
  const absl::string_view text = TextOrEmpty(stage, "visible_text");
  if (!text.empty()) {
    assertion.Add("visible_text_contains",
                  FirstCharacters(text, kTextCharacters));
  }
  return JsonValue(std::move(assertion));
}

// A fixture that was made of this run while it went on.
bool IsOfUnendedRun(const JsonValue& fixture, const JsonValue& document) {
  const absl::string_view status =
      NormalizedRunStatus(TextOrEmpty(fixture, "expected_status"));
  return !IsTerminalStatus(status) && status != "unknown" &&
         TextOrEmpty(fixture, "source_run_id") == TextOrEmpty(document, "id") &&
         TextOf(fixture, "eval_kind").value_or("replay") == "replay";
}

// "none" for a text that is not there, so that it is told from an empty one.
std::string Quoted(const std::optional<absl::string_view>& text) {
  return text.has_value() ? absl::StrCat("\"", *text, "\"") : "none";
}

bool HasKind(const JsonValue& stage, absl::string_view kind) {
  for (const JsonValue& artifact : ElementsOf(stage, "artifacts")) {
    if (TextOrEmpty(artifact, "kind") == kind) return true;
  }
  return false;
}

// Appends what of `stage` is other than expected.
void EvaluateStage(const JsonValue& stage, const JsonValue& assertion,
                   std::vector<std::string>& failures) {
  const std::string name =
      absl::StrCat("stage ", TextOrEmpty(assertion, "node_id"));
  const auto compare = [&](absl::string_view what,
                           std::optional<absl::string_view> expected,
                           std::optional<absl::string_view> actual) {
    if (expected == actual) return;
    failures.push_back(absl::StrCat(name, " ", what, " mismatch: expected ",
                                    Quoted(expected), ", got ",
                                    Quoted(actual)));
  };
  compare("status", TextOrEmpty(assertion, "expected_status"),
          TextOrEmpty(stage, "status"));
  compare("outcome", TextOrEmpty(assertion, "expected_outcome"),
          TextOrEmpty(stage, "outcome"));
  compare("branch", TextOf(assertion, "expected_branch"),
          TextOf(stage, "branch"));
  for (const JsonValue& kind :
       ElementsOf(assertion, "required_artifact_kinds")) {
    if (kind.is_string() && !HasKind(stage, kind.string_value())) {
      failures.push_back(absl::StrCat(name, " missing artifact kind \"",
                                      kind.string_value(), "\""));
    }
  }
  const absl::string_view text =
      TextOrEmpty(assertion, "visible_text_contains");
  if (!absl::StrContains(TextOrEmpty(stage, "visible_text"), text)) {
    failures.push_back(
        absl::StrCat(name, " visible text does not contain \"", text, "\""));
  }
}

}  // namespace

bool HasEnded(const JsonValue& document) {
  const absl::string_view status =
      NormalizedRunStatus(TextOrEmpty(document, "status"));
  if (status != "unknown") return IsTerminalStatus(status);
  return !TextOrEmpty(document, "status").empty() &&
         !TextOrEmpty(document, "finished_at").empty();
}

JsonValue ReplayFixtureOf(const JsonValue& document, Clock& clock,
                          RunIdGenerator& ids) {
  JsonObject fixture;
  fixture.Add("type", "replay_fixture");
  fixture.Add("id", NewDocumentId("fixture", ids));
  fixture.Add("source_run_id", TextOrEmpty(document, "id"));
  fixture.Add("workflow_id", TextOrEmpty(document, "workflow_id"));
  const std::optional<absl::string_view> name =
      TextOf(document, "workflow_name");
  if (name.has_value()) fixture.Add("workflow_name", *name);
  fixture.Add("created_at", NowText(clock));
  fixture.Add("eval_kind", "replay");
  fixture.Add("expected_status", TextOrEmpty(document, "status"));
  JsonArray assertions;
  for (const JsonValue& stage : ElementsOf(document, "stages")) {
    assertions.push_back(AssertionOf(stage));
  }
  fixture.Add("stage_assertions", std::move(assertions));
  return JsonValue(std::move(fixture));
}

void AddReplayFixture(JsonValue& document, Clock& clock, RunIdGenerator& ids) {
  if (!HasEnded(document)) return;
  const JsonValue* fixture = MemberOf(document, "replay_fixture");
  if (fixture != nullptr && !IsOfUnendedRun(*fixture, document)) return;
  document.object().Set("replay_fixture",
                        ReplayFixtureOf(document, clock, ids));
}

std::vector<std::string> EvaluateReplay(const JsonValue& document,
                                        const JsonValue& fixture) {
  std::vector<std::string> failures;
  const absl::string_view expected = TextOrEmpty(fixture, "expected_status");
  const absl::string_view actual = TextOrEmpty(document, "status");
  if (expected != actual) {
    failures.push_back(absl::StrCat("run status mismatch: expected \"",
                                    expected, "\", got \"", actual, "\""));
  }
  // The stages of each node that no assertion has taken, the last at the back.
  std::map<absl::string_view, std::vector<const JsonValue*>> stages;
  for (const JsonValue& stage : ElementsOf(document, "stages")) {
    stages[TextOrEmpty(stage, "node_id")].push_back(&stage);
  }
  const absl::Span<const JsonValue> assertions =
      ElementsOf(fixture, "stage_assertions");
  std::vector<const JsonValue*> taken(assertions.size(), nullptr);
  for (size_t i = assertions.size(); i-- > 0;) {
    const auto it = stages.find(TextOrEmpty(assertions[i], "node_id"));
    if (it == stages.end() || it->second.empty()) continue;
    taken[i] = it->second.back();
    it->second.pop_back();
  }
  for (size_t i = 0; i < assertions.size(); ++i) {
    if (taken[i] == nullptr) {
      failures.push_back(absl::StrCat("missing stage ",
                                      TextOrEmpty(assertions[i], "node_id")));
    } else {
      EvaluateStage(*taken[i], assertions[i], failures);
    }
  }
  return failures;
}

}  // namespace kinora
