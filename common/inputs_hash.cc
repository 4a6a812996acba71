#include "common/inputs_hash.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace kinora {
namespace {

constexpr absl::string_view kNodeTag = "kinora-node-v1";
constexpr absl::string_view kKeyTag = "kinora-key-v1";

// A key is hashed in one piece, as each piece costs as much as a short text;
// that of a large fan-in in several, so that it takes no memory.
constexpr size_t kMaxPendingBytes = 64 << 10;

constexpr size_t kHeadBytes = 9;

// A field's letter and length.
void WriteHead(char letter, uint64_t length, char* out) {
  out[0] = letter;
  for (int i = 0; i < 8; ++i) {
    out[1 + i] = static_cast<char>(length >> (56 - 8 * i));
  }
}

void AppendField(char letter, absl::string_view bytes, std::string* out) {
  char head[kHeadBytes];
  WriteHead(letter, bytes.size(), head);
  out->append(head, kHeadBytes);
  out->append(bytes.data(), bytes.size());
}

template <typename T, typename Less>
std::vector<const T*> Sorted(const std::vector<T>& values, Less less) {
  std::vector<const T*> sorted;
  sorted.reserve(values.size());
  for (const T& value : values) sorted.push_back(&value);
  std::sort(sorted.begin(), sorted.end(),
            [less](const T* a, const T* b) { return less(*a, *b); });
  return sorted;
}

}  // namespace

Digest NodeHash(const NodeKey& key) {
  std::string bytes(kNodeTag);
  AppendField('p', key.producer, &bytes);
  AppendField('v', key.producer_version, &bytes);
  AppendField('s', key.settings.Bytes(), &bytes);
  AppendField('x', key.salt, &bytes);
  const auto by_name = [](const KeyOutput& a, const KeyOutput& b) {
    return a.name < b.name;
  };
  for (const KeyOutput* output : Sorted(key.outputs, by_name)) {
    AppendField('o', output->name, &bytes);
    AppendField('m', output->mime_type, &bytes);
  }
  return Sha256Of(bytes);
}

char* InputsHasher::Room(size_t bytes) {
  if (buffer_.size() - size_ < bytes) buffer_.resize(2 * (size_ + bytes));
  size_ += bytes;
  return &buffer_[size_ - bytes];
}

void InputsHasher::AddHead(char letter, uint64_t length) {
  WriteHead(letter, length, Room(kHeadBytes));
}

void InputsHasher::AddField(char letter, absl::string_view bytes) {
  char* const room = Room(kHeadBytes + bytes.size());
  WriteHead(letter, bytes.size(), room);
  std::memcpy(room + kHeadBytes, bytes.data(), bytes.size());
}

void InputsHasher::Start(const Digest& node_hash, absl::string_view job_id,
                         uint32_t draw) {
  if (begun_) hash_.Reset();
  begun_ = false;
  size_ = 0;
  std::memcpy(Room(kKeyTag.size()), kKeyTag.data(), kKeyTag.size());
  AddField('n', node_hash.Bytes());
  AddField('j', job_id);
  AddField('d', absl::AlphaNum(draw).Piece());
}

void InputsHasher::AddBinding(absl::string_view name, absl::string_view shape,
                              uint64_t contents) {
  AddField('b', name);
  AddField('f', shape);
  AddHead('c', contents * Digest::kSize);
}

void InputsHasher::AddContent(const Digest& content) {
  std::memcpy(Room(Digest::kSize), content.bytes.data(), Digest::kSize);
  if (size_ < kMaxPendingBytes) return;
  hash_.Update(absl::string_view(buffer_.data(), size_));
  size_ = 0;
  begun_ = true;
}

Digest InputsHasher::Finish() {
  hash_.Update(absl::string_view(buffer_.data(), size_));
  begun_ = false;
  return hash_.Finish();
}

std::string GroupedShape(absl::Span<const uint32_t> group_sizes) {
  std::string shape = "groups";
  for (uint32_t size : group_sizes) absl::StrAppend(&shape, " ", size);
  return shape;
}

Digest InputsHash(const JobKey& key) {
  InputsHasher hasher;
  hasher.Start(NodeHash(key.node), key.job_id, key.draw);
  std::vector<std::string> ids = key.artefact_ids;
  std::sort(ids.begin(), ids.end());
  for (const std::string& id : ids) hasher.AddArtefact(id);
  const auto by_name = [](const KeyBinding& a, const KeyBinding& b) {
    return a.name < b.name;
  };
  for (const KeyBinding* binding : Sorted(key.bindings, by_name)) {
    std::string shape(binding->is_list ? kListShape : kOneShape);
    if (binding->is_grouped) shape = GroupedShape(binding->group_sizes);
    hasher.AddBinding(binding->name, shape, binding->contents.size());
    for (const Digest& content : binding->contents) hasher.AddContent(content);
  }
  return hasher.Finish();
}

std::string FanInSlot(absl::string_view binding, size_t index) {
  return absl::StrCat(binding, "/", index);
}

std::string EmptyFanInSlot(absl::string_view binding) {
  return absl::StrCat(binding, "/");
}

}  // namespace kinora
