// Pages of a diff: an object with size() and At(position), of which a page
// takes the next ones.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_DIFF_PAGE_H_
#define KINORA_SERVICES_PLANNER_HISTORY_DIFF_PAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {

inline constexpr int kDefaultPageSize = 1000;
inline constexpr int kMaxPageSize = 10'000;
// Well below the message limit; values of inputs may be large.
inline constexpr size_t kMaxPageBytes = size_t{2} << 20;

// Where the page begins. INVALID_ARGUMENT names what of the request is wrong.
inline absl::StatusOr<size_t> PageStart(int32_t page_size,
                                        const std::string& page_token) {
  if (page_size < 0 || page_size > kMaxPageSize) {
    return InvalidField("page_size", absl::StrCat(page_size),
                        absl::StrCat("must be 0 to ", kMaxPageSize));
  }
  size_t at = 0;
  if (!page_token.empty() && !absl::SimpleAtoi(page_token, &at)) {
    return InvalidField("page_token", page_token,
                        "must be the next_page_token of a page");
  }
  return at;
}

// Adds the differences from `at` on to `response`, as many as fit.
template <typename Diff, typename Response>
void FillPage(const Diff& diff, size_t at, int32_t page_size,
              Response* response) {
  const int limit = page_size == 0 ? kDefaultPageSize : page_size;
  size_t bytes = 0;
  for (; at < diff.size() && response->differences_size() < limit &&
         bytes < kMaxPageBytes;
       ++at) {
    *response->add_differences() = diff.At(at);
    bytes += response->differences().rbegin()->ByteSizeLong();
  }
  if (at < diff.size()) response->set_next_page_token(absl::StrCat(at));
}

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_DIFF_PAGE_H_
