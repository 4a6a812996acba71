// CoveredLogsTwins are two movies that are told the same story, of edits,
// artefacts, revisions and prunings. From one of them covered logs are removed.

#ifndef KINORA_SERVICES_STORE_CHECKPOINT_COVERED_LOGS_TWINS_H_
#define KINORA_SERVICES_STORE_CHECKPOINT_COVERED_LOGS_TWINS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "common/random.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {

class CoveredLogsTwins : public CoreFixture {
 protected:
  // One store; two of them are given the same requests at the same time.
  struct Twin {
    explicit Twin(Clock& its_clock) : clock(its_clock), storage(its_clock) {
      Restart();
      MakeFilm(store());
    }
    void Restart() { core = std::make_unique<Core>(storage, log, clock); }
    Store store() { return core->store(); }

    Clock& clock;
    MemoryObjectStorage storage;
    MemoryEventLog log;
    std::unique_ptr<Core> core;
    v1::LeaseToken lease;    // of the run at hand, if it was taken
    std::string removed_at;  // the revision; empty if nothing was
  };

  // Two new movies.
  void Begin(uint64_t seed);
  void SetUp() override { Begin(7); }

  int Below(int bound);

  template <typename Act>
  void Both(Act act) {
    act(*trimmed_);
    act(*whole_);
  }

  void SetValue(Twin& twin, const std::string& text, bool blob,
                v1::Content* content);

  void EditInput();

  void MakeArtefact();

  void Commit();

  void NewRun();

  const v1::LeaseToken& Lease(Twin& twin);

  std::string NextRevision() const;

  void Prune();

  absl::Status Remove();

  static int64_t Oldest(Twin& twin);

  // The events of an artefact that are left, by the index or by reading all.
  static std::vector<int64_t> AttemptsIn(Twin& twin, const std::string& id,
                                         bool indexed);

  // Everything that can be asked of a movie, as text.
  std::map<std::string, std::string> Answers(Twin& twin);

  void Compare();

  // Drops what the trimmed one has in memory and what it can derive.
  void ForgetDerived();

  // Revisions with something to drop in them.
  void TellRevisions(int count);

  std::optional<SeededRandom> random_;
  std::optional<Twin> trimmed_;
  std::optional<Twin> whole_;
  std::vector<std::string> revisions_;
  std::string run_id_{kRun1};
  std::string current_hash_;
  int64_t inputs_through_ = 1;
  int64_t inputs_end_ = 1;
  int next_text_ = 0;
  int next_run_ = 1;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_CHECKPOINT_COVERED_LOGS_TWINS_H_
