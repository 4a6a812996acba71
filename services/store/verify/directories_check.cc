#include "services/store/verify/directories_check.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/ids.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/event/put_aside.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

// Of a store on local files.
constexpr absl::string_view kJournalPrefix = "journal/";

class DirectoriesChecker {
 public:
  DirectoriesChecker(
      ObjectStorage& storage, ObjectMovieStore& movies,
      absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report)
      : storage_(storage), movies_(movies), report_(report) {}

  absl::Status Run() {
    std::vector<std::string> directories;
    KINORA_RETURN_IF_ERROR(ForEachEntry(
        storage_, kBuildsPrefix, [&](const ObjectPage& page) -> absl::Status {
          directories.insert(directories.end(), page.prefixes.begin(),
                             page.prefixes.end());
          for (const ObjectInfo& object : page.objects) {
            // The directory of a movie may be a link.
            if (object.is_foreign && !absl::IsNotFound(StatMovie(object.key))) {
              directories.push_back(absl::StrCat(object.key, "/"));
              continue;
            }
            KINORA_RETURN_IF_ERROR(Problem(object.key, "belongs to no movie"));
          }
          return absl::OkStatus();
        }));
    for (const std::string& directory : directories) {
      KINORA_RETURN_IF_ERROR(CheckDirectory(directory));
    }
    KINORA_RETURN_IF_ERROR(CheckJournal());
    v1::VerifyMovieResponse last;
    last.set_checked_objects(static_cast<int64_t>(directories.size()));
    return report_(last);
  }

 private:
  // Which movies lost lines they say themselves.
  absl::Status CheckJournal() {
    return ForEachEntry(
        storage_, kJournalPrefix, [&](const ObjectPage& page) -> absl::Status {
          for (const ObjectInfo& object : page.objects) {
            if (!absl::StrContains(object.key, kAsideSuffix)) continue;
            KINORA_RETURN_IF_ERROR(Problem(
                object.key,
                "is a damaged segment of the journal of which lines were lost: "
                "move it away once the movies they belong to are as they "
                "should be"));
          }
          return absl::OkStatus();
        });
  }

  absl::Status StatMovie(absl::string_view directory) {
    return storage_.Stat(MovieKey(LastPart(directory))).status();
  }

  absl::Status CheckDirectory(const std::string& directory) {
    const absl::string_view id = LastPart(directory);
    std::string stray;
    if (!ValidateMovieId(id).ok()) {
      KINORA_RETURN_IF_ERROR(FindStray(directory, "", &stray));
      if (stray.empty()) return absl::OkStatus();
      return Problem(directory, "has a name that no movie can have");
    }
    // Where there is one, or something in its place, its own verification says
    // what is wrong.
    const absl::Status file = storage_.Stat(MovieKey(id)).status();
    if (!absl::IsNotFound(file)) return absl::OkStatus();
    const absl::Status restored = storage_.Stat(RestorationKey(id)).status();
    if (restored.ok()) return absl::OkStatus();
    const absl::Status unused = movies_.CheckUnused(id);
    if (!unused.ok()) return Problem(directory, unused.message());
    KINORA_RETURN_IF_ERROR(FindStray(directory, id, &stray));
    if (stray.empty()) return absl::OkStatus();
    // A creation may have come to its end meanwhile, or a deletion.
    if (storage_.Stat(MovieKey(id)).ok() ||
        storage_.Stat(RestorationKey(id)).ok() || !storage_.Stat(stray).ok()) {
      return absl::OkStatus();
    }
    return Problem(
        directory,
        absl::StrCat("holds ", stray, ", but no movie.json: put that back, or ",
                     "move the directory aside"));
  }

  // Finds an object below `prefix` that a creation cut short cannot have left.
  absl::Status FindStray(const std::string& prefix, absl::string_view id,
                         std::string* stray) {
    return ForEachEntry(storage_, prefix,
                        [&](const ObjectPage& page) -> absl::Status {
                          for (const ObjectInfo& object : page.objects) {
                            if (!stray->empty()) return absl::OkStatus();
                            if (id.empty() || !IsLeftover(object.key, id)) {
                              *stray = object.key;
                            }
                          }
                          for (const std::string& below : page.prefixes) {
                            if (!stray->empty()) return absl::OkStatus();
                            KINORA_RETURN_IF_ERROR(FindStray(below, id, stray));
                          }
                          return absl::OkStatus();
                        });
  }

  static bool IsLeftover(absl::string_view key, absl::string_view id) {
    const std::string log = InputsLogKey(id);
    return key == log || key == BlobUsesKey(id) ||
           key == absl::StrCat(absl::StripSuffix(log, ".log"), ".checkpoint") ||
           absl::StartsWith(key, BlobPrefix(id)) ||
           absl::StartsWith(key, IndexPrefix(id));
  }

  absl::Status Problem(absl::string_view path, absl::string_view message) {
    v1::VerifyMovieResponse response;
    v1::VerifyProblem* problem = response.add_problems();
    problem->set_path(std::string(absl::StripSuffix(path, "/")));
    problem->set_message(std::string(message));
    return report_(response);
  }

  ObjectStorage& storage_;
  ObjectMovieStore& movies_;
  const absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report_;
};

}  // namespace

absl::Status CheckDirectories(
    ObjectStorage& storage, ObjectMovieStore& movies,
    absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report) {
  return DirectoriesChecker(storage, movies, report).Run();
}

}  // namespace kinora
