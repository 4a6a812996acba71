#include "clients/cpp/producer/output_check.h"

#include "absl/strings/str_cat.h"

namespace kinora {

absl::Status CheckOutput(const JsonSchema& schema, const std::string& output,
                         const JsonValue& value) {
  const absl::Status fits = schema.Check(value);
  if (fits.ok()) return absl::OkStatus();
  // Also what takes too long to find out: it is not known to fit.
  return absl::InvalidArgumentError(
      absl::StrCat("does not fit the JSON Schema that the producer declares "
                   "for its output \"",
                   output, "\": ", fits.message()));
}

absl::Status CheckOutputSize(const std::string& output, int64_t bytes) {
  if (bytes <= kMaxCheckedOutputBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "has ", bytes, " bytes; the producer declares a JSON Schema for its ",
      "output \"", output, "\", which is checked up to ",
      kMaxCheckedOutputBytes, " bytes"));
}

}  // namespace kinora
