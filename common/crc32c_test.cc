#include "common/crc32c.h"

#include <string>

#include "gtest/gtest.h"

#include "common/random.h"

namespace kinora {
namespace {

std::string RandomBytes(size_t size) {
  SeededRandom random(size + 1);
  std::string bytes(size, '\0');
  random.Fill(absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), size));
  return bytes;
}

// RFC 3720 (iSCSI), B.4, and the customary check value.
TEST(Crc32cTest, KnownVectors) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62A8AB43u);
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i);
  EXPECT_EQ(Crc32c(ascending), 0x46DD794Eu);
}

TEST(Crc32cTest, TablesAndInstructionAgreeAtEveryLengthAndAlignment) {
  const std::string bytes = RandomBytes(100);
  for (size_t start = 0; start < 9; ++start) {
    for (size_t length = 0; start + length <= bytes.size(); ++length) {
      const auto part = absl::string_view(bytes).substr(start, length);
      EXPECT_EQ(Crc32c(part), internal::ExtendCrc32cPortable(0, part));
    }
  }
}

TEST(Crc32cTest, ExtendContinuesAtEveryCut) {
  const std::string bytes = RandomBytes(70);
  const absl::string_view all = bytes;
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const uint32_t head = Crc32c(all.substr(0, cut));
    EXPECT_EQ(ExtendCrc32c(head, all.substr(cut)), Crc32c(all));
    EXPECT_EQ(internal::ExtendCrc32cPortable(head, all.substr(cut)),
              Crc32c(all));
  }
}

TEST(Crc32cTest, SeesEverySingleFlippedBit) {
  std::string bytes = RandomBytes(40);
  const uint32_t good = Crc32c(bytes);
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    EXPECT_NE(Crc32c(bytes), good) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }
}

}  // namespace
}  // namespace kinora
