// JSON values and a strict parser.
//
// Numbers are IEEE doubles, as in RFC 8785: integers are exact up to 2^53 and
// NaN and the infinities do not exist. Text is UTF-8. Objects keep the order in
// which members were added; lookup is O(1) also in large ones.

#ifndef KINORA_COMMON_JSON_JSON_H_
#define KINORA_COMMON_JSON_JSON_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kinora {

class JsonValue;
struct JsonMember;

using JsonArray = std::vector<JsonValue>;

// The largest integer up to which every integer is exact in a double.
inline constexpr int64_t kMaxJsonInteger = int64_t{1} << 53;

// A JsonObject is a list of members with distinct keys, in the order of
// insertion. Copyable; const methods are safe from several threads at once.
class JsonObject {
 public:
  using const_iterator = const JsonMember*;

  JsonObject();
  JsonObject(const JsonObject& other);
  JsonObject(JsonObject&& other) noexcept;
  JsonObject& operator=(const JsonObject& other);
  JsonObject& operator=(JsonObject&& other) noexcept;
  ~JsonObject();

  size_t size() const;
  bool empty() const { return size() == 0; }
  const_iterator begin() const;
  const_iterator end() const;

  // The member's value, or null if there is none. Valid until the next change.
  const JsonValue* Find(absl::string_view key) const;
  JsonValue* Find(absl::string_view key);

  // Appends a member. False, and nothing changed, if the key is there already.
  bool Add(absl::string_view key, JsonValue value);

  // Replaces the member's value in its place, or appends the member.
  void Set(absl::string_view key, JsonValue value);

  // Removes the member, in O(size). False if there is none.
  bool Remove(absl::string_view key);

 private:
  std::optional<size_t> IndexOf(absl::string_view key) const;
  void RebuildIndex();

  std::vector<JsonMember> members_;
  // Only for objects with many members; small ones are faster to scan.
  std::unique_ptr<absl::flat_hash_map<std::string, size_t>> index_;
};

// A JsonValue is null, a bool, a number, a string, an array or an object.
class JsonValue {
 public:
  enum class Type { kNull, kBool, kNumber, kString, kArray, kObject };

  // Implicit, all of them: a value of JSON stands for its like.
  // NOLINTBEGIN(google-explicit-constructor)
  JsonValue();  // null
  JsonValue(std::nullptr_t) : JsonValue() {}
  JsonValue(double value);       // REQUIRES: finite
  JsonValue(std::string value);  // REQUIRES: valid UTF-8
  JsonValue(absl::string_view value) : JsonValue(std::string(value)) {}
  JsonValue(const char* value) : JsonValue(std::string(value)) {}
  JsonValue(JsonArray value);
  JsonValue(JsonObject value);

  // bool and the integers. REQUIRES: |value| <= kMaxJsonInteger; a number that
  // comes from elsewhere goes through FromInteger().
  template <typename T, typename = std::enable_if_t<std::is_integral<T>::value>>
  JsonValue(T value) : data_(Scalar(value)) {}
  template <typename T>
  JsonValue(T*) = delete;  // a pointer is no bool
  // NOLINTEND(google-explicit-constructor)

  JsonValue(const JsonValue& other);
  JsonValue(JsonValue&& other) noexcept;
  JsonValue& operator=(const JsonValue& other);
  JsonValue& operator=(JsonValue&& other) noexcept;
  ~JsonValue();

  // OUT_OF_RANGE unless |value| <= kMaxJsonInteger.
  static absl::StatusOr<JsonValue> FromInteger(int64_t value);
  // OUT_OF_RANGE unless finite.
  static absl::StatusOr<JsonValue> FromDouble(double value);

  Type type() const { return static_cast<Type>(data_.index()); }
  bool is_null() const { return type() == Type::kNull; }
  bool is_bool() const { return type() == Type::kBool; }
  bool is_number() const { return type() == Type::kNumber; }
  bool is_string() const { return type() == Type::kString; }
  bool is_array() const { return type() == Type::kArray; }
  bool is_object() const { return type() == Type::kObject; }

  // REQUIRES: the value is of that type.
  bool bool_value() const;
  double number_value() const;
  const std::string& string_value() const;
  const JsonArray& array() const;
  JsonArray& array();
  const JsonObject& object() const;
  JsonObject& object();

  // The number if this is one, whole, and at most kMaxJsonInteger in size.
  std::optional<int64_t> integer_value() const;

  // The member of that key; null if there is none or this is not an object.
  const JsonValue* Find(absl::string_view key) const;

  // Same content: members of objects are compared without regard to order.
  friend bool operator==(const JsonValue& a, const JsonValue& b);
  friend bool operator!=(const JsonValue& a, const JsonValue& b) {
    return !(a == b);
  }

 private:
  static bool Scalar(bool value) { return value; }
  template <typename T>
  static double Scalar(T value) {
    return CheckedInteger(value > 0, static_cast<uint64_t>(value));
  }
  static double CheckedInteger(bool positive, uint64_t bits);

  // In the order of Type.
  std::variant<std::monostate, bool, double, std::string, JsonArray, JsonObject>
      data_;
};

struct JsonMember {
  std::string key;
  JsonValue value;
};

// "null", "bool", "number", ...; for error messages.
absl::string_view JsonTypeName(JsonValue::Type type);

struct JsonLimits {
  // Arrays and objects within each other; at most 1000, for the stack's sake.
  int max_depth = 200;
  // Whole numbers that a double does not keep the digits of are refused. What
  // CanonicalJson() has written is read back in any case.
  bool exact_integers = false;
};

// Parses one RFC 8259 text, surrounding white space allowed. Refused with
// INVALID_ARGUMENT that names line, column and byte offset: anything after the
// value, a duplicate key, invalid UTF-8, a lone surrogate escape, a number
// outside the range of double, nesting beyond the limit, a byte order mark, and
// every extension (comments, trailing commas, NaN). A number with more digits
// than a double holds is rounded to the nearest, or OUT_OF_RANGE that names it,
// as `limits` say.
absl::StatusOr<JsonValue> ParseJson(absl::string_view text,
                                    const JsonLimits& limits = {});

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_JSON_H_
