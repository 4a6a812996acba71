// Ids, revisions, hashes. What is accepted has one spelling, the one that is
// printed; its file name is one.

#include <string>

#include "common/digest.h"
#include "common/element_id.h"
#include "common/ids.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  const absl::string_view input = FuzzInput(data, size);
  const auto id = ElementId::Parse(input);
  if (id.ok()) {
    FUZZ_CHECK(id->ToString() == input);
    FUZZ_CHECK(input.size() <= kMaxElementIdBytes);
  }
  const auto typed = ElementId::Parse(input, ElementId::Kind::kArtefact);
  if (typed.ok()) {
    const auto again = ElementId::Parse(typed->ToString());
    FUZZ_CHECK(again.ok() && *again == *typed);
  }
  FUZZ_CHECK(!id.ok() || typed.ok());
  const auto job = JobId::Parse(input);
  if (job.ok()) FUZZ_CHECK(job->ToString() == input);
  const auto revision = Revision::Parse(input);
  if (revision.ok()) FUZZ_CHECK(revision->ToString() == input);
  const auto digest = Digest::ParseHex(input);
  if (digest.ok()) FUZZ_CHECK(digest->Hex() == input);
  if (ValidateRunId(input).ok()) FUZZ_CHECK(RunIdTime(input).ok());
  const std::string name = FileNameOfId(input);
  FUZZ_CHECK(name.size() <= 200);
  FUZZ_CHECK(name.find('/') == std::string::npos);
  FUZZ_CHECK(name.empty() || name[0] != '.');
  return 0;
}
