#include "services/standalone/producer_processes.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"

namespace kinora {
namespace {

// All that a command writes into a fifo, or what a file of /proc says: neither
// has a size to read by. Opening a fifo waits for its writer.
std::string ReadStream(const std::string& path) {
  std::ifstream stream(path);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

TEST(ProducerProcessTest, TellsTheCommandWhereToListen) {
  TempDir dir;
  const std::string fifo = dir.Sub("said");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  ASSERT_OK_AND_ASSIGN(
      auto process,
      ProducerProcess::Start("echo",
                             {"sh", "-c",
                              "echo $KINORA_PRODUCER_LISTEN $PWD > said; "
                              "exec tail -f /dev/null"},
                             dir.path(), "127.0.0.1:7501"));
  EXPECT_EQ(ReadStream(fifo),
            absl::StrCat("127.0.0.1:7501 ", dir.path(), "\n"));
}

// The shell's own child must end with it, or it would hold the port. While it
// lives it holds a fifo open, whose end is therefore awaited.
TEST(ProducerProcessTest, StopsTheWholeGroup) {
  TempDir dir;
  const std::string fifo = dir.Sub("held");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  ASSERT_OK_AND_ASSIGN(
      auto process,
      ProducerProcess::Start("shell",
                             {"sh", "-c", "tail -f /dev/null > held & wait"},
                             dir.path(), "127.0.0.1:7501"));
  std::ifstream held(fifo);
  process.reset();
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(held), {}), "");
}

TEST(ProducerProcessTest, StartsACommandAgainThatEnded) {
  TempDir dir;
  const std::string fifo = dir.Sub("said");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  ASSERT_OK_AND_ASSIGN(
      auto process,
      ProducerProcess::Start("flaky", {"sh", "-c", "echo here > said; exit 3"},
                             dir.path(), "127.0.0.1:7501"));
  EXPECT_EQ(ReadStream(fifo), "here\n");
  EXPECT_EQ(ReadStream(fifo), "here\n");  // from the second start
  EXPECT_GE(process->ended(), 1);
}

TEST(ProducerProcessTest, NamesACommandThatCannotBeStarted) {
  const absl::Status status =
      ProducerProcess::Start("lost", {"no-such-program"}, "/", "127.0.0.1:1")
          .status();
  EXPECT_TRUE(absl::StrContains(status.message(), "lost")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "no-such-program"));
}

TEST(StartProducersTest, NamesAProducerThatEndsInsteadOfServing) {
  v1::ProducerTable table;
  v1::ProducerEntry& entry = (*table.mutable_producers())["brief"];
  entry.set_target("dns:///127.0.0.1:1");
  entry.add_run("true");
  const absl::Status status =
      StartProducers(table, "/", absl::Seconds(30)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(),
                                "producer brief ended instead of serving on"))
      << status;
}

TEST(HostAndPortTest, TakesTheEndOfATarget) {
  EXPECT_EQ(HostAndPort("dns:///127.0.0.1:7501"), "127.0.0.1:7501");
  EXPECT_EQ(HostAndPort("127.0.0.1:7501"), "127.0.0.1:7501");
}

}  // namespace
}  // namespace kinora
