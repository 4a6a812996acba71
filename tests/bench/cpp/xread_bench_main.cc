// xread_bench: what watch_bench measures, by Redis: readers that block in XREAD
// at the end of a stream, each a thread and a connection of its own, while one
// connection appends to it. A batch is a transaction (MULTI), so that a reader
// is woken once for it and given it whole, as in watch_bench; the next one is
// sent once the answer to the last is there.
//
// Fails unless each reader sees every entry once and in order. Figures as those
// of watch_bench.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"

#include "tests/bench/cpp/bench.h"
#include "tests/bench/cpp/redis_connection.h"

ABSL_FLAG(int, port, 6379, "of Redis on loopback");
ABSL_FLAG(int, watchers, 100, "readers at once");
ABSL_FLAG(int, entries, 20'000, "appended in all");
ABSL_FLAG(int, batch, 100, "appended at once");

namespace kinora {
namespace {

constexpr char kStream[] = "watched";

constexpr size_t kPayloadBytes = 300;

// Entries are numbered by us, so that readers can tell what they were given.
std::string IdOf(int64_t sequence) { return absl::StrCat(sequence, "-1"); }

void SendRead(RedisConnection& connection, int64_t seen) {
  connection.Send(RedisCommand({"XREAD", "COUNT", "1000", "BLOCK", "0",
                                "STREAMS", kStream, IdOf(seen)}));
}

// Takes the answer to SendRead(). Returns up to where it goes.
int64_t TakeEntries(RedisConnection& connection, int64_t seen) {
  if (connection.ReadArray() != 1 || connection.ReadArray() != 2) {
    FailBench(absl::InternalError("Redis: not one stream"));
  }
  connection.Skip();  // its name
  const int64_t entries = connection.ReadArray();
  for (int64_t i = 0; i < entries; ++i) {
    connection.ReadArray();
    const std::string wanted = IdOf(++seen);
    const absl::string_view id = connection.ReadString();
    if (id != wanted) {
      FailBench(absl::DataLossError(
          absl::StrCat("entry ", id, " came where ", wanted, " was due")));
    }
    connection.Skip();  // its fields
  }
  return seen;
}

void Append(RedisConnection& connection, int64_t last, int count) {
  const std::string payload(kPayloadBytes, 'x');
  std::string commands = RedisCommand({"MULTI"});
  for (int i = 1; i <= count; ++i) {
    commands +=
        RedisCommand({"XADD", kStream, IdOf(last + i), "event", payload});
  }
  commands += RedisCommand({"EXEC"});
  connection.Send(commands);
  for (int i = 0; i < count + 2; ++i) connection.Skip();
}

Figures Run() {
  const int port = absl::GetFlag(FLAGS_port);
  const int batch = absl::GetFlag(FLAGS_batch);
  const int64_t last = absl::GetFlag(FLAGS_entries) / batch * batch;
  RedisConnection writer(port);
  writer.Send(RedisCommand({"DEL", kStream}));
  writer.Skip();
  std::vector<std::unique_ptr<RedisConnection>> readers;
  for (int i = 0; i < absl::GetFlag(FLAGS_watchers); ++i) {
    readers.push_back(std::make_unique<RedisConnection>(port));
    SendRead(*readers.back(), 0);
  }
  std::vector<std::thread> threads;
  const Stopwatch watch;
  for (const std::unique_ptr<RedisConnection>& each : readers) {
    threads.emplace_back([&reader = *each, last] {
      int64_t seen = TakeEntries(reader, 0);
      while (seen < last) {
        SendRead(reader, seen);
        seen = TakeEntries(reader, seen);
      }
    });
  }
  for (int64_t sent = 0; sent < last; sent += batch) {
    Append(writer, sent, batch);
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = watch.Seconds();
  const double deliveries =
      static_cast<double>(last) * static_cast<double>(readers.size());
  return {{"deliveries", deliveries}, {"rate", deliveries / seconds}};
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  kinora::PrintFigures(kinora::Run());
}
