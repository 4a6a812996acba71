// Manifests, plans and the JSON below them. Documents are read without a tree
// of values as they are with one; the canonical bytes of what was read read as
// the same, and are their own canonical bytes.

#include <string>

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/proto_json.h"
#include "kinora/v1/manifest.pb.h"
#include "kinora/v1/plan.pb.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

void CheckJson(absl::string_view text) {
  const absl::StatusOr<JsonValue> value = ParseJson(text);
  if (!value.ok()) {
    FUZZ_CHECK(!IsCanonicalJson(text));
    return;
  }
  const std::string canonical = CanonicalJson(*value);
  FUZZ_CHECK(IsCanonicalJson(canonical));
  FUZZ_CHECK(IsCanonicalJson(text) == (canonical == text));
  const absl::StatusOr<JsonValue> again = ParseJson(canonical);
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(CanonicalJson(*again) == canonical);
}

template <typename Message>
void CheckDocument(absl::string_view text) {
  Message message;
  const bool is_one = ParseDocument(text, &message).ok();
  Message by_tree;
  const absl::StatusOr<JsonValue> tree = ParseJson(text);
  FUZZ_CHECK(is_one == (tree.ok() && JsonToProto(*tree, &by_tree).ok()));
  if (!is_one) return;
  const std::string canonical = CanonicalBytes(message);
  FUZZ_CHECK(CanonicalBytes(by_tree) == canonical);
  Message again;
  FUZZ_CHECK(ParseDocument(canonical, &again).ok());
  FUZZ_CHECK(CanonicalBytes(again) == canonical);
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  const absl::string_view input = FuzzInput(data, size);
  CheckJson(input);
  CheckDocument<v1::Manifest>(input);
  CheckDocument<v1::Plan>(input);
  return 0;
}
