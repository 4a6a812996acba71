// Numbers as the journal writes them: little-endian, whatever the machine.

#ifndef KINORA_SERVICES_STORE_EVENT_LITTLE_ENDIAN_H_
#define KINORA_SERVICES_STORE_EVENT_LITTLE_ENDIAN_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace kinora {

template <typename T>
void AppendLittleEndian(T value, std::string* out) {
  char bytes[sizeof(T)];
  for (size_t i = 0; i < sizeof(T); ++i) {
    bytes[i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  }
  out->append(bytes, sizeof(T));
}

// REQUIRES: sizeof(T) bytes.
template <typename T>
T GetLittleEndian(const char* bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return static_cast<T>(value);
}

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LITTLE_ENDIAN_H_
