#include "services/store/checks.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kMaxPageSize = 1000;

// A page of a listing by name may cost reading the whole directory.
constexpr int kEntriesPerListing = 10'000;

}  // namespace

absl::Status ValidateHash(absl::string_view field, absl::string_view hash) {
  if (Digest::ParseHex(hash).ok()) return absl::OkStatus();
  return InvalidField(field, hash, "must be 64 lower-case hexadecimal digits");
}

absl::Status ValidateRunIdField(absl::string_view field,
                                absl::string_view run_id) {
  if (ValidateRunId(run_id).ok()) return absl::OkStatus();
  return InvalidField(field, run_id, "must be \"run-\" and a ULID");
}

absl::Status ValidateRevisionField(absl::string_view field,
                                   absl::string_view revision) {
  if (Revision::Parse(revision).ok()) return absl::OkStatus();
  return InvalidField(field, revision, "must be a revision such as rev-0001");
}

absl::StatusOr<int> PageSize(int32_t requested) {
  if (requested < 0 || requested > kMaxPageSize) {
    return InvalidField("page_size", absl::StrCat(requested),
                        absl::StrCat("must be from 0 to ", kMaxPageSize));
  }
  return requested == 0 ? kDefaultPageSize : requested;
}

absl::Status DataCorrupt(absl::string_view key, absl::string_view why) {
  return WithReason(absl::DataLossError(absl::StrCat(key, ": ", why)),
                    "DATA_CORRUPT");
}

absl::StatusOr<bool> CreateObject(ObjectStorage& storage, absl::string_view key,
                                  absl::string_view bytes) {
  absl::string_view prefix = key.substr(0, key.rfind('/') + 1);
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
                          storage.StartWrite(prefix));
  KINORA_RETURN_IF_ERROR(writer->Append(bytes));
  return writer->CommitIfAbsent(key);
}

absl::Status ForEachEntry(
    ObjectStorage& storage, absl::string_view prefix,
    absl::FunctionRef<absl::Status(const ObjectPage& page)> take) {
  std::string token;
  do {
    KINORA_ASSIGN_OR_RETURN(ObjectPage page,
                            storage.List(prefix, kEntriesPerListing, token));
    KINORA_RETURN_IF_ERROR(take(page));
    token = std::move(page.next_token);
  } while (!token.empty());
  return absl::OkStatus();
}

absl::string_view LastPart(absl::string_view key) {
  key = absl::StripSuffix(key, "/");
  return key.substr(key.rfind('/') + 1);
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  const int64_t millis = absl::ToUnixMillis(time);
  google::protobuf::Timestamp timestamp;
  int64_t seconds = millis / 1000;
  int64_t rest = millis % 1000;
  if (rest < 0) {  // before 1970: nanos count forward from the second before
    seconds -= 1;
    rest += 1000;
  }
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>(rest * 1'000'000));
  return timestamp;
}

}  // namespace kinora
