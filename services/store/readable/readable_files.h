// ReadableFiles keeps text artefacts as files that a person can read and edit:
//
//   builds/<movie>/prompts/<path>               an event's `readablePath`
//   builds/<movie>/artifacts/text/<id>.txt      text beyond the inline limit
//                                               that names no path
//
// They are a projection of artefacts.log: the newest succeeded event that
// declares a file says what is in it. A text that gets short stays in its file;
// one that moves to another path leaves the file that it had, which nobody
// looks at from then on. A file is written after its event is
// durable, and by the first look after a crash if that did not happen.
//
// A file that holds neither what the store put there nor what it should hold
// was edited by a person. It is never overwritten: FindEdits() tells of it
// until its text is an event of its own, or is put back. Bytes of an earlier
// event are an edit too, if the file is younger than the newest event; an older
// one is what a crash left. JSON is compared by its canonical form. Other files
// are nobody's business here.
//
// A file is needed while its newest event
//   - came after the current revision: it is of a run under way, an edit, or of
//     a run that failed, whose results the next one may reuse; or
//   - is of an artefact that the current manifest lists with this path.
// Older revisions do not count, also while they are kept: a file shows one
// text, the newest, and theirs are in their manifests, events and blobs. Going
// back to one makes events, which declare its files anew.
//
// What is not needed is removed by a collection (services/store/gc/), and a
// missing file is written again only if it is needed: so what was removed stays
// away, also after a restart, until an event declares it again.
//
// A file that cannot be taken is skipped and told of; it keeps no other from
// being looked at. So are a link, a FIFO, a device or a directory in its place,
// which are neither read nor replaced, and one that is too large or may not be
// read. Where one file's path is a directory of another's, as of `a.txt` and
// `a.txt/x.txt`, the one that came later is told of: its events stand. Two
// results of one run do not come so far (run_paths.h).
//
// Only storage with files a person can reach has them (KeepsFiles()); on other
// storage nothing is written.

#ifndef KINORA_SERVICES_STORE_READABLE_READABLE_FILES_H_
#define KINORA_SERVICES_STORE_READABLE_READABLE_FILES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/digest.h"
#include "common/threads/mutex.h"
#include "kinora/v1/event.pb.h"
#include "services/store/event/event_log.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Larger texts have no readable copy.
inline constexpr int64_t kMaxReadableBytes = int64_t{16} << 20;

// A file that a person has edited.
struct ReadableEdit {
  std::string path;      // below the movie
  v1::Event event;       // the newest that declares the file
  std::string text;      // what the file holds; canonical if it is JSON
  absl::Status invalid;  // not OK if `text` is not what its media type says
};

// A file that cannot be taken, or not be written.
struct SkippedReadable {
  std::string path;         // below the movie
  std::string artefact_id;  // of the newest event that declares the file
  std::string reason;
};

// Both by path.
struct ReadableFindings {
  std::vector<ReadableEdit> edits;
  std::vector<SkippedReadable> skipped;
};

// Thread-safe.
class ReadableFiles {
 public:
  // Both MUST outlive this.
  ReadableFiles(EventLog& log, ObjectStorage& storage)
      : log_(log), storage_(storage) {}

  // The file that holds the value of an event, as a path below the movie; empty
  // for none.
  static std::string PathOf(const v1::Event& event);

  // Brings the files up to the log's end, but for those that were edited, and
  // returns those that cannot be. Of several errors the first.
  absl::StatusOr<std::vector<SkippedReadable>> BringUp(
      absl::string_view movie_id);

  // The files that were edited, and those that cannot be taken. Reads every
  // declared file. With `restore` files that are behind, or missing and needed,
  // are written first; without, they do not count.
  absl::StatusOr<ReadableFindings> FindEdits(absl::string_view movie_id,
                                             bool restore);

  // True if a file below the directory `path`, itself below the movie, was
  // declared and may still be needed.
  absl::StatusOr<bool> DeclaresBelow(absl::string_view movie_id,
                                     absl::string_view path);

  // What a step of a collection did.
  struct Collected {
    std::vector<std::string> removed;  // paths below the movie, ascending
    std::string last;                  // the step came as far as this path
    bool more = false;                 // there may be files after it
  };

