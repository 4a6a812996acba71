#include "clients/cli/interrupt_watch.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <iterator>
#include <utility>

namespace kinora {
namespace {

// A handler may do little more than write: the signal's number goes through a
// pipe to a thread that may do all.
std::atomic<int> g_pipe = -1;

// Of no signal: the watch ends.
constexpr unsigned char kEnd = 0;

constexpr int kSignals[] = {SIGINT, SIGTERM};

void Send(int fd, unsigned char byte) {
  while (write(fd, &byte, 1) < 0 && errno == EINTR) {
  }
}

void HandleSignal(int number) {
  const int error = errno;
  const int fd = g_pipe.load();
  if (fd >= 0) Send(fd, static_cast<unsigned char>(number));
  errno = error;
}

void Wait(int fd, const std::function<void()>& last_word) {
  unsigned char number = kEnd;
  ssize_t got = 0;
  while ((got = read(fd, &number, 1)) < 0 && errno == EINTR) {
  }
  if (got != 1 || number == kEnd) return;
  last_word();
  // Back to what it does by itself, by SA_RESETHAND.
  kill(getpid(), number);
}

}  // namespace

InterruptWatch::InterruptWatch(std::function<void()> last_word) {
  // Without a pipe there is no last word; the signals work as ever.
  if (pipe2(pipe_, O_CLOEXEC) != 0) return;
  g_pipe = pipe_[1];
  thread_ = std::thread([fd = pipe_[0], last_word = std::move(last_word)] {
    Wait(fd, last_word);
  });
  struct sigaction action = {};
  action.sa_handler = &HandleSignal;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    sigaction(kSignals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler == SIG_IGN) continue;
    sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptWatch::~InterruptWatch() {
  if (!thread_.joinable()) return;
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    sigaction(kSignals[i], &before_[i], nullptr);
  }
  g_pipe = -1;
  Send(pipe_[1], kEnd);
  thread_.join();
  close(pipe_[0]);
  close(pipe_[1]);
}

}  // namespace kinora
