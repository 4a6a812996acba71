#include "services/planner/plan/hydrated_graph_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/crc32c.h"
#include "common/status.h"
#include "common/telemetry/log.h"

namespace kinora {
namespace {

constexpr absl::string_view kMagic = "kinora-hydrate1\n";
constexpr absl::string_view kSuffix = ".hydrated";

enum Section : size_t {
  kNames,
  kHead,
  kEntries,
  kContents,
  kKeys,
  kInline,
  kVerified,
  kInputs,
  kNodes,
  kSections,
};

size_t Padded(size_t bytes) { return (bytes + 7) / 8 * 8; }

template <typename T>
absl::string_view BytesOf(const std::vector<T>& values) {
  return absl::string_view(reinterpret_cast<const char*>(values.data()),
                           values.size() * sizeof(T));
}

// Sections begin at multiples of 8, as a string's bytes do.
template <typename T>
absl::Span<const T> ValuesOf(absl::string_view bytes) {
  return absl::MakeConstSpan(reinterpret_cast<const T*>(bytes.data()),
                             bytes.size() / sizeof(T));
}

void AppendName(absl::string_view name, std::string* out) {
  absl::StrAppend(out, name, absl::string_view("\0", 1));
}

void AppendNames(const std::vector<std::string>& names, std::string* out) {
  AppendName(absl::StrCat(names.size()), out);
  for (const std::string& name : names) AppendName(name, out);
}

bool TakeName(absl::string_view* bytes, std::string* name) {
  const size_t end = bytes->find('\0');
  if (end == absl::string_view::npos) return false;
  *name = std::string(bytes->substr(0, end));
  bytes->remove_prefix(end + 1);
  return true;
}

bool TakeNames(absl::string_view* bytes, std::vector<std::string>* names) {
  std::string count;
  uint64_t left = 0;
  if (!TakeName(bytes, &count) || !absl::SimpleAtoi(count, &left)) return false;
  names->clear();
  for (std::string name; left > 0; --left) {
    if (!TakeName(bytes, &name)) return false;
    names->push_back(std::move(name));
  }
  return true;
}

bool Fits(const BaseEntry& entry, size_t mime_types, size_t inline_bytes) {
  if (entry.value > BaseValue::kJson || entry.mime_type >= mime_types) {
    return false;
  }
  if (entry.value == BaseValue::kNone || entry.value == BaseValue::kBlob) {
    return true;
  }
  return entry.length <= inline_bytes &&
         entry.place <= inline_bytes - entry.length;
}

absl::Status Unfit(absl::string_view why) { return absl::DataLossError(why); }

// The sections of a file with the right checksum.
absl::StatusOr<std::array<absl::string_view, kSections>> Split(
    absl::string_view bytes) {
  constexpr size_t kHeadBytes = kMagic.size() + 8 * kSections;
  uint32_t crc = 0;
  if (bytes.size() < kHeadBytes + sizeof(crc) ||
      !absl::StartsWith(bytes, kMagic)) {
    return Unfit("it is no such file");
  }
  const absl::string_view covered = bytes.substr(0, bytes.size() - sizeof(crc));
  std::memcpy(&crc, bytes.data() + covered.size(), sizeof(crc));
  if (crc != Crc32c(covered)) return Unfit("its checksum is wrong");
  std::array<absl::string_view, kSections> sections;
  size_t at = kHeadBytes;
  for (size_t i = 0; i < kSections; ++i) {
    uint64_t length = 0;
    std::memcpy(&length, bytes.data() + kMagic.size() + 8 * i, sizeof(length));
    if (length > covered.size() - at || Padded(length) > covered.size() - at) {
      return Unfit("it is too short");
    }
    sections[i] = covered.substr(at, length);
    at += Padded(length);
  }
  return sections;
}

}  // namespace

std::string HydratedGraphFile::PathOf(const HydratedGraphName& name) const {
  return JoinPath(directory_,
                  absl::StrCat(name.manifest_hash, "-", name.blueprint_hash,
                               "-", name.shape, kSuffix));
}

std::optional<SavedGraph> HydratedGraphFile::Load(const HydratedGraphName& name,
                                                  const Graph& graph) {
  const std::string path = PathOf(name);
  absl::StatusOr<std::string> bytes = ReadFile(files_, path);
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  absl::Status status = bytes.status();
  if (status.ok()) {
    absl::StatusOr<SavedGraph> saved = Read(name, graph, *std::move(bytes));
    if (saved.ok()) return *std::move(saved);
    status = saved.status();
  }
  LogWarning("a saved graph is of no use", {{"file", path}, {"error", status}});
  return std::nullopt;
}

absl::StatusOr<SavedGraph> HydratedGraphFile::Read(
    const HydratedGraphName& name, const Graph& graph,
    std::string bytes) const {
  const auto file = std::make_shared<const std::string>(std::move(bytes));
  KINORA_ASSIGN_OR_RETURN(const auto sections, Split(*file));
  SavedGraph saved;
  HydratedBase& base = saved.base;
  HydratedGraphName own;
  absl::string_view names = sections[kNames];
  if (!TakeName(&names, &own.manifest_hash) ||
      !TakeName(&names, &own.blueprint_hash) || !TakeName(&names, &own.shape) ||
      !TakeNames(&names, &base.mime_types_) ||
      !TakeNames(&names, &base.removed_)) {
    return Unfit("its names are malformed");
  }
  v1::Manifest head;
  if (!head.ParseFromArray(sections[kHead].data(),
                           static_cast<int>(sections[kHead].size()))) {
    return Unfit("its head is malformed");
  }
  if (own.manifest_hash != name.manifest_hash ||
      own.blueprint_hash != name.blueprint_hash || own.shape != name.shape) {
    return Unfit("it is of another graph");
  }
  base.entries_ = ValuesOf<BaseEntry>(sections[kEntries]);
  base.content_hashes_ = ValuesOf<Digest>(sections[kContents]);
  base.inputs_hashes_ = ValuesOf<Digest>(sections[kKeys]);
  base.inline_ = sections[kInline];
  const absl::Span<const uint64_t> verified =
      ValuesOf<uint64_t>(sections[kVerified]);
  const absl::Span<const Digest> inputs = ValuesOf<Digest>(sections[kInputs]);
  const absl::Span<const Digest> nodes = ValuesOf<Digest>(sections[kNodes]);
  if (base.entries_.size() != graph.num_artefacts() ||
      base.content_hashes_.size() != graph.num_artefacts() ||
      base.inputs_hashes_.size() != graph.num_artefacts() ||
      verified.size() != (graph.num_jobs() + 63) / 64 ||
      inputs.size() != graph.num_inputs() ||
      nodes.size() != graph.blueprint().nodes.size()) {
    return Unfit("its sections are of another graph");
  }
  for (const BaseEntry& entry : base.entries_) {
    if (!Fits(entry, base.mime_types_.size(), base.inline_.size())) {
      return Unfit("an entry is malformed");
    }
  }
  KINORA_RETURN_IF_ERROR(base.TakeHead(head));
  saved.verified.jobs = JobSet(graph.num_jobs());
  std::copy(verified.begin(), verified.end(),
            saved.verified.jobs.words().begin());
  saved.verified.inputs.assign(inputs.begin(), inputs.end());
  saved.verified.nodes.assign(nodes.begin(), nodes.end());
  base.storage_ = file;
  return saved;
}

void HydratedGraphFile::Save(const HydratedGraphName& name,
                             const HydratedGraph& hydrated) {
  const absl::Status saved = Write(name, hydrated);
  if (saved.ok()) {
    RemoveOld();
    return;
  }
  LogWarning("a graph is not saved",
             {{"file", PathOf(name)}, {"error", saved}});
}

absl::Status HydratedGraphFile::Write(const HydratedGraphName& name,
                                      const HydratedGraph& hydrated) {
  const HydratedBase& base = hydrated.base();
  std::string names;
  AppendName(name.manifest_hash, &names);
  AppendName(name.blueprint_hash, &names);
  AppendName(name.shape, &names);
  AppendNames(base.mime_types_, &names);
  AppendNames(base.removed_, &names);
  const std::string head = base.Head().SerializeAsString();
  const VerifiedJobs verified = hydrated.Verified();
  const std::vector<absl::string_view> arrays = base.Arrays();
  const std::array<absl::string_view, kSections> sections = {
      names,
      head,
      arrays[0],
      arrays[1],
      arrays[2],
      arrays[3],
      BytesOf(verified.jobs.words()),
      BytesOf(verified.inputs),
      BytesOf(verified.nodes)};
  std::string lengths(kMagic);
  for (absl::string_view section : sections) {
    const uint64_t length = section.size();
    lengths.append(reinterpret_cast<const char*>(&length), sizeof(length));
  }
  KINORA_RETURN_IF_ERROR(files_.CreateDirectories(directory_));
  const std::string path = PathOf(name);
  // Two planners may write one file; either is as good.
  const std::string temporary = absl::StrCat(path, ".tmp");
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                          files_.OpenForWrite(temporary, OpenMode::kTruncate));
  uint32_t crc = 0;
  const auto append = [&](absl::string_view bytes) {
    crc = ExtendCrc32c(crc, bytes);
    return file->Append(bytes);
  };
  KINORA_RETURN_IF_ERROR(append(lengths));
  for (absl::string_view section : sections) {
    KINORA_RETURN_IF_ERROR(append(section));
    const std::string padding(Padded(section.size()) - section.size(), '\0');
    KINORA_RETURN_IF_ERROR(append(padding));
  }
  KINORA_RETURN_IF_ERROR(file->Append(
      absl::string_view(reinterpret_cast<const char*>(&crc), sizeof(crc))));
  KINORA_RETURN_IF_ERROR(file->Close());
  return files_.Rename(temporary, path);
}

void HydratedGraphFile::RemoveOld() {
  const absl::StatusOr<std::vector<std::string>> names =
      files_.List(directory_);
  if (!names.ok()) return;
  std::vector<std::pair<absl::Time, std::string>> found;
  for (const std::string& name : *names) {
    if (!absl::EndsWith(name, kSuffix)) continue;
    const std::string path = JoinPath(directory_, name);
    const absl::StatusOr<FileInfo> info = files_.Stat(path);
    if (info.ok()) found.emplace_back(info->modify_time, path);
  }
  std::sort(found.begin(), found.end());
  for (size_t i = 0; i + kMaxFiles < found.size(); ++i) {
    const absl::Status removed = files_.Remove(found[i].second);
    if (!removed.ok() && !absl::IsNotFound(removed)) {
      LogWarning("an old saved graph stays", {{"error", removed}});
    }
  }
}

}  // namespace kinora
