#include "services/store/index/movie_index.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/store/movie/movie_catalog.h"

namespace kinora {
namespace {

constexpr int kMaxRepairs = 100;

}  // namespace

MovieIndex::MovieIndex(EventLog& events, ObjectStorage& storage,
                       absl::string_view movie_id, const IndexOptions& options)
    : movie_id_(movie_id),
      artefacts_(events, storage, movie_id, v1::LOG_KIND_ARTEFACTS, options),
      inputs_(events, storage, movie_id, v1::LOG_KIND_INPUTS, options) {}

absl::Status MovieIndex::Ask(LogIndex& index,
                             absl::FunctionRef<absl::Status(LogIndex&)> query) {
  KINORA_RETURN_IF_ERROR(CheckOpen());
  absl::Status status;
  for (int i = 0; i < kMaxRepairs; ++i) {
    KINORA_RETURN_IF_ERROR(index.Refresh());
    status = query(index);
    if (!absl::IsAborted(status)) return status;
  }
  return status;
}

absl::StatusOr<EventPtr> MovieIndex::Resolve(const v1::ArtefactQuery& query,
                                             LogIndex& index) {
  const std::string& id = query.artefact_id();
  const std::string& hash = query.inputs_hash();
  const auto is = [&](const v1::Event& event) {
    return event.artefact().artefact_id() == id &&
           (hash.empty() || event.artefact().inputs_hash() == hash);
  };
  EventPtr failed;
  if (query.failed()) {
    KINORA_ASSIGN_OR_RETURN(
        failed, index.Latest(FailureIndexKey(id, hash), LogIndex::kEnd, is));
    if (failed == nullptr) return failed;
  }
  KINORA_ASSIGN_OR_RETURN(
      EventPtr made, index.Latest(hash.empty() ? ArtefactIndexKey(id)
                                               : ArtefactIndexKey(id, hash),
                                  LogIndex::kEnd, is));
  if (!query.failed()) return made;
  const bool is_made_good =
      made != nullptr && made->sequence() > failed->sequence();
  return is_made_good ? nullptr : failed;
}

absl::StatusOr<std::vector<EventPtr>> MovieIndex::Resolve(
    const v1::ResolveArtefactsRequest& request) {
  MutexLock lock(artefacts_mu_);
  std::vector<EventPtr> found;
  const auto query = [&](LogIndex& index) -> absl::Status {
    found.clear();
    for (const v1::ArtefactQuery& wanted : request.queries()) {
      KINORA_ASSIGN_OR_RETURN(EventPtr event, Resolve(wanted, index));
      found.push_back(std::move(event));
    }
    return absl::OkStatus();
  };
  KINORA_RETURN_IF_ERROR(Ask(artefacts_, query));
  return found;
}

absl::StatusOr<bool> MovieIndex::MayHaveFailures() {
  MutexLock lock(artefacts_mu_);
  bool any = false;
  KINORA_RETURN_IF_ERROR(Ask(artefacts_, [&](LogIndex& index) -> absl::Status {
    KINORA_ASSIGN_OR_RETURN(any, index.MayHold(kAnyFailureIndexKey));
    return absl::OkStatus();
  }));
  return any;
}

absl::StatusOr<IndexedPage> MovieIndex::Attempts(absl::string_view artefact_id,
                                                 int64_t after, int64_t limit,
                                                 int64_t max_bytes) {
  const std::vector<std::string> keys = {ArtefactIndexKey(artefact_id),
                                         UnmadeIndexKey(artefact_id)};
  MutexLock lock(artefacts_mu_);
  IndexedPage page;
  KINORA_RETURN_IF_ERROR(Ask(artefacts_, [&](LogIndex& index) -> absl::Status {
    KINORA_ASSIGN_OR_RETURN(
        page, index.After(keys, after, limit, max_bytes,
                          [artefact_id](const v1::Event& event) {
                            return event.artefact().artefact_id() ==
                                   artefact_id;
                          }));
    return absl::OkStatus();
  }));
  return page;
}

absl::StatusOr<std::vector<EventPtr>> MovieIndex::Commits() {
  MutexLock lock(artefacts_mu_);
  std::vector<EventPtr> commits;
  KINORA_RETURN_IF_ERROR(Ask(artefacts_, [&](LogIndex& index) -> absl::Status {
    KINORA_ASSIGN_OR_RETURN(
        commits,
        index.All(kCommitIndexKey, LogIndex::kEnd, [](const v1::Event& event) {
          return event.has_revision_committed();
        }));
    return absl::OkStatus();
  }));
  return commits;
}

absl::StatusOr<EventPtr> MovieIndex::Input(absl::string_view input_id) {
  MutexLock lock(inputs_mu_);
  EventPtr found;
  KINORA_RETURN_IF_ERROR(Ask(inputs_, [&](LogIndex& index) -> absl::Status {
    KINORA_ASSIGN_OR_RETURN(
        found, index.Latest(InputIndexKey(input_id), LogIndex::kEnd,
                            [&](const v1::Event& event) {
                              return event.input().input_id() == input_id;
                            }));
    return absl::OkStatus();
  }));
  return found;
}

absl::StatusOr<InputsAt> MovieIndex::Inputs(int64_t through) {
  MutexLock lock(inputs_mu_);
  InputsAt at;
  KINORA_RETURN_IF_ERROR(Ask(inputs_, [&](LogIndex& index) -> absl::Status {
    at.through = std::min(through, index.through());
    at.inputs.clear();
    KINORA_ASSIGN_OR_RETURN(const int64_t known_from, index.KnownFrom());
    if (at.through < known_from) {
      return WithReason(
          absl::OutOfRangeError(absl::StrCat(
              "the inputs of movie \"", movie_id_, "\" at event ", at.through,
              " of inputs.log are not known any more, but from ", known_from,
              " on")),
          "LOG_TRIMMED", {{"oldest", absl::StrCat(known_from)}});
    }
    KINORA_ASSIGN_OR_RETURN(
        const std::vector<EventPtr> first_edits,
        index.All(kFirstEditIndexKey, at.through,
                  [](const v1::Event& event) { return event.has_input(); }));
    for (const EventPtr& edit : first_edits) {
      const std::string& id = edit->input().input_id();
      KINORA_ASSIGN_OR_RETURN(
          EventPtr latest, index.Latest(InputIndexKey(id), at.through,
                                        [&id](const v1::Event& event) {
                                          return event.input().input_id() == id;
                                        }));
      if (latest != nullptr) at.inputs.push_back(std::move(latest));
    }
    return absl::OkStatus();
  }));
  std::sort(at.inputs.begin(), at.inputs.end(),
            [](const EventPtr& a, const EventPtr& b) {
              return a->input().input_id() < b->input().input_id();
            });
  return at;
}

absl::StatusOr<MovieIndex::Saved> MovieIndex::Save() {
  Saved saved;
  {
    MutexLock lock(inputs_mu_);
    KINORA_RETURN_IF_ERROR(CheckOpen());
    KINORA_RETURN_IF_ERROR(inputs_.Refresh());
    KINORA_RETURN_IF_ERROR(inputs_.Save());
    saved.inputs_through = inputs_.through();
  }
  MutexLock lock(artefacts_mu_);
  KINORA_RETURN_IF_ERROR(CheckOpen());
  KINORA_RETURN_IF_ERROR(artefacts_.Refresh());
  KINORA_RETURN_IF_ERROR(artefacts_.Save());
  saved.artefacts_through = artefacts_.through();
  return saved;
}

void MovieIndex::Close() {
  closed_ = true;
  // Whoever was let in has one of these.
  { MutexLock lock(inputs_mu_); }
  { MutexLock lock(artefacts_mu_); }
}

absl::Status MovieIndex::CheckOpen() const {
  return closed_ ? MovieNotFound(movie_id_) : absl::OkStatus();
}

}  // namespace kinora
