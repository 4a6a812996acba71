#include "common/json/json.h"

#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace kinora {
namespace {

// Below this a scan over the keys beats hashing one.
constexpr size_t kMinIndexedMembers = 16;

}  // namespace

JsonObject::JsonObject() = default;
JsonObject::JsonObject(JsonObject&& other) noexcept = default;
JsonObject& JsonObject::operator=(JsonObject&& other) noexcept = default;
JsonObject::~JsonObject() = default;

JsonObject::JsonObject(const JsonObject& other) : members_(other.members_) {
  RebuildIndex();
}

JsonObject& JsonObject::operator=(const JsonObject& other) {
  if (this != &other) *this = JsonObject(other);
  return *this;
}

size_t JsonObject::size() const { return members_.size(); }
JsonObject::const_iterator JsonObject::begin() const { return members_.data(); }
JsonObject::const_iterator JsonObject::end() const {
  return members_.data() + members_.size();
}

const JsonValue* JsonObject::Find(absl::string_view key) const {
  const std::optional<size_t> index = IndexOf(key);
  return index.has_value() ? &members_[*index].value : nullptr;
}

JsonValue* JsonObject::Find(absl::string_view key) {
  const std::optional<size_t> index = IndexOf(key);
  return index.has_value() ? &members_[*index].value : nullptr;
}

bool JsonObject::Add(absl::string_view key, JsonValue value) {
  if (IndexOf(key).has_value()) return false;
  members_.push_back(JsonMember{std::string(key), std::move(value)});
  if (index_ != nullptr) {
    index_->emplace(members_.back().key, members_.size() - 1);
  } else if (members_.size() == kMinIndexedMembers) {
    RebuildIndex();
  }
  return true;
}

void JsonObject::Set(absl::string_view key, JsonValue value) {
  const std::optional<size_t> index = IndexOf(key);
  if (index.has_value()) {
    members_[*index].value = std::move(value);
  } else {
    Add(key, std::move(value));
  }
}

bool JsonObject::Remove(absl::string_view key) {
  const std::optional<size_t> index = IndexOf(key);
  if (!index.has_value()) return false;
  members_.erase(members_.begin() + static_cast<ptrdiff_t>(*index));
  RebuildIndex();
  return true;
}

std::optional<size_t> JsonObject::IndexOf(absl::string_view key) const {
  if (index_ != nullptr) {
    const auto found = index_->find(key);
    if (found == index_->end()) return std::nullopt;
    return found->second;
  }
  for (size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].key == key) return i;
  }
  return std::nullopt;
}

void JsonObject::RebuildIndex() {
  index_.reset();
  if (members_.size() < kMinIndexedMembers) return;
  index_ = std::make_unique<absl::flat_hash_map<std::string, size_t>>();
  for (size_t i = 0; i < members_.size(); ++i) {
    index_->emplace(members_[i].key, i);
  }
}

JsonValue::JsonValue() = default;
JsonValue::JsonValue(std::string value) : data_(std::move(value)) {}
JsonValue::JsonValue(JsonArray value) : data_(std::move(value)) {}
JsonValue::JsonValue(JsonObject value) : data_(std::move(value)) {}
JsonValue::JsonValue(const JsonValue& other) = default;
JsonValue::JsonValue(JsonValue&& other) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue& other) = default;
JsonValue& JsonValue::operator=(JsonValue&& other) noexcept = default;
JsonValue::~JsonValue() = default;

JsonValue::JsonValue(double value) : data_(value) {
  if (!std::isfinite(value)) std::abort();
}

double JsonValue::CheckedInteger(bool positive, uint64_t bits) {
  const uint64_t magnitude = positive ? bits : 0 - bits;
  if (magnitude > static_cast<uint64_t>(kMaxJsonInteger)) std::abort();
  const auto value = static_cast<double>(magnitude);
  return positive ? value : 0.0 - value;
}

absl::StatusOr<JsonValue> JsonValue::FromInteger(int64_t value) {
  if (value > kMaxJsonInteger || value < -kMaxJsonInteger) {
    return absl::OutOfRangeError(
        absl::StrCat("integer ", value,
                     " is not exact in JSON, whose integers "
                     "end at 2^53"));
  }
  return JsonValue(value);
}

absl::StatusOr<JsonValue> JsonValue::FromDouble(double value) {
  if (!std::isfinite(value)) {
    return absl::OutOfRangeError(
        absl::StrCat("number ", value, " does not exist in JSON"));
  }
  return JsonValue(value);
}

bool JsonValue::bool_value() const { return std::get<bool>(data_); }
double JsonValue::number_value() const { return std::get<double>(data_); }
const std::string& JsonValue::string_value() const {
  return std::get<std::string>(data_);
}
const JsonArray& JsonValue::array() const { return std::get<JsonArray>(data_); }
JsonArray& JsonValue::array() { return std::get<JsonArray>(data_); }
const JsonObject& JsonValue::object() const {
  return std::get<JsonObject>(data_);
}
JsonObject& JsonValue::object() { return std::get<JsonObject>(data_); }

std::optional<int64_t> JsonValue::integer_value() const {
  if (!is_number()) return std::nullopt;
  const double value = number_value();
  if (std::fabs(value) > static_cast<double>(kMaxJsonInteger) ||
      std::trunc(value) != value) {
    return std::nullopt;
  }
  return static_cast<int64_t>(value);
}

const JsonValue* JsonValue::Find(absl::string_view key) const {
  return is_object() ? object().Find(key) : nullptr;
}

bool operator==(const JsonValue& a, const JsonValue& b) {
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case JsonValue::Type::kNull:
      return true;
    case JsonValue::Type::kBool:
      return a.bool_value() == b.bool_value();
    case JsonValue::Type::kNumber:
      return a.number_value() == b.number_value();
    case JsonValue::Type::kString:
      return a.string_value() == b.string_value();
    case JsonValue::Type::kArray:
      return a.array() == b.array();
    case JsonValue::Type::kObject:
      break;
  }
  if (a.object().size() != b.object().size()) return false;
  for (const JsonMember& member : a.object()) {
    const JsonValue* other = b.Find(member.key);
    if (other == nullptr || *other != member.value) return false;
  }
  return true;
}

absl::string_view JsonTypeName(JsonValue::Type type) {
  switch (type) {
    case JsonValue::Type::kNull:
      return "null";
    case JsonValue::Type::kBool:
      return "bool";
    case JsonValue::Type::kNumber:
      return "number";
    case JsonValue::Type::kString:
      return "string";
    case JsonValue::Type::kArray:
      return "array";
    case JsonValue::Type::kObject:
      return "object";
  }
  return "unknown";
}

}  // namespace kinora
