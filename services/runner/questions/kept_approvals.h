// KeptApprovals are the approvals of a run that later runs shall find
// (approvals.h), each of them once.

#ifndef KINORA_SERVICES_RUNNER_QUESTIONS_KEPT_APPROVALS_H_
#define KINORA_SERVICES_RUNNER_QUESTIONS_KEPT_APPROVALS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "kinora/v1/event.pb.h"
#include "services/runner/questions/approvals.h"

namespace kinora {

// Not thread-safe.
class KeptApprovals {
 public:
  // Keeps it if it is new. REQUIRES: IsApproval().
  void Keep(const std::string& run_id, const std::string& revision,
            const RunQuestion& approved) {
    if (!known_.insert(NameOf(approved)).second) return;
    to_append_.push_back(ApprovalEvent(run_id, approved));
    to_append_.back().set_revision(revision);
  }

  // The log has it.
  void NoteKept(const RunQuestion& approved) {
    known_.insert(NameOf(approved));
  }

  // Whoever appends them leaves those that are not in the log.
  std::vector<v1::Event>* to_append() { return &to_append_; }

 private:
  static std::string NameOf(const RunQuestion& asked) {
    return absl::StrCat(asked.job_id, "\n", asked.question.question_id(), "\n",
                        asked.question.content_hash());
  }

  std::vector<v1::Event> to_append_;
  std::set<std::string> known_;  // kept, or to be appended
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_QUESTIONS_KEPT_APPROVALS_H_
