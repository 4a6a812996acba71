#include "services/store/backup/copy_layout.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

#include "common/files/readable_path.h"
#include "common/ids.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

constexpr absl::string_view kEvents = "events/";
constexpr absl::string_view kManifests = "manifests/";
constexpr absl::string_view kRuns = "runs/";
constexpr absl::string_view kPlans = "plans/";
constexpr absl::string_view kTexts = "artifacts/text/";
constexpr absl::string_view kBlobs = "blobs/";
constexpr size_t kSequenceDigits = 12;

// `<digits>.<stem>.jsonl`
bool IsLogPart(absl::string_view name, absl::string_view stem) {
  if (!absl::ConsumeSuffix(&name, ".jsonl") ||
      !absl::ConsumeSuffix(&name, stem) || !absl::ConsumeSuffix(&name, ".")) {
    return false;
  }
  return name.size() >= kSequenceDigits &&
         name.find_first_not_of("0123456789") == absl::string_view::npos;
}

std::optional<MemberName> Named(MemberKind kind, absl::string_view id) {
  return MemberName{.kind = kind, .id = std::string(id)};
}

// Below `runs/`.
std::optional<MemberName> ParseRunMember(absl::string_view path) {
  if (absl::ConsumePrefix(&path, kPlans)) {
    if (!absl::ConsumeSuffix(&path, ".json") || !Digest::ParseHex(path).ok()) {
      return std::nullopt;
    }
    return Named(MemberKind::kPlan, path);
  }
  for (const auto& [suffix, kind] :
       {std::pair("-plan.json", MemberKind::kRevisionPlan),
        std::pair("-progress.json", MemberKind::kProgress)}) {
    if (!absl::EndsWith(path, suffix)) continue;
    path = absl::StripSuffix(path, suffix);
    if (!Revision::Parse(path).ok()) return std::nullopt;
    return Named(kind, path);
  }
  const size_t slash = path.find('/');
  const absl::string_view run_id = path.substr(0, slash);
  if (slash == absl::string_view::npos || !ValidateRunId(run_id).ok()) {
    return std::nullopt;
  }
  const absl::string_view name = path.substr(slash + 1);
  if (name == "record.json") return Named(MemberKind::kRunRecord, run_id);
  if (IsLogPart(name, "ledger")) return Named(MemberKind::kLedger, run_id);
  return std::nullopt;
}

bool IsReadableFile(absl::string_view path) {
  if (absl::ConsumePrefix(&path, kPromptsPath)) {
    return ValidateReadablePath("path", path).ok();
  }
  return absl::ConsumePrefix(&path, kTexts) && absl::EndsWith(path, ".txt") &&
         !absl::StrContains(path, '/') &&
         ValidateReadablePath("path", path).ok();
}

}  // namespace

std::string LogPartMember(absl::string_view log, int64_t first_sequence) {
  const size_t slash = log.rfind('/');
  const absl::string_view stem =
      absl::StripSuffix(log.substr(slash + 1), ".log");
  return absl::StrCat(log.substr(0, slash + 1),
                      absl::StrFormat("%012d", first_sequence), ".", stem,
                      ".jsonl");
}

std::string BlobMember(const Digest& digest) {
  const std::string hash = digest.Hex();
  return absl::StrCat(kBlobs, hash.substr(0, 2), "/", hash);
}

std::optional<MemberName> ParseMember(absl::string_view path) {
  if (path == kHeadMember) return Named(MemberKind::kHead, "");
  if (path == kMovieMember) return Named(MemberKind::kMovie, "");
  if (path == kRetentionMember) return Named(MemberKind::kRetention, "");
  if (path == kCurrentMember) return Named(MemberKind::kCurrent, "");
  if (path == kSumsMember) return Named(MemberKind::kSums, "");
  if (IsReadableFile(path)) return Named(MemberKind::kReadable, path);
  if (absl::ConsumePrefix(&path, kEvents)) {
    if (IsLogPart(path, "artefacts")) return Named(MemberKind::kArtefacts, "");
    if (IsLogPart(path, "inputs")) return Named(MemberKind::kInputs, "");
    MemberKind kind = MemberKind::kArtefactsCheckpoint;
    if (absl::ConsumePrefix(&path, "inputs.checkpoint.")) {
      kind = MemberKind::kInputsCheckpoint;
    } else if (!absl::ConsumePrefix(&path, "artefacts.checkpoint.")) {
      return std::nullopt;
    }
    const bool inputs = kind == MemberKind::kInputsCheckpoint;
    if (absl::ConsumeSuffix(&path, inputs ? ".json" : ".jsonl") &&
        Revision::Parse(path).ok()) {
      return Named(kind, path);
    }
    return std::nullopt;
  }
  if (absl::ConsumePrefix(&path, kManifests)) {
    if (!absl::ConsumeSuffix(&path, ".json") || !Revision::Parse(path).ok()) {
      return std::nullopt;
    }
    return Named(MemberKind::kManifest, path);
  }
  if (absl::ConsumePrefix(&path, kRuns)) return ParseRunMember(path);
  if (absl::ConsumePrefix(&path, kBlobs)) {
    const absl::string_view hash = path.substr(path.find('/') + 1);
    const absl::StatusOr<Digest> digest = Digest::ParseHex(hash);
    if (!digest.ok() || BlobMember(*digest) != absl::StrCat(kBlobs, path)) {
      return std::nullopt;
    }
    return Named(MemberKind::kBlob, hash);
  }
  return std::nullopt;
}

}  // namespace kinora
