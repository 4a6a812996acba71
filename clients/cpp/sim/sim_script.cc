#include "clients/cpp/sim/sim_script.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/proto_time.h"
#include "common/status.h"

namespace kinora {
namespace {

// Large enough that framing costs little, small enough to interleave.
constexpr int64_t kChunkBytes = 256 * 1024;
constexpr int64_t kLinesPerMessage = 100;

constexpr char kQuestionId[] = "sim";
// In the place of a content hash.
constexpr char kInputs[] = "inputs";
constexpr char kAnswers[] = "answers";

}  // namespace

absl::StatusOr<SimScript> SimScript::Make(v1::JobHeader header) {
  if (header.job_id().empty()) {
    return InvalidField("header.job_id", "", "must be set");
  }
  if (header.producer().empty()) {
    return InvalidField("header.producer", "", "must be set");
  }
  KINORA_ASSIGN_OR_RETURN(SimSettings settings,
                          ParseSimSettings(header.settings_json()));
  return SimScript(std::move(header), std::move(settings));
}

SimScript::SimScript(v1::JobHeader header, SimSettings settings)
    : header_(std::move(header)), settings_(std::move(settings)) {
  for (const v1::InputBinding& binding : header_.inputs()) {
    uint32_t index = 0;
    for (const v1::InputElement& element : binding.elements()) {
      if (element.streamed() || element.has_reference()) {
        LargeInput& input = inputs_[{binding.name(), index}];
        input.source_id = element.source_id();
        input.reference = element.reference();
        input.expected = element.content().digest();
      }
      ++index;
    }
  }
  for (const v1::ExpectedOutput& output : header_.outputs()) {
    if (output.elements().empty()) {
      outputs_.emplace_back(output.name(), output.mime_type());
    }
    for (const v1::OutputElement& element : output.elements()) {
      outputs_.emplace_back(element.artefact_id(), output.mime_type());
    }
  }
}

absl::Status SimScript::TakeInput(const v1::InputChunk& chunk) {
  const std::string name = absl::StrCat(chunk.binding(), "/", chunk.element());
  auto it = inputs_.find({chunk.binding(), chunk.element()});
  if (it == inputs_.end()) {
    return InvalidField("input_chunk.binding", name, "no such large input");
  }
  LargeInput& input = it->second;
  if (input.complete || chunk.offset() != input.received) {
    return InvalidField(
        "input_chunk.offset", absl::StrCat(chunk.offset()),
        absl::StrCat("input ", name, " is at offset ", input.received));
  }
  input.hasher.Update(chunk.data());
  input.received += static_cast<int64_t>(chunk.data().size());
  if (!chunk.last()) return absl::OkStatus();
  input.complete = true;
  const std::string hash = input.hasher.Finish().Hex();
  if (hash != input.expected.hash()) {
    return InvalidField(
        absl::StrCat("input ", name), hash,
        absl::StrCat("expected the bytes of ", input.expected.hash()));
  }
  return absl::OkStatus();
}

std::vector<SimReference> SimScript::References() const {
  std::vector<SimReference> references;
  for (const auto& [key, input] : inputs_) {
    if (input.reference.empty()) continue;
    references.push_back({key.first, key.second, input.reference});
  }
  return references;
}

absl::Status SimScript::CheckInputs() const {
  for (const auto& [key, input] : inputs_) {
    if (input.complete) continue;
    return InvalidField(absl::StrCat("input ", key.first, "/", key.second),
                        input.source_id,
                        absl::StrCat("ends after ", input.received, " of ",
                                     input.expected.size_bytes(), " bytes"));
  }
  return absl::OkStatus();
}

bool SimScript::MustAsk() const {
  if (settings_.question.empty()) return false;
  const std::string about = ContentHash();
  return std::none_of(header_.answers().begin(), header_.answers().end(),
                      [&about](const v1::Answer& answer) {
                        return answer.question_id() == kQuestionId &&
                               answer.content_hash() == about;
                      });
}

std::string SimScript::ContentHash() const {
  const std::string& hash = settings_.question_terms.content_hash();
  if (hash == kAnswers) return absl::StrCat(header_.answers_size());
  return hash == kInputs ? header_.inputs_hash() : hash;
}

bool SimScript::Next(v1::ProduceResponse* response) {
  response->Clear();
  if (result_sent_) return false;
  if (NextLogLines(response)) return true;
  if (settings_.cost_micros > 0 && !usage_sent_) {
    usage_sent_ = true;
    v1::Cost& cost = *response->mutable_usage()->mutable_cost();
    cost.set_currency_code(settings_.currency);
    cost.set_micros(settings_.cost_micros);
    return true;
  }
  if (MustAsk()) {
    if (!question_sent_) {
      question_sent_ = true;
      v1::Question& question = *response->mutable_question();
      question = settings_.question_terms;
      question.set_content_hash(ContentHash());
      question.set_question_id(kQuestionId);
      question.set_prompt(settings_.question);
      question.set_kind(settings_.question_kind);
      question.mutable_options()->Assign(settings_.question_options.begin(),
                                         settings_.question_options.end());
      return true;
    }
  } else if (header_.attempt() > settings_.fail_attempts &&
             NextOutputChunk(response)) {
    return true;
  }
  WriteResult(response);
  return true;
}

bool SimScript::NextLogLines(v1::ProduceResponse* response) {
  if (lines_sent_ == settings_.log_lines) return false;
  v1::LogLines& lines = *response->mutable_log_lines();
  lines.set_channel_offset(lines_sent_);
  const int64_t end =
      std::min(settings_.log_lines, lines_sent_ + kLinesPerMessage);
  while (lines_sent_ < end) {
    lines.add_lines(absl::StrCat(header_.job_id(), ": line ", ++lines_sent_,
                                 " of ", settings_.log_lines));
  }
  return true;
}

bool SimScript::NextOutputChunk(v1::ProduceResponse* response) {
  if (!output_.has_value()) {
    if (next_output_ == outputs_.size()) return false;
    output_.emplace(settings_, header_, outputs_[next_output_].first,
                    outputs_[next_output_].second);
  }
  v1::OutputChunk& chunk = *response->mutable_output_chunk();
  chunk.set_output(outputs_[next_output_].first);
  chunk.set_offset(output_->offset());
  if (output_->offset() == 0) {
    chunk.set_readable_path(settings_.readable_path);
  }
  chunk.set_data(output_->Next(kChunkBytes));
  if (output_->AtEnd()) {
    chunk.set_last(true);
    output_.reset();
    ++next_output_;
  }
  return true;
}

void SimScript::WriteResult(v1::ProduceResponse* response) {
  result_sent_ = true;
  v1::JobResult& result = *response->mutable_result();
  if (MustAsk()) {
    result.mutable_waiting()->set_question_id(kQuestionId);
  } else if (header_.attempt() <= settings_.fail_attempts) {
    v1::Failure& failure = *result.mutable_failed();
    failure.set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
    failure.set_message(absl::StrCat("simulated ", settings_.fail_code,
                                     " in attempt ", header_.attempt(), " of ",
                                     header_.job_id()));
    failure.set_retryable(IsRetryableCode(settings_.fail_code));
    failure.set_provider("sim");
    if (settings_.retry_after_ms > 0) {
      failure.set_reason(v1::FAILURE_REASON_RATE_LIMITED);
      *failure.mutable_retry_after() =
          ToProto(absl::Milliseconds(settings_.retry_after_ms));
    }
  } else {
    result.mutable_succeeded();
  }
}

}  // namespace kinora
