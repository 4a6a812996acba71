#include "common/child_command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/status.h"

namespace kinora {
namespace {

// Closes it at the end; -1 for none.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Close(); }

  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

absl::Status SystemError(int error, absl::string_view what) {
  return absl::ErrnoToStatus(error, what);
}

// Memory that reads as a file from its beginning: unlike a pipe it takes any
// amount without anybody reading it, and nobody dies of one who does not.
absl::Status Fill(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, "standard input of a command");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  lseek(fd, 0, SEEK_SET);
  return absl::OkStatus();
}

// Runs in the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void Become(char* const* argv, char* const* environment,
                         pid_t parent, int input, int error_pipe) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before the line above.
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(input, STDIN_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  execvpe(argv[0], argv, environment);
  const int error = errno;
  const ssize_t written = write(error_pipe, &error, sizeof(error));
  _exit(written == sizeof(error) ? 127 : 126);
}

// False if it was not in time.
bool WaitUntilEnded(int pidfd, absl::Duration timeout) {
  const int64_t give_up = DeadlineAfter(RealClock(), timeout);
  for (;;) {
    const int64_t left_millis =
        (give_up - RealClock().MonotonicNanos()) / 1'000'000;
    pollfd ended = {.fd = pidfd, .events = POLLIN, .revents = 0};
    const int ready =
        poll(&ended, 1,
             static_cast<int>(std::clamp<int64_t>(left_millis, 0, 1 << 30)));
    if (ready > 0) return true;
    if (ready == 0 && left_millis <= 0) return false;
  }
}

absl::Status EndOf(const std::string& program, int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return absl::AbortedError(
        absl::StrCat(program, " was ended by signal ", WTERMSIG(wait_status)));
  }
  if (WEXITSTATUS(wait_status) == 0) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(program, " ended with exit code ",
                                         WEXITSTATUS(wait_status)));
}

}  // namespace

std::vector<std::string> EnvironmentWith(
    const std::map<std::string, std::string>& added) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const char* equals = std::strchr(*entry, '=');
    const std::string name = equals == nullptr
                                 ? std::string(*entry)
                                 : std::string(*entry, equals - *entry);
    if (added.count(name) == 0) environment.emplace_back(*entry);
  }
  for (const auto& variable : added) {
    environment.push_back(absl::StrCat(variable.first, "=", variable.second));
  }
  return environment;
}

std::vector<char*> ExecPointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

absl::Status RunChildCommand(const ChildCommand& command) {
  const std::string& program = command.argv[0];
  const Descriptor input(memfd_create("kinora-input", MFD_CLOEXEC));
  if (input.get() < 0) return SystemError(errno, "memory for a command");
  KINORA_RETURN_IF_ERROR(Fill(input.get(), command.standard_input));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError(errno, "pipe");
  const Descriptor error_out(ends[0]);
  Descriptor error_in(ends[1]);
  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> variables = EnvironmentWith(command.environment);
  const std::vector<char*> argv = ExecPointers(arguments);
  const std::vector<char*> environment = ExecPointers(variables);

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return SystemError(errno, absl::StrCat("fork for ", program));
  if (pid == 0) {
    Become(argv.data(), environment.data(), parent, input.get(), ends[1]);
  }
  error_in.Close();
  int error = 0;
  ssize_t got = 0;
  // The end comes with exec, which closes the pipe, or with the child's death.
  while ((got = read(error_out.get(), &error, sizeof(error))) < 0 &&
         errno == EINTR) {
  }
  // Not by <sys/pidfd.h>, which C++ cannot link in glibc 2.36.
  const Descriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const bool in_time =
      pidfd.get() >= 0 && WaitUntilEnded(pidfd.get(), command.timeout);
  if (!in_time) kill(-pid, SIGKILL);
  int wait_status = 0;
  while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
  }
  if (got == sizeof(error)) return SystemError(error, program);
  if (!in_time) {
    return absl::DeadlineExceededError(absl::StrCat(
        program, " was killed after ", absl::FormatDuration(command.timeout)));
  }
  return EndOf(program, wait_status);
}

}  // namespace kinora
