// Approvals: answers that hold beyond their run, for the content that they are
// about (Question.content_hash). Each is an event of the movie's artefact log,
//
//   artefact    Artifact:Approval_<32 hex digits>, of the job's id and the
//               question's; no blueprint has it
//   inputs hash of the content's hash
//   output      empty, as no store refuses that
//   diagnostics {"jobId","questionId","contentHash","kind","quorum","value",
//                "answeredBy","runId"}
//
// and so is found by the index that finds results: one look-up whatever the
// number of runs, from any process. It is in no manifest, as no commit takes up
// what names no run; it outlives the pruning of runs and of takes, and
// checkpoints keep the last one about each content. Pure.

#ifndef KINORA_SERVICES_RUNNER_QUESTIONS_APPROVALS_H_
#define KINORA_SERVICES_RUNNER_QUESTIONS_APPROVALS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kinora/v1/event.pb.h"
#include "kinora/v1/producer.pb.h"
#include "services/runner/questions/run_question.h"

namespace kinora {

struct Approval {
  v1::Answer answer;  // with its content_hash
  v1::QuestionKind kind = v1::QUESTION_KIND_UNSPECIFIED;
  uint32_t quorum = 1;
  std::string run_id;  // in which it was given
};

// Whether the answer to a question is one: a person gave it, in this run, about
// some content, and it is not `false`. What was refused may be asked again.
bool IsApproval(const RunQuestion& answered);

// The event, but for its revision. REQUIRES: IsApproval().
v1::Event ApprovalEvent(const std::string& run_id, const RunQuestion& answered);

// Two queries: for an approval of what the question is about, and for the last
// one of whatever it was asked about.
std::vector<v1::ArtefactQuery> ApprovalQueries(const std::string& job_id,
                                               const v1::Question& question);

// What an event that was found says; none if it says nothing.
std::optional<Approval> ApprovalIn(const v1::Event& event);

// Whether it answers the question: it is about the same content, has the form
// that is asked for, and as many agreed as must.
bool Answers(const Approval& approval, const v1::Question& question);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_QUESTIONS_APPROVALS_H_
