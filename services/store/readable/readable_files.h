// ReadableFiles keeps text artefacts as files that a person can read and edit:
//
//   builds/<movie>/prompts/<path>               an event's `readablePath`
//   builds/<movie>/artifacts/text/<id>.txt      text beyond the inline limit
//                                               that names no path
//
// They are a projection of artefacts.log: the newest succeeded event that
// declares a file says what is in it. A file is written after its event is
// durable, and by the first look after a crash if that did not happen.
//
// A file that holds neither what the store put there nor what it should hold
// was edited by a person. It is never overwritten: FindEdits() tells of it
// until its text is an event of its own, or is put back. Bytes of an earlier
// event are an edit too, if the file is younger than the newest event; an older
// one is what a crash left. JSON is compared by its canonical form. Other files
// are nobody's business here.
//
// A link, a FIFO, a device or a directory in the place of a file is neither
// read nor replaced: INVALID_ARGUMENT naming the file.
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
#include "common/mutex.h"
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

// Thread-safe.
class ReadableFiles {
 public:
  // Both MUST outlive this.
  ReadableFiles(EventLog& log, ObjectStorage& storage)
      : log_(log), storage_(storage) {}

  // The file that holds the value of an event, as a path below the movie; empty
  // for none.
  static std::string PathOf(const v1::Event& event);

  // Brings the files up to the log's end, but for those that were edited. Of
  // several errors the first.
  absl::Status BringUp(absl::string_view movie_id);

  // The files that were edited, by path. Reads every declared file. With
  // `restore` files that are missing or behind are written first; without, they
  // do not count.
  absl::StatusOr<std::vector<ReadableEdit>> FindEdits(
      absl::string_view movie_id, bool restore);

  void Forget(absl::string_view movie_id);

 private:
  struct File {
    int64_t sequence = 0;  // of the newest event that declares it
    absl::Time time;       // of that event
    Digest hash;           // of the value
    bool written = false;  // by this process, or seen to be right
    Digest on_disk;        // valid if `written`
    absl::flat_hash_set<Digest> earlier;
  };
  struct Movie {
    Mutex mu;
    int64_t through ABSL_GUARDED_BY(mu) = 0;
    std::map<std::string, File> files ABSL_GUARDED_BY(mu);
  };
  enum class State { kRight, kBehind, kEdited };

  std::shared_ptr<Movie> MovieOf(absl::string_view movie_id);
  // Takes new events; adds the files they declare to `changed`.
  absl::Status Refresh(absl::string_view movie_id, Movie& movie,
                       absl::flat_hash_set<std::string>* changed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(movie.mu);
  // Looks at a file; `edit` gets its text if it was edited.
  absl::StatusOr<State> Look(absl::string_view movie_id,
                             const std::string& path, File* file,
                             ReadableEdit* edit);
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
