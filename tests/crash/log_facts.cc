#include "tests/crash/log_facts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kinora {

std::string EventText(const v1::Event& event) {
  v1::Event asked = event;
  asked.clear_sequence();
  asked.clear_time();
  if (asked.has_revision_committed()) {
    asked.mutable_revision_committed()->clear_manifest_hash();
    asked.mutable_revision_committed()->clear_base_revision();
  }
  return asked.SerializeAsString();
}

absl::Status LogFacts::Acknowledge(AppendedBatch batch) {
  batch.sure = true;
  const int64_t last =
      batch.first_sequence + static_cast<int64_t>(batch.events.size()) - 1;
  for (AppendedBatch& known : batches_) {
    const bool repeated =
        !batch.request_id.empty() && known.request_id == batch.request_id;
    if (repeated && known.sure) {
      if (known.first_sequence == batch.first_sequence) {
        return absl::OkStatus();
      }
      return absl::InternalError(absl::StrCat(
          "request ", batch.request_id, " was appended at ",
          known.first_sequence, " and, repeated, at ", batch.first_sequence));
    }
  }
  if (batch.first_sequence != 0 && batch.first_sequence <= last_sequence_) {
    return absl::InternalError(
        absl::StrCat("appended at ", batch.first_sequence, ", but the log had ",
                     last_sequence_, " events"));
  }
  last_sequence_ =
      batch.first_sequence != 0
          ? std::max(last_sequence_, last)
          : last_sequence_ + static_cast<int64_t>(batch.events.size());
  batches_.push_back(std::move(batch));
  return absl::OkStatus();
}

absl::Status LogFacts::CheckAndSettle(int64_t oldest,
                                      const std::vector<v1::Event>& events) {
  std::vector<std::string> texts;
  texts.reserve(events.size());
  for (size_t i = 0; i < events.size(); ++i) {
    const int64_t wanted = oldest + static_cast<int64_t>(i);
    if (events[i].sequence() != wanted) {
      return absl::InternalError(absl::StrCat("sequence ", events[i].sequence(),
                                              " where ", wanted, " belongs"));
    }
    texts.push_back(EventText(events[i]));
  }
  const int64_t end = oldest + static_cast<int64_t>(texts.size());
  const auto is_at = [&](const AppendedBatch& batch, int64_t first) {
    if (first < oldest ||
        first + static_cast<int64_t>(batch.events.size()) > end) {
      return false;
    }
    return std::equal(batch.events.begin(), batch.events.end(),
                      texts.begin() + (first - oldest));
  };
  std::vector<bool> claimed(texts.size(), false);
  const auto claim = [&](const AppendedBatch& batch) {
    for (size_t i = 0; i < batch.events.size(); ++i) {
      claimed[batch.first_sequence - oldest + i] = true;
    }
  };
  for (const AppendedBatch& batch : batches_) {
    if (batch.first_sequence == 0 || batch.first_sequence < oldest) continue;
    if (!is_at(batch, batch.first_sequence)) {
      return absl::InternalError(absl::StrCat(
          "what was acknowledged at ", batch.first_sequence, " (",
          batch.events.size(), " events) is not there; the log has ", oldest,
          " to ", end - 1));
    }
    claim(batch);
  }
  // What is left came from appends whose place is not known.
  for (int64_t at = oldest; at < end; ++at) {
    if (claimed[at - oldest]) continue;
    AppendedBatch* found = nullptr;
    for (AppendedBatch& batch : batches_) {
      if (batch.first_sequence != 0 || !is_at(batch, at)) continue;
      // Of equal ones the acknowledged is the one that must be found.
      if (found == nullptr || batch.sure) found = &batch;
    }
    if (found == nullptr) {
      return absl::InternalError(
          absl::StrCat("the event at ", at,
                       " is a part of an append, doubled, or nobody's: ",
                       events[at - oldest].ShortDebugString()));
    }
    found->first_sequence = at;
    found->sure = true;
    claim(*found);
  }
  for (const AppendedBatch& batch : batches_) {
    if (!batch.sure || batch.first_sequence != 0) continue;
    return absl::InternalError(absl::StrCat(
        "an acknowledged append of ", batch.events.size(), " events is lost"));
  }
  std::erase_if(batches_,
                [](const AppendedBatch& batch) { return !batch.sure; });
  last_sequence_ = end - 1;
  return absl::OkStatus();
}

}  // namespace kinora
