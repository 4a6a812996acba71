#include "clients/cli/line_reader.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;

class LineReaderTest : public ::testing::Test {
 protected:
  LineReaderTest() { EXPECT_EQ(pipe(ends_), 0); }
  ~LineReaderTest() override {
    CloseWriter();
    close(ends_[0]);
  }

  void Write(const std::string& text) {
    ASSERT_EQ(write(ends_[1], text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  }
  void CloseWriter() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }
  int reader() const { return ends_[0]; }

 private:
  int ends_[2] = {-1, -1};
};

TEST_F(LineReaderTest, LinesEndAtLineFeedsAndTheLastOneAtTheEnd) {
  Write("one\r\n\ntwo\nthree");
  CloseWriter();
  const auto nothing = [] {};
  LineReader lines(reader(), nothing);
  std::vector<std::string> got;
  for (;;) {
    ASSERT_OK_AND_ASSIGN(const auto line, lines.Next());
    if (!line.has_value()) break;
    got.emplace_back(*line);
  }
  EXPECT_THAT(got, ElementsAre("one", "", "two", "three"));
  EXPECT_EQ(lines.number(), 4);
}

// A filter answers what it was asked before it waits for more.
TEST_F(LineReaderTest, TellsBeforeItWaits) {
  Write("one\ntwo\nthr");
  int waits = 0;
  const auto count = [&waits] { ++waits; };
  LineReader lines(reader(), count);
  ASSERT_OK_AND_ASSIGN(auto line, lines.Next());
  EXPECT_EQ(*line, "one");
  ASSERT_OK_AND_ASSIGN(line, lines.Next());
  EXPECT_EQ(*line, "two");
  EXPECT_EQ(waits, 1);
  Write("ee\n");
  ASSERT_OK_AND_ASSIGN(line, lines.Next());
  EXPECT_EQ(*line, "three");
  EXPECT_EQ(waits, 2);
}

}  // namespace
}  // namespace kinora
