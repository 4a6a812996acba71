// A fuzz target is one function over any bytes. libFuzzer calls it under clang
// (make fuzz); corpus_test_main.cc calls it under the usual compiler for the
// files in testdata and mutations of them, as an ordinary test.

#ifndef KINORA_TESTS_FUZZ_FUZZ_TARGET_H_
#define KINORA_TESTS_FUZZ_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/string_view.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace kinora {

// The property under test: ends the process, which is how a fuzzer hears of it.
#define FUZZ_CHECK(condition)                                           \
  do {                                                                  \
    if (!(condition)) {                                                 \
      std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, \
                   #condition);                                         \
      std::abort();                                                     \
    }                                                                   \
  } while (false)

inline absl::string_view FuzzInput(const uint8_t* data, size_t size) {
  return absl::string_view(reinterpret_cast<const char*>(data), size);
}

// A number that depends on every byte, to choose places with.
inline size_t NumberOf(absl::string_view bytes) {
  uint64_t number = 14695981039346656037u;  // FNV-1a
  for (const char c : bytes) {
    number = (number ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
  return static_cast<size_t>(number >> 16);
}

}  // namespace kinora

#endif  // KINORA_TESTS_FUZZ_FUZZ_TARGET_H_
