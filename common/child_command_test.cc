#include "common/child_command.h"

#include <signal.h>

#include <cerrno>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ChildCommandTest : public ::testing::Test {
 protected:
  ChildCommand Shell(const std::string& script) {
    ChildCommand command;
    command.argv = {"sh", "-c", script, "sh", Path("out")};
    return command;
  }
  std::string Path(const std::string& name) { return temp_.Sub(name); }
  std::string Out() { return ReadFile(PosixFileSystem(), Path("out")).value(); }

  TempDir temp_;
};

TEST_F(ChildCommandTest, HasInputArgumentsAndEnvironment) {
  ChildCommand command = Shell("{ echo $A $B; cat; } > \"$1\"");
  command.environment = {{"A", "one"}, {"B", "two words"}};
  command.standard_input = std::string(1 << 20, 'x');
  ASSERT_OK(RunChildCommand(command));
  EXPECT_EQ(Out(), absl::StrCat("one two words\n", std::string(1 << 20, 'x')));
}

// Whoever does not read what it is given is no reason to die of it.
TEST_F(ChildCommandTest, InputNeedNotBeRead) {
  ChildCommand command = Shell("exit 0");
  command.standard_input = std::string(1 << 20, 'x');
  EXPECT_OK(RunChildCommand(command));
}

TEST_F(ChildCommandTest, SaysHowItEnded) {
  EXPECT_THAT(
      RunChildCommand(Shell("exit 3")),
      StatusIs(absl::StatusCode::kAborted, "sh ended with exit code 3"));
  EXPECT_THAT(RunChildCommand(Shell("kill -9 $$")),
              StatusIs(absl::StatusCode::kAborted, "sh was ended by signal 9"));
  ChildCommand missing;
  missing.argv = {"/no/such/program"};
  EXPECT_THAT(RunChildCommand(missing), StatusIs(absl::StatusCode::kNotFound,
                                                 HasSubstr(missing.argv[0])));
}

TEST_F(ChildCommandTest, IsKilledWithItsChildrenWhenTimeIsUp) {
  ChildCommand command = Shell("sleep 1000 & echo $! > \"$1\"; wait");
  command.timeout = absl::Seconds(1);
  EXPECT_THAT(RunChildCommand(command),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       AllOf(HasSubstr("sh was killed"), HasSubstr("1s"))));
  int pid = 0;
  ASSERT_TRUE(absl::SimpleAtoi(Out(), &pid));
  // Whoever inherits it may be slow to take note of its death.
  const int64_t give_up = DeadlineAfter(RealClock(), absl::Seconds(30));
  const auto is_gone = [&] {
    if (kill(pid, 0) != 0) return errno == ESRCH;
    const auto stat =
        ReadFile(PosixFileSystem(), absl::StrCat("/proc/", pid, "/stat"));
    return stat.ok() && stat->find(") Z ") != std::string::npos;
  };
  while (!is_gone() && RealClock().MonotonicNanos() < give_up) {
  }
  EXPECT_TRUE(is_gone());
}

}  // namespace
}  // namespace kinora
