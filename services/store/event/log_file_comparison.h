// Comparing log files with what the journal says they hold, before they are
// completed from it.
//
// A crash leaves of unsynced bytes some or none: a file that ends early is what
// completing is for. One that holds other bytes was changed by something else,
// by a hand or a disk, and is about to be made what the journal says: whoever
// runs the store is told, as nobody could find it afterwards.
//
// Lines get into a file once the journal has them durably. So whole lines that
// go on behind the journal's last one were acknowledged, and it is the journal
// that has lost its end: they stay. So does a file that begins with a later
// record than the journal's first: it was begun anew, when others had been
// archived, and the journal has lost all since then. So do whole lines behind a
// bad one that the journal does not know: whoever opens the file finds the bad
// one. Of a file that differs, LookCloser() finds such lines.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_FILE_COMPARISON_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_FILE_COMPARISON_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/store/event/journal.h"
#include "services/store/event/unjournaled_lines.h"

namespace kinora {

// For one recovery; not thread-safe. Changes nothing.
class LogFileComparison {
 public:
  // `fs` MUST outlive this.
  LogFileComparison(FileSystem& fs, absl::string_view root)
      : fs_(fs), root_(root) {}

  // Compares the lines of a record. Call it for all records that will be
  // applied, in their order.
  void Compare(const JournalRecord& record);

  // The log ends where the records do that were compared, whatever its file has
  // behind them: the journal has lost lines there.
  void EndsInJournal(absl::string_view log);

  // The logs whose files differ, by their keys. For each of them call
  // LookCloser() with all its lines that will be applied, before what follows.
  absl::flat_hash_set<std::string> Differing() const;
  void LookCloser(absl::string_view log, const JournaledLines& journaled);

  // What files that differ have and the journal has not, by the keys of their
  // logs.
  const absl::flat_hash_map<std::string, UnjournaledLines>& unjournaled()
      const {
    return unjournaled_;
  }

  // A file that has all that the journal says.
  struct WholeFile {
    uint64_t offset = 0;       // where the journal's lines end
    std::string lines_behind;  // lines that go on from there
    // It is not for the journal to change, and stays as it is: whoever opens it
    // finds what is wrong with it, if anything is.
    bool stays = false;
  };

  // By the keys of their logs. Files that hold less are not among them.
  absl::flat_hash_map<std::string, WholeFile> WholeFiles();

  // Logs a warning for each file that differs, naming it and the offset from
  // which on it does; also for one that goes on behind its last record. Returns
  // how many there are.
  size_t Report();

 private:
  // A file with journaled lines.
  struct State {
    bool differs = false;
    bool ends_early = false;
    bool stays = false;
    uint64_t offset = 0;  // where it does, or else where its lines end
    int64_t next_sequence = 0;
    uint64_t bytes_behind = 0;  // of lines that stay, once WholeFiles() looked
  };

  // Takes the lines of a file that go on behind the journal's.
  void FindLinesBehind(const RandomAccessFile& bytes, uint64_t size,
                       State* state, WholeFile* file);
  // The number of the first line of a file, if that is whole.
  std::optional<int64_t> FirstSequence(absl::string_view log);
  // Null if there is none, or none that can be read.
  const RandomAccessFile* Open(absl::string_view log);

  FileSystem& fs_;
  const std::string root_;
  absl::flat_hash_map<std::string, State> states_;
  absl::flat_hash_map<std::string, UnjournaledLines> unjournaled_;
  absl::flat_hash_map<std::string, std::unique_ptr<RandomAccessFile>> open_;
  std::string buffer_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_FILE_COMPARISON_H_
