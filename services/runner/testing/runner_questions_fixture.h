// Runs of the simulated producer in which a job asks a person something.

#ifndef KINORA_SERVICES_RUNNER_TESTING_RUNNER_QUESTIONS_FIXTURE_H_
#define KINORA_SERVICES_RUNNER_TESTING_RUNNER_QUESTIONS_FIXTURE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/questions/run_questions.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {

using Until = std::function<bool(const v1::LedgerEvent&)>;

// A asks, and B reads what A makes. E is of the same producer, which is called
// once at a time.
inline std::string Asking(const std::string& settings) {
  return absl::StrCat(R"(
blueprint: asking
nodes:
  A:
    producer: single
    settings: )",
                      settings, R"(
    outputs: {AText: text/plain}
  B:
    producer: sim
    inputs: {a: AText}
    outputs: {BText: text/plain}
  E:
    producer: single
    outputs: {EText: text/plain}
outputs: [BText, EText]
)");
}

inline constexpr char kText[] = "{question: 'Which whale?'}";

class RunnerQuestionsFixture : public RunnerFixture {
 protected:
  std::string Start() {
    absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(StartRequest());
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  absl::Status Answer(const std::string& run_id, const std::string& value_json,
                      const std::string& question_id = "sim",
                      const std::string& answered_by = "ann") {
    v1::AnswerQuestionRequest request;
    request.set_run_id(run_id);
    request.mutable_answer()->set_question_id(question_id);
    request.mutable_answer()->set_value_json(value_json);
    request.mutable_answer()->set_answered_by(answered_by);
    return runner().AnswerQuestion(request).status();
  }

  // The answer to A as the ledger has it.
  static v1::JobEvent AnswerOf(const std::string& value_json) {
    v1::Answer answer;
    answer.set_question_id("sim");
    answer.set_value_json(value_json);
    return AnsweredEvent("A", answer);
  }

  // "JOB PROMPT" of each question that waits.
  std::vector<std::string> Questions(const std::string& run_id = "",
                                     const std::string& movie_id = "") {
    v1::ListQuestionsRequest request;
    request.set_run_id(run_id);
    request.set_movie_id(movie_id);
    absl::StatusOr<v1::ListQuestionsResponse> list =
        runner().ListQuestions(request);
    EXPECT_OK(list);
    std::vector<std::string> questions;
    if (!list.ok()) return questions;
    for (const v1::PendingQuestion& pending : list->questions()) {
      questions.push_back(
          absl::StrCat(pending.job_id(), " ", pending.question().prompt()));
    }
    return questions;
  }

  static Until WaitsFor(const std::string& reason) {
    return [reason](const v1::LedgerEvent& event) {
      return event.run_waiting().reason() == reason;
    };
  }
  static Until Tells(const std::string& type) {
    return [type](const v1::LedgerEvent& event) {
      return event.job().type() == type;
    };
  }

  int Count(const std::string& run_id, const std::string& type) {
    int count = 0;
    for (const v1::LedgerEvent& event : Ledger(run_id)) {
      if (event.job().type() == type) ++count;
    }
    return count;
  }

  // Stops the runner and starts another one, which adopts what is open.
  void Restart(const SimProducerOptions& sim = {}) {
    process_.reset();
    process_ = NewProcess(sim);
    ASSERT_OK(runner().AdoptOpenRuns());
  }

  std::string Output(const std::string& artefact) {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id("film");
    request.add_queries()->set_artefact_id("Artifact:" + artefact);
    absl::StatusOr<v1::ResolveArtefactsResponse> response =
        store().events.ResolveArtefacts(request);
    EXPECT_OK(response);
    if (!response.ok()) return "";
    return response->artefacts(0).event().artefact().output().inline_().data();
  }

  v1::RunSnapshot Get(const std::string& run_id) {
    v1::GetRunRequest get;
    get.set_run_id(run_id);
    absl::StatusOr<v1::GetRunResponse> run = runner().Get(get);
    EXPECT_OK(run);
    return run.ok() ? run->run() : v1::RunSnapshot();
  }
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_TESTING_RUNNER_QUESTIONS_FIXTURE_H_
