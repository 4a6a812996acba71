// Run records of any kind. What is no record is refused; of one that is, each
// step done twice is that step done once, and its run passes its own fixture.

#include "common/ids.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "services/runner/record/replay_fixture.h"
#include "services/runner/record/run_document.h"
#include "services/runner/record/transcript.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

void CheckSteps(const JsonValue& document, const RunDocumentDeps& deps) {
  const absl::StatusOr<JsonValue> once = NormalizedRunDocument(document, deps);
  const absl::StatusOr<JsonValue> saved =
      RunDocumentToSave(document, "/r.json", deps);
  FUZZ_CHECK(once.ok() == saved.ok());
  if (!once.ok()) return;
  const absl::StatusOr<JsonValue> twice = NormalizedRunDocument(*once, deps);
  FUZZ_CHECK(twice.ok() && CanonicalJson(*twice) == CanonicalJson(*once));
  const absl::StatusOr<JsonValue> saved_twice =
      RunDocumentToSave(*saved, "/r.json", deps);
  FUZZ_CHECK(saved_twice.ok() &&
             CanonicalJson(*saved_twice) == CanonicalJson(*saved));
  FUZZ_CHECK(EvaluateReplay(*once, ReplayFixtureOf(*once, deps.clock, deps.ids))
                 .empty());
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  const absl::string_view text = FuzzInput(data, size);
  DaemonEvents(text);
  TranscriptSidecarPath(text);
  const absl::StatusOr<JsonValue> document = ParseJson(text);
  if (!document.ok()) return 0;
  EvaluateReplay(*document, *document);
  FakeClock clock;
  SeededRandom random(1);
  RunIdGenerator ids(clock, random);
  FaultyFileSystem files;
  CheckSteps(*document, {clock, ids, files});
  return 0;
}
