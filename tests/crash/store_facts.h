// StoreFacts are what a user of a store knows from its answers: what must be
// there after a crash, and what may be, whole or not at all.

#ifndef KINORA_TESTS_CRASH_STORE_FACTS_H_
#define KINORA_TESTS_CRASH_STORE_FACTS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/lease.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "tests/crash/log_facts.h"
#include "tests/crash/store_call.h"

namespace kinora {

// An object that is written once: a blob, a plan.
struct ObjectFact {
  std::string bytes;
  bool sure = false;  // else there may be none
};

// An object that is replaced: the last acknowledged bytes, and those of later
// attempts, any of which may be there. Without any sure ones there may be none.
struct ReplacedFact {
  std::string sure;
  std::vector<std::string> attempts;
};

// The blob that an event keeps alive; empty if there is none.
std::string BlobNamedBy(const v1::Event& event);

struct RevisionFact {
  std::string revision;
  std::string manifest_hash;
  int64_t inputs_through = 0;
  std::string json;  // once it was read; never changes
  // Pruning was asked for: its manifest may be gone.
  bool may_be_pruned = false;
};

struct MovieFacts {
  bool sure = false;  // else it may not exist
  LogFacts inputs;
  LogFacts artefacts;
  std::map<std::string, LogFacts> ledgers;  // by run
  std::map<std::string, ObjectFact> blobs;  // by hash
  // By events that are sure, as long as nobody asked to remove such.
  std::set<std::string> named_blobs;
  // Removal was asked for: of archived logs; of takes.
  bool logs_may_be_cut = false;
  bool takes_may_be_pruned = false;
  std::map<std::string, ObjectFact> plans;   // by hash
  std::map<std::string, ReplacedFact> runs;  // canonical records, by run
  std::vector<RevisionFact> revisions;
  std::string blueprint_hash;
  int64_t highest_token = 0;  // acknowledged
  // The lease that is held, and before it; empty if it is not known.
  v1::Lease lease;
  std::vector<v1::LeaseToken> lost_tokens;
  std::vector<std::string> committed_runs;
};

class StoreFacts {
 public:
  // Takes a call with its answer, or one that got none. An error says that the
  // answer contradicts an earlier one.
  absl::Status Apply(const StoreCall& call);

  std::map<std::string, MovieFacts>& movies() { return movies_; }
  const std::map<std::string, MovieFacts>& movies() const { return movies_; }

  // Changes that got no answer, to be repeated; and some that did.
  std::vector<StoreCall>& unanswered() { return unanswered_; }
  const std::vector<StoreCall>& appends() const { return appends_; }

 private:
  absl::Status ApplyMovie(const StoreCall& call);
  absl::Status ApplyBlueprint(const StoreCall& call);
  absl::Status ApplyAppend(const StoreCall& call);
  void ApplyBlobs(const StoreCall& call);
  void ApplyUpload(const StoreCall& call);
  absl::Status ApplyCommit(const StoreCall& call);
  void ApplyPlan(const StoreCall& call);
  absl::Status ApplyLease(const StoreCall& call);
  void ApplyRelease(const StoreCall& call);
  void ApplyRun(const StoreCall& call);
  void ApplyCollection(const StoreCall& call);
  void ApplyCheckpoint(const StoreCall& call);
  absl::Status ApplyPruning(const StoreCall& call);

  std::map<std::string, MovieFacts> movies_;
  std::vector<StoreCall> unanswered_;
  std::vector<StoreCall> appends_;  // acknowledged, under a request id
};

}  // namespace kinora

#endif  // KINORA_TESTS_CRASH_STORE_FACTS_H_