  // Removes declared files after the path `after` that are not needed, were not
  // edited, and were not written since `before`; a few dozen at a time. With
  // `dry_run` it tells what would go. Whatever is no plain file, or cannot be
  // read for want of permission, is left alone. While the current manifest is
  // missing everything stays. DATA_LOSS (DATA_CORRUPT) if it, or the log, is
  // damaged.
  absl::StatusOr<Collected> Collect(absl::string_view movie_id,
                                    absl::string_view after, absl::Time before,
                                    bool dry_run);

  void Forget(absl::string_view movie_id);

 private:
  struct File {
    int64_t sequence = 0;     // of the newest event that declares it
    std::string artefact_id;  // of that event
    absl::Time time;          // of that event
    Digest hash;              // of the value
    bool written = false;     // by this process, or seen to be right
    Digest on_disk;           // valid if `written`
    absl::flat_hash_set<Digest> earlier;
    int64_t listed_at = 0;  // the newest commit whose manifest lists it
    // The newest event of its artefact declares another file, or none: nobody
    // looks at this one any more.
    bool is_left = false;
  };
  // The record of a commit in artefacts.log.
  struct Commit {
    int64_t sequence = 0;  // 0 before the first revision
    std::string revision;
    std::string manifest_hash;
  };
  // What the events up to some point say.
  struct Declarations {
    std::map<std::string, File> files;                      // by path
    absl::flat_hash_map<std::string, std::string> path_of;  // by artefact
    absl::flat_hash_set<std::string> news;  // paths, since BringUp() has looked
    Commit current;                         // the newest one
  };
  struct Movie {
    Mutex mu;
    int64_t through ABSL_GUARDED_BY(mu) = 0;
    Declarations declarations ABSL_GUARDED_BY(mu);
    // The commit with whose manifest `listed_at` was set last.
    int64_t marked_at ABSL_GUARDED_BY(mu) = 0;
  };
  enum class State { kRight, kBehind, kMissing, kEdited };
  enum class Need { kYes, kNo, kUnknown };

  std::shared_ptr<Movie> MovieOf(absl::string_view movie_id);
  static absl::Status Declare(const v1::Event& event,
                              Declarations* declarations);
  // Takes new events.
  absl::Status Refresh(absl::string_view movie_id, Movie& movie)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(movie.mu);
  // Looks at a file and, with `restore`, brings it up. An error is one of the
  // log or the storage, not of the file: that is among the findings.
  absl::Status Visit(absl::string_view movie_id, Movie& movie,
                     const std::string& path, bool restore, File* file,
                     ReadableFindings* findings)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(movie.mu);
  // Looks at a file; `edit` gets its text if it was edited. INVALID_ARGUMENT or
  // PERMISSION_DENIED if it cannot be taken.
  absl::StatusOr<State> Look(absl::string_view movie_id,
                             const std::string& path, File* file,
                             ReadableEdit* edit);
  // Whether a file that is missing, or should go, is needed. Reads the current
  // manifest if that is newer than the last one read; kUnknown if it is not
  // there, as between a commit and its manifest.
  absl::StatusOr<Need> NeedOf(absl::string_view movie_id, Movie& movie,
                              const File& file)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(movie.mu);
  // Sets `listed_at` of what the current manifest lists; false if that is not
  // there.
  absl::StatusOr<bool> MarkListed(absl::string_view movie_id, Movie& movie)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(movie.mu);
  // Writes a file that is behind, or missing and needed. Errors as of Look().
  absl::Status Restore(absl::string_view movie_id, Movie& movie,
                       const std::string& path, State state, File* file)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(movie.mu);
  // Removes a file that is not needed, for the reasons of Collect(); true if it
  // did, or would.
  absl::StatusOr<bool> Remove(absl::string_view movie_id,
                              const std::string& path, absl::Time before,
                              bool dry_run, File* file);
  absl::Status WriteFile(absl::string_view movie_id, const std::string& path,
                         File* file);
  absl::StatusOr<v1::Event> EventAt(absl::string_view movie_id,
                                    int64_t sequence);

  EventLog& log_;
  ObjectStorage& storage_;
  Mutex mu_;
  absl::flat_hash_map<std::string, std::shared_ptr<Movie>> movies_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_READABLE_READABLE_FILES_H_
