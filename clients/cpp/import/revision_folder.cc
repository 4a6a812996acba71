#include "clients/cpp/import/revision_folder.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "clients/cpp/import/folder_files.h"
#include "clients/cpp/import/folder_inputs.h"
#include "clients/cpp/import/folder_problems.h"
#include "clients/cpp/import/stray_file.h"
#include "common/digest.h"
#include "common/element_id.h"
#include "common/ids.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/status.h"
#include "services/planner/blueprint/blueprint.h"

namespace kinora {
namespace {

constexpr absl::string_view kTimelineId = "Artifact:Timeline";

class FolderReader {
 public:
  FolderReader(FileSystem& fs, absl::string_view dir)
      : fs_(fs), dir_(dir), files_(fs, dir) {}

  absl::StatusOr<RevisionFolder> Read() {
    RevisionFolder folder;
    KINORA_RETURN_IF_ERROR(files_.Open());
    KINORA_RETURN_IF_ERROR(files_.CheckPlace("blueprint.yaml"));
    KINORA_ASSIGN_OR_RETURN(folder.blueprint, files_.Read("blueprint.yaml"));
    KINORA_ASSIGN_OR_RETURN(
        blueprint_,
        ParseBlueprint(files_.PathOf("blueprint.yaml"), folder.blueprint));
    KINORA_ASSIGN_OR_RETURN(const std::vector<Revision> revisions, Revisions());
    FolderRevision revision;
    for (const Revision& number : revisions) {
      revision.name = number.ToString();
      revision.artefacts.clear();
      KINORA_RETURN_IF_ERROR(ReadRevision(&revision));
      folder.revisions.push_back(revision);
    }
    KINORA_RETURN_IF_ERROR(problems_.Told(dir_));
    KINORA_RETURN_IF_ERROR(files_.ListUnused("", &folder));
    return folder;
  }

 private:
  absl::StatusOr<std::vector<Revision>> Revisions() {
    KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            fs_.List(files_.PathOf("revisions")));
    std::vector<Revision> revisions;
    for (const std::string& name : names) {
      if (IsStrayName(name)) continue;
      KINORA_ASSIGN_OR_RETURN(
          const FileInfo info,
          fs_.Stat(files_.PathOf(absl::StrCat("revisions/", name))));
      const absl::StatusOr<Revision> revision = Revision::Parse(name);
      if (revision.ok() && info.is_directory) {
        revisions.push_back(*revision);
      } else if (revision.ok() || info.is_directory) {
        KINORA_RETURN_IF_ERROR(problems_.Note(
            ProblemIn(files_.PathOf("revisions"), "folder", name,
                      revision.ok() ? "is a file, no folder"
                                    : "must be a revision such as rev-0001")));
      }
    }
    if (revisions.empty()) {
      KINORA_RETURN_IF_ERROR(problems_.Note(absl::InvalidArgumentError(
          absl::StrCat(files_.PathOf("revisions"), ": holds no revision"))));
    }
    std::sort(revisions.begin(), revisions.end());
    return revisions;
  }

  absl::Status ReadRevision(FolderRevision* revision) {
    base_ = absl::StrCat("revisions/", revision->name);
    const size_t before = problems_.count();
    KINORA_ASSIGN_OR_RETURN(const std::optional<JsonValue> inputs,
                            SoundDocument("inputs.json"));
    const size_t before_artefacts = problems_.count();
    KINORA_ASSIGN_OR_RETURN(const std::optional<JsonValue> artefacts,
                            SoundDocument("artefacts.json"));
    const bool artefacts_parse = problems_.count() == before_artefacts;
    KINORA_ASSIGN_OR_RETURN(std::optional<JsonValue> timeline,
                            SoundDocument("timeline.json"));
    if (!inputs.has_value() && !artefacts.has_value() &&
        !timeline.has_value() && problems_.count() == before) {
      return problems_.Note(absl::InvalidArgumentError(absl::StrCat(
          files_.PathOf(base_),
          ": has neither inputs.json nor artefacts.json nor timeline.json")));
    }
    if (inputs.has_value()) {
      KINORA_RETURN_IF_ERROR(problems_.Note(ReadInputs(*inputs, revision)));
    }
    ids_.clear();
    const size_t before_files = problems_.count();
    if (artefacts.has_value()) {
      KINORA_RETURN_IF_ERROR(
          problems_.Note(ReadArtefacts(*artefacts, revision)));
    }
    all_ids_known_ = artefacts_parse && problems_.count() == before_files;
    if (!timeline.has_value()) return absl::OkStatus();
    return problems_.Note(ReadTimeline(*std::move(timeline), revision));
  }

