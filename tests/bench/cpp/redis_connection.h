// A blocking connection to Redis on loopback: as much of its protocol (RESP 2)
// as XADD and XREAD need. Ends the program on any error.

#ifndef KINORA_TESTS_BENCH_CPP_REDIS_CONNECTION_H_
#define KINORA_TESTS_BENCH_CPP_REDIS_CONNECTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kinora {

// A command as Redis wants it.
std::string RedisCommand(const std::vector<absl::string_view>& words);

// Not thread-safe.
class RedisConnection {
 public:
  explicit RedisConnection(int port);
  ~RedisConnection();

  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // One or more commands in a piece.
  void Send(absl::string_view commands);

  // Reads an answer and forgets it.
  void Skip();
  // The head of an answer that is an array: how many answers follow.
  int64_t ReadArray();
  // An answer that is a string; valid until the next call.
  absl::string_view ReadString();

 private:
  absl::string_view ReadLine();
  absl::string_view ReadBytes(size_t count);
  // Until there are so many bytes behind the place read to.
  void Fill(size_t count);

  int fd_;
  std::string buffer_;
  size_t at_ = 0;   // what is before has been read
  size_t end_ = 0;  // what is behind is not there yet
};

}  // namespace kinora

#endif  // KINORA_TESTS_BENCH_CPP_REDIS_CONNECTION_H_
