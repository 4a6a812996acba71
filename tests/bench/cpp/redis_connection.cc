#include "tests/bench/cpp/redis_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "tests/bench/cpp/bench.h"

namespace kinora {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

[[noreturn]] void Fail(absl::string_view what) {
  FailBench(absl::UnavailableError(absl::StrCat("Redis: ", what)));
}

[[noreturn]] void FailCall(absl::string_view call) {
  Fail(absl::StrCat(call, ": ", strerror(errno)));
}

int64_t NumberOf(absl::string_view text) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) Fail(text);
  return number;
}

}  // namespace

std::string RedisCommand(const std::vector<absl::string_view>& words) {
  std::string command = absl::StrCat("*", words.size(), "\r\n");
  for (const absl::string_view word : words) {
    absl::StrAppend(&command, "$", word.size(), "\r\n", word, "\r\n");
  }
  return command;
}

RedisConnection::RedisConnection(int port)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      buffer_(kBufferBytes, '\0') {
  if (fd_ < 0) FailCall("socket");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) !=
      0) {
    FailCall("connect");
  }
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

RedisConnection::~RedisConnection() { close(fd_); }

void RedisConnection::Send(absl::string_view commands) {
  while (!commands.empty()) {
    const ssize_t sent =
        send(fd_, commands.data(), commands.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) FailCall("send");
    if (sent > 0) commands.remove_prefix(static_cast<size_t>(sent));
  }
}

void RedisConnection::Fill(size_t count) {
  if (end_ - at_ >= count) return;
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(at_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_),
            buffer_.begin());
  end_ -= at_;
  at_ = 0;
  if (buffer_.size() < count) buffer_.resize(count);
  while (end_ < count) {
    const ssize_t got =
        recv(fd_, buffer_.data() + end_, buffer_.size() - end_, 0);
    if (got == 0) Fail("has hung up");
    if (got < 0 && errno != EINTR) FailCall("recv");
    if (got > 0) end_ += static_cast<size_t>(got);
  }
}

absl::string_view RedisConnection::ReadBytes(size_t count) {
  Fill(count);
  const absl::string_view bytes(buffer_.data() + at_, count);
  at_ += count;
  return bytes;
}

// The lines of the protocol are heads: a few bytes.
absl::string_view RedisConnection::ReadLine() {
  for (size_t length = 0;; ++length) {
    Fill(length + 2);
    if (buffer_[at_ + length] != '\r') continue;
    const absl::string_view line = ReadBytes(length + 2);
    return line.substr(0, length);
  }
}

int64_t RedisConnection::ReadArray() {
  const absl::string_view head = ReadLine();
  if (head.empty() || head[0] != '*') Fail(head);
  return NumberOf(head.substr(1));
}

absl::string_view RedisConnection::ReadString() {
  const absl::string_view head = ReadLine();
  if (head.empty() || head[0] != '$') Fail(head);
  const int64_t size = NumberOf(head.substr(1));
  if (size < 0) Fail("no string");
  const absl::string_view bytes = ReadBytes(static_cast<size_t>(size) + 2);
  return bytes.substr(0, static_cast<size_t>(size));
}

void RedisConnection::Skip() {
  const absl::string_view head = ReadLine();
  if (head.empty() || head[0] == '-') Fail(head);
  if (head[0] != '$' && head[0] != '*') return;
  const int64_t count = NumberOf(head.substr(1));
  if (count < 0) return;  // nothing
  if (head[0] == '$') {
    ReadBytes(static_cast<size_t>(count) + 2);
    return;
  }
  for (int64_t i = 0; i < count; ++i) Skip();
}

}  // namespace kinora