  absl::Status ReadTimeline(JsonValue timeline, FolderRevision* revision) {
    const std::string file = absl::StrCat(base_, "/timeline.json");
    KINORA_RETURN_IF_ERROR(RewriteUrls(files_.PathOf(file), &timeline));
    FolderValue value = JsonBytes(CanonicalJson(timeline));
    const auto listed = ids_.find(file);
    if (listed != ids_.end()) {
      for (const std::string& id : listed->second) {
        revision->artefacts[id] = value;
      }
      return absl::OkStatus();
    }
    const std::string id(kTimelineId);
    if (revision->artefacts.count(id) > 0) {
      return ProblemIn(files_.PathOf(absl::StrCat(base_, "/artefacts.json")),
                       id, revision->artefacts[id].path,
                       "is another file than timeline.json");
    }
    revision->artefacts[id] = std::move(value);
    return absl::OkStatus();
  }

  // nullopt if the file is not there, or not what it should be.
  absl::StatusOr<std::optional<JsonValue>> SoundDocument(
      absl::string_view name) {
    absl::StatusOr<std::optional<JsonValue>> document = Document(name);
    if (document.ok()) return document;
    KINORA_RETURN_IF_ERROR(problems_.Note(document.status()));
    return std::nullopt;
  }

  // nullopt if the file is not there.
  absl::StatusOr<std::optional<JsonValue>> Document(absl::string_view name) {
    const std::string file = absl::StrCat(base_, "/", name);
    const absl::Status place = files_.CheckPlace(file);
    if (absl::IsNotFound(place)) return std::nullopt;
    KINORA_RETURN_IF_ERROR(place);
    KINORA_ASSIGN_OR_RETURN(const std::string text, files_.Read(file));
    absl::StatusOr<JsonValue> json = ParseJson(text);
    if (!json.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(files_.PathOf(file), ": ", json.status().message()));
    }
    return *std::move(json);
  }

