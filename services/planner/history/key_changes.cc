#include "services/planner/history/key_changes.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/utf8.h"

namespace kinora {
namespace {

constexpr size_t kMaxChanges = 100;
// A setting may be a document; enough of it to see what changed.
constexpr size_t kMaxSettingBytes = 200;

v1::KeyChange ChangeOf(v1::KeyPart part, absl::string_view name) {
  v1::KeyChange change;
  change.set_part(part);
  change.set_name(std::string(name));
  return change;
}

std::string Shown(const JsonValue* value) {
  if (value == nullptr) return "";
  std::string text = CanonicalJson(*value);
  if (text.size() <= kMaxSettingBytes) return text;
  text.resize(
      ValidUtf8Prefix(absl::string_view(text).substr(0, kMaxSettingBytes)));
  return absl::StrCat(text, "...");
}

void CompareSettings(const std::string& path, const JsonValue* before,
                     const JsonValue* now,
                     std::vector<v1::KeyChange>* changes) {
  if (before != nullptr && now != nullptr && *before == *now) return;
  if (before == nullptr || now == nullptr || !before->is_object() ||
      !now->is_object()) {
    v1::KeyChange change = ChangeOf(v1::KEY_PART_SETTING, path);
    change.set_old_text(Shown(before));
    change.set_new_text(Shown(now));
    changes->push_back(std::move(change));
    return;
  }
  const auto inner = [&path](const std::string& key) {
    return path.empty() ? key : absl::StrCat(path, ".", key);
  };
  for (const JsonMember& member : before->object()) {
    CompareSettings(inner(member.key), &member.value, now->Find(member.key),
                    changes);
  }
  for (const JsonMember& member : now->object()) {
    if (before->Find(member.key) != nullptr) continue;
    CompareSettings(inner(member.key), nullptr, &member.value, changes);
  }
}

// What the blueprint says is the salt, without the hash of leaves that the
// parser puts after it.
absl::string_view OwnSalt(absl::string_view salt) {
  return salt.substr(0, salt.rfind(kLeavesOfSalt));
}

// Goes through the slots of both, which are sorted.
class SlotComparison {
 public:
  SlotComparison(std::vector<v1::KeyChange>& changes, size_t& more)
      : changes_(changes), more_(more) {}

  void Run(const v1::ArtefactEvent& before, const v1::ArtefactEvent& now) {
    int i = 0;
    int j = 0;
    while (i < before.dependencies_size() || j < now.dependencies_size()) {
      const v1::Dependency* old =
          i < before.dependencies_size() ? &before.dependencies(i) : nullptr;
      const v1::Dependency* current =
          j < now.dependencies_size() ? &now.dependencies(j) : nullptr;
      if (old != nullptr && current != nullptr &&
          old->slot() != current->slot()) {
        (old->slot() < current->slot() ? current : old) = nullptr;
      }
      i += old != nullptr ? 1 : 0;
      j += current != nullptr ? 1 : 0;
      Compare(old, current);
    }
  }

 private:
  void Compare(const v1::Dependency* before, const v1::Dependency* now) {
    const bool same_source = before != nullptr && now != nullptr &&
                             before->source_id() == now->source_id();
    if (same_source && before->hash() == now->hash()) return;
    if (changes_.size() == kMaxChanges) {
      ++more_;
      return;
    }
    const v1::Dependency& slot = now != nullptr ? *now : *before;
    v1::KeyPart part = v1::KEY_PART_WIRING;
    if (same_source) {
      part = IsInputId(slot.source_id()) ? v1::KEY_PART_INPUT
                                         : v1::KEY_PART_ARTEFACT;
    }
    v1::KeyChange change = ChangeOf(part, slot.slot());
    if (before != nullptr) {
      change.set_old_source_id(before->source_id());
      change.set_old_hash(before->hash());
    }
    if (now != nullptr) {
      change.set_new_source_id(now->source_id());
      change.set_new_hash(now->hash());
    }
    changes_.push_back(std::move(change));
  }

  std::vector<v1::KeyChange>& changes_;
  size_t& more_;
};

}  // namespace

std::string ProducerText(const v1::ProducerIdentity& producer) {
  return absl::StrCat(producer.name(), " version \"", producer.version(), "\"");
}

std::vector<v1::KeyChange> SettingChanges(absl::string_view before,
                                          absl::string_view now) {
  std::vector<v1::KeyChange> changes;
  const absl::StatusOr<JsonValue> old = ParseJson(before);
  const absl::StatusOr<JsonValue> current = ParseJson(now);
  if (old.ok() && current.ok() && old->is_object() && current->is_object()) {
    CompareSettings("", &*old, &*current, &changes);
    std::sort(changes.begin(), changes.end(),
              [](const v1::KeyChange& a, const v1::KeyChange& b) {
                return a.name() < b.name();
              });
    if (changes.size() > kMaxChanges) changes.resize(kMaxChanges);
  } else {
    changes.push_back(ChangeOf(v1::KEY_PART_SETTINGS, ""));
  }
  return changes;
}

std::vector<v1::KeyChange> KeyChanges(const v1::ArtefactEvent& before,
                                      const RevisionState& old_state,
                                      const v1::ArtefactEvent& now,
                                      const RevisionState& new_state,
                                      size_t* more) {
  *more = 0;
  std::vector<v1::KeyChange> changes;
  SlotComparison(changes, *more).Run(before, now);
  const v1::ProducedBy& old_by = before.produced_by();
  const v1::ProducedBy& by = now.produced_by();
  if (old_by.producer().name() != by.producer().name() ||
      old_by.producer().version() != by.producer().version()) {
    v1::KeyChange change =
        ChangeOf(v1::KEY_PART_PRODUCER, by.producer().name());
    change.set_old_text(ProducerText(old_by.producer()));
    change.set_new_text(ProducerText(by.producer()));
    changes.push_back(std::move(change));
  }
  if (old_by.settings_hash() != by.settings_hash()) {
    std::vector<v1::KeyChange> settings = SettingChanges(
        old_state.SettingsOf(old_by.node()), new_state.SettingsOf(by.node()));
    // The blueprints pinned to the revisions may be other ones than those the
    // results were made with.
    if (settings.empty()) {
      settings.push_back(ChangeOf(v1::KEY_PART_SETTINGS, ""));
    }
    if (settings.size() == 1 && settings[0].part() == v1::KEY_PART_SETTINGS) {
      settings[0].set_old_hash(old_by.settings_hash());
      settings[0].set_new_hash(by.settings_hash());
    }
    changes.insert(changes.end(), settings.begin(), settings.end());
  }
  const absl::string_view old_salt = old_state.SaltOf(old_by.node());
  const absl::string_view salt = new_state.SaltOf(by.node());
  if (before.inputs_hash() != now.inputs_hash() && old_salt != salt) {
    v1::KeyChange change = ChangeOf(v1::KEY_PART_SALT, by.node());
    if (OwnSalt(old_salt) != OwnSalt(salt)) {
      change.set_old_text(std::string(OwnSalt(old_salt)));
      change.set_new_text(std::string(OwnSalt(salt)));
    }
    changes.push_back(std::move(change));
  }
  if (before.draw() != now.draw()) {
    v1::KeyChange change = ChangeOf(v1::KEY_PART_DRAW, by.job_id());
    change.set_old_text(absl::StrCat(before.draw()));
    change.set_new_text(absl::StrCat(now.draw()));
    changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace kinora
