#include "clients/cpp/sim/sim_reference.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/files/file_url.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class SimReferenceTest : public ::testing::Test {
 protected:
  SimReferenceTest() {
    header_.set_job_id("Clip");
    header_.set_producer("clip");
    v1::InputBinding& binding = *header_.add_inputs();
    binding.set_name("image");
    element_ = binding.add_elements();
    element_->set_reference(FileUrl("/blobs/50% #1"));
  }

  // Reads what the header refers to, which should be `expected`.
  absl::Status Read(const std::string& expected) {
    element_->mutable_content()->mutable_digest()->set_hash(
        Sha256Of(expected).Hex());
    absl::StatusOr<SimScript> script = SimScript::Make(header_);
    if (!script.ok()) return script.status();
    EXPECT_FALSE(script->CheckInputs().ok());
    for (const SimReference& reference : script->References()) {
      const absl::Status read = ReadSimReference(
          fs_, reference, [&script](const v1::InputChunk& chunk) {
            return script->TakeInput(chunk);
          });
      if (!read.ok()) return read;
    }
    return script->CheckInputs();
  }

  void Write(const std::string& bytes) {
    ASSERT_OK(fs_.CreateDirectories("/blobs"));
    ASSERT_OK(WriteFileAtomically(fs_, "/blobs/50% #1", bytes));
  }

  FaultyFileSystem fs_;
  v1::JobHeader header_;
  v1::InputElement* element_;
};

// Whole pieces, a rest, and none at all.
TEST_F(SimReferenceTest, FilesOfAnySizeAreReadWhole) {
  for (const size_t size : {0, 1, 256 * 1024, 256 * 1024 + 1, 2 << 20}) {
    std::string bytes;
    while (bytes.size() < size) absl::StrAppend(&bytes, bytes.size(), " ");
    bytes.resize(size);
    Write(bytes);
    EXPECT_OK(Read(bytes)) << size;
  }
}

TEST_F(SimReferenceTest, OtherBytesAreRefused) {
  Write("a picture");
  EXPECT_THAT(Read("a Picture"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("input image/0"),
                             HasSubstr(Sha256Of("a Picture").Hex()))));
}

TEST_F(SimReferenceTest, AFileThatIsNotThereIsNamed) {
  EXPECT_THAT(Read("a picture"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("input image/0"),
                             HasSubstr("file:///blobs/50%25%20%231"))));
  element_->set_reference("https://host/blob");
  EXPECT_THAT(Read("a picture"), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("https://host/blob")));
}

}  // namespace
}  // namespace kinora
