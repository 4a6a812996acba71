// Short forms for code that passes absl::Status along.
//
// Rules of the house: a function of ours never throws across its boundary; it
// returns absl::Status or absl::StatusOr<T>. The code is chosen by meaning
// (NOT_FOUND for a miss, ABORTED for a lost race, DATA_LOSS for a checksum),
// the message names what failed, where, and which value was seen.
//
// Structured details travel as payloads with urls that begin with "kinora/";
// common/rpc turns them into protobuf error details and back, nothing else
// needs to know of protobuf.

#ifndef KINORA_COMMON_STATUS_H_
#define KINORA_COMMON_STATUS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kinora {

// Payload urls that InvalidField() sets.
inline constexpr absl::string_view kFieldPayload = "kinora/field";
inline constexpr absl::string_view kValuePayload = "kinora/value";

// The most bytes of a foreign value that an error repeats: enough to
// recognise it, too few to push a message over the limits of a transport.
inline constexpr size_t kMaxQuotedValueBytes = 200;

// Returns `status` with its message prefixed by "`doing`: ". Code and payloads
// are kept; an OK status stays OK. Add a prefix only where the caller could
// not tell which of two things failed.
absl::Status Annotate(const absl::Status& status, absl::string_view doing);

// Returns INVALID_ARGUMENT `field: why, got "value"` and sets the payloads
// kFieldPayload and kValuePayload. The value passes through ClipValue().
absl::Status InvalidField(absl::string_view field, absl::string_view value,
                          absl::string_view why);

// Returns `value` fit for an error message: at most kMaxQuotedValueBytes bytes
// of it (then "..."), cut at a character boundary, with control characters,
// quotes, backslashes and bytes that are not UTF-8 written as C escapes.
std::string ClipValue(absl::string_view value);

}  // namespace kinora

#define KINORA_STATUS_CONCAT_INNER_(a, b) a##b
#define KINORA_STATUS_CONCAT_(a, b) KINORA_STATUS_CONCAT_INNER_(a, b)

// Evaluates `expr` (an absl::Status) and returns it from the enclosing function
// unless it is OK. The function may return absl::Status or absl::StatusOr<T>.
#define KINORA_RETURN_IF_ERROR(expr)                                \
  do {                                                              \
    if (absl::Status kinora_status_ = (expr); !kinora_status_.ok()) \
      return kinora_status_;                                        \
  } while (false)

// Evaluates `expr` (an absl::StatusOr<T>); on error returns its status from the
// enclosing function, else moves the value into `lhs`, which may declare a
// variable. Expands to several statements: it cannot be the body of an `if`
// without braces.
//
//   KINORA_ASSIGN_OR_RETURN(std::string text, ReadFile(fs, path));
#define KINORA_ASSIGN_OR_RETURN(lhs, expr)                                     \
  KINORA_ASSIGN_OR_RETURN_(KINORA_STATUS_CONCAT_(kinora_status_or_, __LINE__), \
                           lhs, expr)

#define KINORA_ASSIGN_OR_RETURN_(tmp, lhs, expr) \
  auto tmp = (expr);                             \
  if (!tmp.ok()) return std::move(tmp).status(); \
  lhs = *std::move(tmp)

#endif  // KINORA_COMMON_STATUS_H_
