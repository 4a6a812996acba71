#include "clients/cpp/sim/sim_record.h"

#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"

namespace kinora {
namespace {

using testing::HasSubstr;

class SimRecordTest : public testing::Test {
 protected:
  std::unique_ptr<SimRecord> Open() {
    absl::StatusOr<std::unique_ptr<SimRecord>> record =
        SimRecord::Open(PosixFileSystem(), path_);
    EXPECT_OK(record.status());
    return *std::move(record);
  }
  void Append(absl::string_view text) {
    auto file = PosixFileSystem().OpenForWrite(path_, OpenMode::kAppend);
    ASSERT_OK(file.status());
    ASSERT_OK((*file)->Append(text));
  }

  TempDir dir_;
  const std::string path_ = JoinPath(dir_.path(), "record");
};

TEST_F(SimRecordTest, KnowsItsWorkInTheNextProcess) {
  {
    const std::unique_ptr<SimRecord> record = Open();
    ASSERT_OK(record->Started("a"));
    ASSERT_OK(record->Started("b"));
    ASSERT_OK(record->Finished("b"));
  }
  const std::unique_ptr<SimRecord> record = Open();
  EXPECT_EQ(record->StateOf("a"), v1::LOOK_UP_STATE_RUNNING);
  EXPECT_EQ(record->StateOf("b"), v1::LOOK_UP_STATE_FINISHED);
  EXPECT_EQ(record->StateOf("c"), v1::LOOK_UP_STATE_NEVER_STARTED);
}

TEST_F(SimRecordTest, IsPaidForAPieceOfWorkOnce) {
  {
    const std::unique_ptr<SimRecord> record = Open();
    for (int i = 0; i < 3; ++i) {
      ASSERT_OK(record->Started("a"));
      ASSERT_OK(record->Finished("a"));
    }
  }
  const absl::StatusOr<std::string> text = ReadFile(PosixFileSystem(), path_);
  ASSERT_OK(text.status());
  EXPECT_EQ(*text, "started a\nfinished a\n");
}

TEST_F(SimRecordTest, DropsATornLine) {
  Append("started a\nfinished a\nfini");
  ASSERT_OK(Open()->Started("b"));
  EXPECT_EQ(Open()->StateOf("a"), v1::LOOK_UP_STATE_FINISHED);
  EXPECT_EQ(Open()->StateOf("b"), v1::LOOK_UP_STATE_RUNNING);
}

TEST_F(SimRecordTest, NamesABadLine) {
  Append("started a\npaid a\n");
  EXPECT_THAT(SimRecord::Open(PosixFileSystem(), path_).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("record:2: must be")));
}

}  // namespace
}  // namespace kinora