  absl::Status ReadInputs(const JsonValue& json, FolderRevision* revision) {
    const std::string file = files_.PathOf(absl::StrCat(base_, "/inputs.json"));
    if (!json.is_object()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": must be an object of inputs"));
    }
    std::map<std::string, FolderValue> given;
    for (const JsonMember& member : json.object()) {
      KINORA_RETURN_IF_ERROR(problems_.Note(ReadInput(file, member, &given)));
    }
    KINORA_ASSIGN_OR_RETURN(
        const InputsTaken taken,
        TakeInputs(blueprint_, std::move(given), &revision->inputs));
    for (const absl::Status& refused : taken.refused) {
      KINORA_RETURN_IF_ERROR(problems_.Note(Annotate(refused, file)));
    }
    // Whether a file is text is known by now.
    for (const std::string& id : taken.ids) {
      KINORA_RETURN_IF_ERROR(
          problems_.Note(CheckText(file, id, revision->inputs[id])));
    }
    return absl::OkStatus();
  }

  absl::Status ReadInput(const std::string& file, const JsonMember& member,
                         std::map<std::string, FolderValue>* given) {
    KINORA_ASSIGN_OR_RETURN(const std::string id,
                            IdOf(file, member.key, ElementId::Kind::kInput));
    if (id == "Input:Blueprint") {
      return ProblemIn(file, "input", member.key,
                       "the blueprint is blueprint.yaml");
    }
    KINORA_ASSIGN_OR_RETURN(FolderValue value, InputValue(file, member.value));
    if (!given->emplace(id, std::move(value)).second) {
      return ProblemIn(file, "input", member.key, "is given twice");
    }
    return absl::OkStatus();
  }

  static absl::Status CheckText(const std::string& file, const std::string& id,
                                const FolderValue& value) {
    if (value.is_utf8 || !absl::StartsWith(value.mime_type, "text/")) {
      return absl::OkStatus();
    }
    return ProblemIn(file, id, value.path, "must be UTF-8 text");
  }

  absl::StatusOr<FolderValue> InputValue(const std::string& file,
                                         const JsonValue& json) {
    const JsonValue* path = json.Find("file");
    if (path != nullptr && json.object().size() == 1) {
      if (!path->is_string()) {
        return ProblemIn(file, "file", CanonicalJson(*path), "must be a path");
      }
      KINORA_ASSIGN_OR_RETURN(const std::string below,
                              files_.Find(file, base_, path->string_value()));
      return files_.ValueOf(below);
    }
    // The blueprint says whether it is text.
    return JsonBytes(CanonicalJson(json));
  }

  static FolderValue JsonBytes(std::string bytes) {
    FolderValue value;
    value.bytes = std::move(bytes);
    value.mime_type = "application/json";
    value.hash = Sha256Of(value.bytes).Hex();
    value.size_bytes = static_cast<int64_t>(value.bytes.size());
    return value;
  }

  absl::Status ReadArtefacts(const JsonValue& json, FolderRevision* revision) {
    const std::string file =
        files_.PathOf(absl::StrCat(base_, "/artefacts.json"));
    if (!json.is_object()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": must be an object of artefacts"));
    }
    for (const JsonMember& member : json.object()) {
      KINORA_RETURN_IF_ERROR(
          problems_.Note(ReadArtefact(file, member, revision)));
    }
    return absl::OkStatus();
  }

  absl::Status ReadArtefact(const std::string& file, const JsonMember& member,
                            FolderRevision* revision) {
    KINORA_ASSIGN_OR_RETURN(const std::string id,
                            IdOf(file, member.key, ElementId::Kind::kArtefact));
    if (!member.value.is_string()) {
      return ProblemIn(file, id, CanonicalJson(member.value), "must be a path");
    }
    KINORA_ASSIGN_OR_RETURN(
        const std::string below,
        files_.Find(file, base_, member.value.string_value()));
    KINORA_ASSIGN_OR_RETURN(FolderValue value, files_.ValueOf(below));
    KINORA_RETURN_IF_ERROR(CheckText(file, id, value));
    if (!revision->artefacts.emplace(id, std::move(value)).second) {
      return ProblemIn(file, "artefact", member.key, "is given twice");
    }
    ids_[below].insert(id);
    return absl::OkStatus();
  }

  static absl::StatusOr<std::string> IdOf(const std::string& file,
                                          const std::string& key,
                                          ElementId::Kind kind) {
    const absl::StatusOr<ElementId> id = ElementId::Parse(key, kind);
    if (!id.ok()) return Annotate(id.status(), file);
    if (id->kind != kind) {
      return ProblemIn(file, "id", key,
                       kind == ElementId::Kind::kInput ? "must be an input"
                                                       : "must be an artefact");
    }
    return id->ToString();
  }

  // Puts ids in the place of strings that name files below the folder.
  absl::Status RewriteUrls(const std::string& file, JsonValue* json) {
    if (json->is_array()) {
      for (JsonValue& item : json->array()) {
        KINORA_RETURN_IF_ERROR(RewriteUrls(file, &item));
      }
      return absl::OkStatus();
    }
    if (json->is_object()) {
      JsonObject rewritten;
      for (const JsonMember& member : json->object()) {
        JsonValue value = member.value;
        KINORA_RETURN_IF_ERROR(RewriteUrls(file, &value));
        rewritten.Add(member.key, std::move(value));
      }
      *json = std::move(rewritten);
      return absl::OkStatus();
    }
    if (!json->is_string() || json->string_value().empty()) {
      return absl::OkStatus();
    }
    const std::string url = json->string_value();
    const std::optional<std::string> below = files_.Below(base_, url);
    bool there = false;
    if (below.has_value() && !below->empty()) {
      KINORA_ASSIGN_OR_RETURN(there, files_.IsFile(*below));
    }
    if (!there) {
      // Ordinary text, or a URL of elsewhere, stays.
      if (!absl::StartsWith(url, "file://") && !absl::StartsWith(url, "./") &&
          !absl::StartsWith(url, "../")) {
        return absl::OkStatus();
      }
      return problems_.Note(ProblemIn(
          file, "url", url, absl::StrCat("there is no such file in ", dir_)));
    }
    const auto id = ids_.find(*below);
    if (id == ids_.end()) {
      if (!all_ids_known_) return absl::OkStatus();  // that was said already
      return problems_.Note(ProblemIn(
          file, "url", url, "is a file that artefacts.json gives no id"));
    }
    *json = JsonValue(*id->second.begin());
    return absl::OkStatus();
  }

  FileSystem& fs_;
  const std::string dir_;
  FolderFiles files_;
  Blueprint blueprint_;
  std::string base_;                                  // of the revision at hand
  std::map<std::string, std::set<std::string>> ids_;  // of artefacts, by file
  bool all_ids_known_ = true;  // of what artefacts.json names
  FolderProblems problems_;
};

}  // namespace

absl::StatusOr<RevisionFolder> ReadRevisionFolder(FileSystem& fs,
                                                  absl::string_view dir) {
  return FolderReader(fs, dir).Read();
}

}  // namespace kinora
