#include "services/planner/history/key_reasons.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "services/planner/history/key_changes.h"
#include "services/planner/history/wiring_changes.h"

namespace kinora {
namespace {

// Where it cannot be told, the blueprint may have.
bool IsBoundOtherwise(absl::string_view node, absl::string_view slot,
                      const RevisionState& before, const RevisionState& now) {
  return before.blueprint == nullptr || now.blueprint == nullptr ||
         BindsOtherwise(*before.blueprint, *now.blueprint, node, slot);
}

}  // namespace

bool AddKeyReasons(const std::vector<v1::KeyChange>& changes,
                   absl::string_view node, const RevisionState& before,
                   const RevisionState& now, ChangeReasons* reasons) {
  std::vector<std::string> settings;
  bool by_blueprint = false;
  for (const v1::KeyChange& change : changes) {
    switch (change.part()) {
      case v1::KEY_PART_INPUT:
        reasons->AddSubject(v1::REASON_KIND_INPUT_CHANGED,
                            change.new_source_id());
        break;
      case v1::KEY_PART_ARTEFACT:
        reasons->AddSubject(v1::REASON_KIND_ARTEFACT_CHANGED,
                            change.new_source_id());
        break;
      case v1::KEY_PART_PRODUCER:
        reasons->Add(v1::REASON_KIND_PRODUCER_CHANGED,
                     absl::StrCat("producer changed from ", change.old_text(),
                                  " to ", change.new_text()));
        break;
      case v1::KEY_PART_SETTING:
        settings.push_back(change.name());
        break;
      case v1::KEY_PART_DRAW:
        reasons->Add(v1::REASON_KIND_TAKE_CHANGED,
                     absl::StrCat("take ", change.new_text(), " instead of ",
                                  change.old_text()));
        break;
      case v1::KEY_PART_SALT:
        reasons->Add(v1::REASON_KIND_SETTINGS_CHANGED,
                     change.old_text() == change.new_text() ? "leaves changed"
                                                            : "salt changed");
        by_blueprint = true;
        break;
      case v1::KEY_PART_WIRING:
        reasons->AddSubject(v1::REASON_KIND_WIRING_CHANGED, change.name());
        by_blueprint =
            by_blueprint || IsBoundOtherwise(node, change.name(), before, now);
        break;
      default:
        reasons->Add(v1::REASON_KIND_SETTINGS_CHANGED);
        by_blueprint = true;
        break;
    }
  }
  if (!settings.empty()) {
    reasons->Add(
        v1::REASON_KIND_SETTINGS_CHANGED,
        absl::StrCat("settings changed: ", absl::StrJoin(settings, ", ")));
    by_blueprint = true;
  }
  return by_blueprint;
}

void AddNodeReasons(absl::string_view node, const RevisionState& before,
                    const RevisionState& now, ChangeReasons* reasons) {
  const v1::ManifestNode* old = before.FindNode(std::string(node));
  const v1::ManifestNode* current = now.FindNode(std::string(node));
  if (old == nullptr || current == nullptr) return;
  if (old->producer().name() != current->producer().name() ||
      old->producer().version() != current->producer().version()) {
    reasons->Add(
        v1::REASON_KIND_PRODUCER_CHANGED,
        absl::StrCat("producer changed from ", ProducerText(old->producer()),
                     " to ", ProducerText(current->producer())));
  }
  if (old->settings_hash() != current->settings_hash()) {
    reasons->Add(v1::REASON_KIND_SETTINGS_CHANGED);
  }
}

}  // namespace kinora
