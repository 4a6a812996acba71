// Questions to the rules of the run ledger. Whatever is asked is refused or
// answered with JSON; and a snapshot that is written, read and written again is
// the same text, so that a reduction may go on from it.

#include <string>

#include "common/json/json.h"
#include "services/runner/ledger/ledger_question.h"
#include "services/runner/ledger/snapshot_json.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

void CheckAnswer(absl::string_view kind, const JsonValue& question) {
  const absl::StatusOr<std::string> answer =
      AnswerLedgerQuestion(kind, question);
  if (!answer.ok()) return;
  const absl::StatusOr<JsonValue> json = ParseJson(*answer);
  // A result or a progress that is nested as deeply as a question may be is too
  // deep for the parser with what is around it in an answer.
  if (!json.ok()) {
    FUZZ_CHECK(ParseJson(*answer, {.max_depth = 1000}).ok());
    return;
  }
  if (kind == "reduce" || kind == "normalize") {
    FUZZ_CHECK(SnapshotToJson(SnapshotFromJson(*json)) == *answer);
  }
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  absl::StatusOr<JsonValue> question = ParseJson(FuzzInput(data, size));
  if (!question.ok() || !question->is_object()) return 0;
  question->object().Remove("kind");
  for (const char* kind : {"reduce", "normalize", "patch", "slice"}) {
    CheckAnswer(kind, *question);
  }
  return 0;
}
