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
  // Of a batch that is cut off within, what is left.
  const auto is_at = [&](const AppendedBatch& batch, int64_t first) {
    const int64_t behind = first + static_cast<int64_t>(batch.events.size());
    if (behind > end || behind <= oldest) return false;
    const int64_t cut = std::max<int64_t>(0, oldest - first);
    return std::equal(batch.events.begin() + cut, batch.events.end(),
                      texts.begin() + (first + cut - oldest));
  };
  std::vector<bool> claimed(texts.size(), false);
  const auto claim = [&](const AppendedBatch& batch) {
    for (size_t i = 0; i < batch.events.size(); ++i) {
      const int64_t at = batch.first_sequence + static_cast<int64_t>(i);
      if (at >= oldest) claimed[at - oldest] = true;
    }
  };
  const auto is_cut_off = [&](const AppendedBatch& batch) {
    return batch.first_sequence + static_cast<int64_t>(batch.events.size()) <=
           oldest;
  };
  for (const AppendedBatch& batch : batches_) {
    if (batch.first_sequence == 0 || is_cut_off(batch)) continue;
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
    int64_t first = at;
    // A batch may begin before the first event that is there.
    for (AppendedBatch& batch : batches_) {
      if (batch.first_sequence != 0) continue;
      const int64_t before =
          at == oldest && oldest > oldest_
              ? std::min(oldest - 1,
                         static_cast<int64_t>(batch.events.size()) - 1)
              : 0;
      for (int64_t cut = 0; cut <= before; ++cut) {
        if (!is_at(batch, at - cut)) continue;
        // Of equal ones the acknowledged is the one that must be found.
        if (found == nullptr || batch.sure) {
          found = &batch;
          first = at - cut;
        }
        break;
      }
    }
    if (found == nullptr) {
      return absl::InternalError(
          absl::StrCat("the event at ", at,
                       " is a part of an append, doubled, or nobody's: ",
                       events[at - oldest].ShortDebugString()));
    }
    found->first_sequence = first;
    found->sure = true;
    claim(*found);
  }
  for (const AppendedBatch& batch : batches_) {
    if (!batch.sure || batch.first_sequence != 0) continue;
    if (oldest > oldest_) continue;  // it may be before what is there
    return absl::InternalError(absl::StrCat(
        "an acknowledged append of ", batch.events.size(), " events is lost"));
  }
  std::erase_if(batches_, [](const AppendedBatch& batch) {
    return !batch.sure || batch.first_sequence == 0;
  });
  oldest_ = oldest;
  last_sequence_ = end - 1;
  return absl::OkStatus();
}

bool LogFacts::MayBeForgotten(const std::string& request_id) const {
  if (request_id.empty()) return false;
  return std::any_of(
      batches_.begin(), batches_.end(), [&](const AppendedBatch& batch) {
        return batch.request_id == request_id && batch.first_sequence != 0 &&
               batch.first_sequence <= cut_through_;
      });
}

}  // namespace kinora
