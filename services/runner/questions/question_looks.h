// QuestionLooks are those that a run takes at its questions, for what they come
// to without an answer: when the next one is due, and what became of the last.

#ifndef KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_LOOKS_H_
#define KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_LOOKS_H_

#include <cstdint>
#include <utility>

#include "common/threads/executor.h"

namespace kinora {

// Not thread-safe.
class QuestionLooks {
 public:
  // `executor` MUST outlive this.
  explicit QuestionLooks(Executor& executor) : executor_(executor) {}

  // Something about the questions is news, so the next look may be due sooner.
  void NoteNews() { has_news_ = true; }
  // True if there is some since this was asked last.
  bool TakeNews() { return std::exchange(has_news_, false); }

  // Has `look` called on the executor when the wall clock, which says `now_ms`,
  // says `at_ms`, or sooner: it may be corrected meanwhile. Does nothing if
  // that will be before anyway.
  void LookAt(int64_t at_ms, int64_t now_ms, Executor::Task look);

  // The run looks now.
  void Begin();
  // What that came to is recorded; or somebody else has recorded something
  // meanwhile, and the run looks again behind it; or it could not be.
  void NoteRecorded();
  void NoteOvertaken();
  void NoteFailed() { failed_ = true; }

  // True while a record makes sure that it comes right behind what was read:
  // it has not been overtaken too often.
  bool is_careful() const;

 private:
  Executor& executor_;
  bool has_news_ = false;
  int64_t due_ms_ = INT64_MAX;
  Executor::TimerId timer_ = 0;
  int overtaken_ = 0;  // in a row
  bool failed_ = false;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_LOOKS_H_
