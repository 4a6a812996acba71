#include "common/inputs_hash.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace kinora {
namespace {

constexpr absl::string_view kTag = "kinora-key-v1";

void AppendField(absl::string_view bytes, std::string* out) {
  const uint64_t length = bytes.size();
  for (int shift = 56; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(length >> shift));
  }
  out->append(bytes.data(), bytes.size());
}

}  // namespace

Digest InputsHash(const JobKey& key) {
  std::vector<const KeySlot*> slots;
  slots.reserve(key.slots.size());
  for (const KeySlot& slot : key.slots) slots.push_back(&slot);
  std::sort(slots.begin(), slots.end(), [](const KeySlot* a, const KeySlot* b) {
    return a->name < b->name;
  });

  std::string bytes(kTag);
  AppendField(key.producer, &bytes);
  AppendField(key.producer_version, &bytes);
  AppendField(key.settings.Bytes(), &bytes);
  AppendField(key.job_id, &bytes);
  AppendField(absl::StrCat(key.draw), &bytes);
  AppendField(key.salt, &bytes);
  AppendField(absl::StrCat(key.artefact_ids.size()), &bytes);
  for (const std::string& id : key.artefact_ids) AppendField(id, &bytes);
  AppendField(absl::StrCat(slots.size()), &bytes);
  for (const KeySlot* slot : slots) {
    AppendField(slot->name, &bytes);
    AppendField(slot->content.Bytes(), &bytes);
  }
  return Sha256Of(bytes);
}

std::string FanInSlot(absl::string_view binding, size_t index) {
  return absl::StrCat(binding, "/", index);
}

std::string EmptyFanInSlot(absl::string_view binding) {
  return absl::StrCat(binding, "/");
}

KeySlot GroupsSlot(absl::string_view binding,
                   absl::Span<const uint32_t> group_sizes) {
  std::string sizes;
  for (uint32_t size : group_sizes) absl::StrAppend(&sizes, size, " ");
  return {absl::StrCat(binding, "/groups"), Sha256Of(sizes)};
}

}  // namespace kinora
