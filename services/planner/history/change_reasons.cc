#include "services/planner/history/change_reasons.h"

#include "absl/strings/str_cat.h"

namespace kinora {
namespace {

constexpr size_t kMaxNamedInText = 3;

absl::string_view WordsFor(v1::ReasonKind kind) {
  switch (kind) {
    case v1::REASON_KIND_INITIAL:
      return "first revision";
    case v1::REASON_KIND_MISSING:
      return "new";
    case v1::REASON_KIND_INPUT_CHANGED:
      return "input changed";
    case v1::REASON_KIND_ARTEFACT_CHANGED:
      return "upstream changed";
    case v1::REASON_KIND_PRODUCER_CHANGED:
      return "producer changed";
    case v1::REASON_KIND_SETTINGS_CHANGED:
      return "settings changed";
    case v1::REASON_KIND_PROPAGATED:
      return "waits for";
    case v1::REASON_KIND_FORCED:
      return "made anew from the same inputs";
    case v1::REASON_KIND_WIRING_CHANGED:
      return "reads or makes other things";
    case v1::REASON_KIND_EDITED_BY_HAND:
      return "replaced by hand";
    case v1::REASON_KIND_TAKE_CHANGED:
      return "another take";
    case v1::REASON_KIND_REMOVED:
      return "no longer part of the movie";
    case v1::REASON_KIND_UNCHANGED:
      return "unchanged";
    default:
      return "not known any more";
  }
}

}  // namespace

void ChangeReasons::Add(v1::ReasonKind kind, absl::string_view text) {
  reasons_[kind].text = std::string(text);
}

void ChangeReasons::AddSubject(v1::ReasonKind kind, absl::string_view subject) {
  Reason& reason = reasons_[kind];
  if (reason.subjects.size() < kMaxSubjects) {
    reason.subjects.insert(std::string(subject));
  } else if (!reason.subjects.contains(std::string(subject))) {
    ++reason.more;
  }
}

v1::JobReason ChangeReasons::Build() const {
  v1::JobReason built;
  for (const auto& [kind, reason] : reasons_) {
    std::string text =
        reason.text.empty() ? std::string(WordsFor(kind)) : reason.text;
    size_t named = 0;
    for (const std::string& subject : reason.subjects) {
      if (named == kMaxNamedInText) break;
      absl::StrAppend(&text, named == 0 ? ": " : ", ", subject);
      ++named;
    }
    const size_t rest = reason.subjects.size() - named + reason.more;
    if (rest > 0) absl::StrAppend(&text, " and ", rest, " more");
    if (built.kind() == v1::REASON_KIND_UNSPECIFIED) {
      built.set_kind(kind);
      for (const std::string& subject : reason.subjects) {
        built.add_subjects(subject);
      }
    }
    if (!built.text().empty()) text = absl::StrCat(built.text(), "; ", text);
    built.set_text(text);
  }
  if (reasons_.empty()) {
    built.set_text(std::string(WordsFor(v1::REASON_KIND_UNSPECIFIED)));
  }
  return built;
}

std::string InputChangeText(const RevisionState& before,
                            const RevisionState& now, const std::string& id) {
  if (now.IsSet(id)) return before.FindInput(id) == nullptr ? "set" : "edited";
  if (now.FindInput(id) == nullptr) return "no longer set";
  if (before.IsSet(id)) return "back to the blueprint's default";
  return before.FindInput(id) == nullptr ? "the blueprint's default"
                                         : "the blueprint's default changed";
}

}  // namespace kinora
