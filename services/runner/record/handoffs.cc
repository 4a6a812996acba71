#include "services/runner/record/handoffs.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/json/canonical_json.h"
#include "services/runner/record/document_form.h"
#include "services/runner/record/document_members.h"

namespace kinora {
namespace {

constexpr absl::string_view kHandoff = "handoff";
constexpr absl::string_view kRunReceipt = "run_receipt";
constexpr absl::string_view kTarget = "target_persona_or_human";

// True for what a handoff might as well not have.
bool SaysNothing(absl::string_view key, const JsonValue& value) {
  switch (value.type()) {
    case JsonValue::Type::kNull:
      return true;
    case JsonValue::Type::kString:
      return value.string_value().empty();
    case JsonValue::Type::kArray:
      return value.array().empty();
    case JsonValue::Type::kObject:
      return value.object().empty() ||
             (key == kTarget && TextOrEmpty(value, "label").empty() &&
              TextOrEmpty(value, "id").empty());
    default:
      return false;
  }
}

void TrimText(JsonObject& object, absl::string_view key) {
  const JsonValue* value = object.Find(key);
  if (value == nullptr || !value->is_string()) return;
  object.Set(key, std::string(TrimmedText(value->string_value())));
}

void DropBlankText(JsonObject& object, absl::string_view key) {
  const JsonValue* value = object.Find(key);
  if (value == nullptr) return;
  if (value->is_null() ||
      (value->is_string() && IsBlankText(value->string_value()))) {
    object.Remove(key);
  }
}

// Trims the texts of a list; each stands once, where it stood first.
void TrimList(JsonObject& object, absl::string_view key) {
  JsonValue* list = object.Find(key);
  if (list == nullptr || !list->is_array()) return;
  JsonArray kept;
  std::set<std::string> seen;
  for (JsonValue& element : list->array()) {
    if (element.is_string()) {
      std::string text(TrimmedText(element.string_value()));
      if (text.empty() || !seen.insert(text).second) continue;
      element = std::move(text);
    }
    kept.push_back(std::move(element));
  }
  *list = std::move(kept);
}

absl::string_view TargetKind(absl::string_view text) {
  const absl::string_view kind = TrimmedText(text);
  if (kind == "human") return "human";
  if (kind == "a2a" || kind == "external_a2a") return "a2a";
  if (kind == "worker" || kind == "queue") return "worker";
  return "persona";
}

void NormalizeTarget(JsonObject& handoff) {
  JsonValue* target = handoff.Find(kTarget);
  if (target == nullptr || !target->is_object()) return;
  target->object().Set("kind",
                       std::string(TargetKind(TextOrEmpty(*target, "kind"))));
  for (const absl::string_view key : {"id", "label", "uri"}) {
    DropBlankText(target->object(), key);
  }
}

// What makes two links the same one.
std::string LinkKey(const JsonValue& link) {
  std::string key;
  for (const absl::string_view member :
       {"kind", "run_id", "artifact_id", "path", "href"}) {
    const absl::string_view text = TextOrEmpty(link, member);
    absl::StrAppend(&key, text.size(), ":", text);
  }
  return key;
}

void NormalizeLinks(JsonArray& links) {
  JsonArray kept;
  std::set<std::string> seen;
  for (JsonValue& link : links) {
    if (!link.is_object()) continue;
    if (IsBlankText(TextOrEmpty(link, "kind"))) {
      link.object().Set("kind", kRunReceipt);
    }
    for (const absl::string_view key :
         {"label", "run_id", "artifact_id", "path", "href"}) {
      DropBlankText(link.object(), key);
    }
    if (seen.insert(LinkKey(link)).second) kept.push_back(std::move(link));
  }
  links = std::move(kept);
}

// An id that the same words give again. What a record adds is no part of them.
std::string IdOf(const JsonValue& handoff) {
  JsonValue words = handoff;
  for (const absl::string_view key :
       {"id", "receipt_links", "parent_run_id", "_type", "type"}) {
    words.object().Remove(key);
  }
  const std::string hex = Sha256Of(CanonicalJson(words)).Hex();
  return absl::StrCat("handoff-", hex.substr(0, 16));
}

// Gives `to` what it lacks and `from` has.
void Fill(const JsonValue& from, JsonValue& to) {
  for (const JsonMember& member : from.object()) {
    JsonValue* there = to.object().Find(member.key);
    if (there == nullptr || SaysNothing(member.key, *there)) {
      to.object().Set(member.key, member.value);
    } else if (member.key == "metadata" && member.value.is_object() &&
               there->is_object()) {
      for (const JsonMember& entry : member.value.object()) {
        there->object().Add(entry.key, entry.value);
      }
    } else if (member.key == "receipt_links" && member.value.is_array() &&
               there->is_array()) {
      JsonArray links = there->array();
      for (const JsonValue& link : member.value.array()) links.push_back(link);
      NormalizeLinks(links);
      *there = std::move(links);
    }
  }
}

// The handoff that an artefact tells of.
std::optional<JsonValue> HandoffOf(const JsonValue& artifact) {
  if (TextOrEmpty(artifact, "kind") != kHandoff) return std::nullopt;
  const JsonValue* data = MemberOf(artifact, "data");
  if (data == nullptr || !CheckHandoff(*data).ok()) return std::nullopt;
  const JsonValue* target = MemberOf(*data, kTarget);
  const JsonValue* metadata = MemberOf(artifact, "metadata");
  const absl::string_view id = metadata == nullptr
                                   ? absl::string_view()
                                   : TextOrEmpty(*metadata, "handoff_id");
  if (id.empty() && TextOrEmpty(*data, "id").empty() &&
      TextOrEmpty(*data, "source_persona").empty() &&
      TextOrEmpty(*data, "task").empty() &&
      (target == nullptr || !target->is_object())) {
    return std::nullopt;
  }
  JsonValue handoff = *data;
  if (TextOrEmpty(handoff, "id").empty() && !id.empty()) {
    handoff.object().Set("id", id);
  }
  return NormalizedHandoff(std::move(handoff));
}

bool IsReceiptOf(const JsonValue& link, absl::string_view run_id) {
  return TextOrEmpty(link, "kind") == kRunReceipt &&
         TextOrEmpty(link, "run_id") == run_id &&
         TextOrEmpty(link, "artifact_id").empty() &&
         TextOrEmpty(link, "href").empty();
}

// One link to the record, where it is now.
void LinkToRun(const JsonValue& document, JsonValue& handoff) {
  const absl::string_view run_id = TextOrEmpty(document, "id");
  if (run_id.empty()) return;
  if (TextOrEmpty(handoff, "parent_run_id").empty()) {
    handoff.object().Set("parent_run_id", run_id);
  }
  JsonObject receipt;
  receipt.Add("kind", kRunReceipt);
  absl::string_view label = TextOrEmpty(document, "workflow_name");
  if (label.empty()) label = TextOrEmpty(document, "workflow_id");
  if (!label.empty()) receipt.Add("label", label);
  receipt.Add("run_id", run_id);
  const absl::string_view path = TextOrEmpty(document, "persisted_path");
  if (!path.empty()) receipt.Add("path", path);

  JsonArray links = std::move(ArrayIn(handoff, "receipt_links"));
  JsonArray kept;
  std::optional<size_t> place;
  for (JsonValue& link : links) {
    if (IsReceiptOf(link, run_id)) {
      if (place.has_value()) continue;
      place = kept.size();
      for (const JsonMember& member : receipt) {
        if (member.key == "path") {
          link.object().Set(member.key, member.value);
        } else {
          link.object().Add(member.key, member.value);
        }
      }
    }
    kept.push_back(std::move(link));
  }
  if (!place.has_value()) kept.push_back(JsonValue(std::move(receipt)));
  handoff.object().Set("receipt_links", std::move(kept));
}

// The artefact of a handoff, made of the one there is.
JsonValue ArtifactOf(const JsonValue& handoff, JsonValue artifact) {
  const absl::string_view id = TextOrEmpty(handoff, "id");
  const absl::string_view target = HandoffTarget(handoff);
  JsonObject& object = artifact.object();
  const auto set_if_missing = [&object](absl::string_view key,
                                        absl::string_view text) {
    const JsonValue* there = object.Find(key);
    if (!text.empty() && (there == nullptr || SaysNothing(key, *there))) {
      object.Set(key, text);
    }
  };
  set_if_missing("id", absl::StrCat("artifact_", id));
  object.Set("kind", kHandoff);
  set_if_missing("title", absl::StrCat("Handoff to ", target));
  set_if_missing("source", TextOrEmpty(handoff, "source_persona"));
  set_if_missing("created_at", TextOrEmpty(handoff, "created_at"));
  object.Set("data", handoff);
  JsonValue* metadata = object.Find("metadata");
  if (metadata == nullptr || !metadata->is_object()) {
    object.Set("metadata", JsonObject());
    metadata = object.Find("metadata");
  }
  const JsonValue* to = MemberOf(handoff, kTarget);
  metadata->object().Set("handoff_id", id);
  metadata->object().Set("handoff_kind", TextOrEmpty(handoff, "kind"));
  metadata->object().Set(
      "target_kind",
      to == nullptr ? TargetKind("") : TargetKind(TextOrEmpty(*to, "kind")));
  metadata->object().Set("target_label", target);
  return artifact;
}

bool IsEarlier(const JsonValue& a, const JsonValue& b) {
  const absl::string_view a_time = TextOrEmpty(a, "created_at");
  const absl::string_view b_time = TextOrEmpty(b, "created_at");
  if (a_time != b_time) return a_time < b_time;
  return TextOrEmpty(a, "id") < TextOrEmpty(b, "id");
}

}  // namespace

absl::string_view HandoffTarget(const JsonValue& handoff) {
  const JsonValue* target = MemberOf(handoff, kTarget);
  if (target == nullptr) return "unknown";
  for (const absl::string_view key : {"label", "id"}) {
    const absl::string_view text = TextOrEmpty(*target, key);
    if (!text.empty()) return text;
  }
  return "unknown";
}

JsonValue NormalizedHandoff(JsonValue handoff) {
  JsonObject& object = handoff.object();
  TrimText(object, "kind");
  if (TextOrEmpty(handoff, "kind").empty()) object.Set("kind", kHandoff);
  for (const absl::string_view key : {"source_persona", "task", "reason"}) {
    TrimText(object, key);
  }
  NormalizeTarget(object);
  for (const absl::string_view key :
       {"files_or_entities_touched", "open_questions", "blocked_on",
        "requested_capabilities", "allowed_side_effects"}) {
    TrimList(object, key);
  }
  JsonValue* links = object.Find("receipt_links");
  if (links != nullptr && links->is_array()) NormalizeLinks(links->array());
  const std::optional<double> confidence = NumberOf(handoff, "confidence");
  if (confidence.has_value()) {
    object.Set("confidence", std::clamp(*confidence, 0.0, 1.0));
  }
  if (TextOrEmpty(handoff, "id").empty()) object.Set("id", IdOf(handoff));
  return handoff;
}

void SyncHandoffs(JsonValue& document) {
  std::map<std::string, JsonValue> by_id;
  const auto add = [&by_id](JsonValue handoff, bool goes_before) {
    const std::string id(TextOrEmpty(handoff, "id"));
    const auto [it, is_new] = by_id.try_emplace(id, std::move(handoff));
    if (is_new) return;  // try_emplace() has not moved from it else
    if (goes_before) std::swap(it->second, handoff);
    Fill(handoff, it->second);
  };
  for (const JsonValue& handoff : ElementsOf(document, "handoffs")) {
    add(NormalizedHandoff(handoff), /*goes_before=*/true);
  }
  std::map<std::string, size_t> places;
  const absl::Span<const JsonValue> artifacts =
      ElementsOf(document, "artifacts");
  for (size_t i = artifacts.size(); i-- > 0;) {
    std::optional<JsonValue> handoff = HandoffOf(artifacts[i]);
    if (!handoff.has_value()) continue;
    places.try_emplace(std::string(TextOrEmpty(*handoff, "id")), i);
    add(*std::move(handoff), /*goes_before=*/false);
  }
  if (by_id.empty()) return;

  JsonArray handoffs;
  for (auto& entry : by_id) handoffs.push_back(std::move(entry.second));
  std::sort(handoffs.begin(), handoffs.end(), IsEarlier);
  JsonArray& mirrored = ArrayIn(document, "artifacts");
  for (JsonValue& handoff : handoffs) {
    LinkToRun(document, handoff);
    const auto place = places.find(std::string(TextOrEmpty(handoff, "id")));
    if (place == places.end()) {
      mirrored.push_back(ArtifactOf(handoff, JsonObject()));
    } else {
      JsonValue& artifact = mirrored[place->second];
      artifact = ArtifactOf(handoff, std::move(artifact));
    }
  }
  document.object().Set("handoffs", std::move(handoffs));
}

}  // namespace kinora
