#include "services/standalone/producer_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/channel.h"

#include "clients/cpp/channel.h"
#include "common/child_command.h"
#include "common/clock.h"
#include "common/status.h"
#include "common/telemetry/log.h"

namespace kinora {
namespace {

constexpr absl::Duration kRestartDelay = absl::Seconds(1);
constexpr absl::Duration kStopLimit = absl::Seconds(5);

std::string DescribeExit(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return absl::StrCat("signal ", WTERMSIG(wait_status));
  }
  return absl::StrCat("exit code ", WEXITSTATUS(wait_status));
}

// Runs in the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void BecomeProducer(char* const* argv, char* const* environment,
                                 const char* directory, pid_t parent,
                                 int error_pipe) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // The parent may have died before the line above.
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  if (chdir(directory) == 0) execvpe(argv[0], argv, environment);
  const int error = errno;
  const ssize_t written = write(error_pipe, &error, sizeof(error));
  _exit(written == sizeof(error) ? 127 : 126);
}

absl::Status WaitUntilServing(const ProducerProcess& process,
                              int64_t deadline_nanos) {
  const std::shared_ptr<grpc::Channel> channel = MakeChannel(process.listen());
  while (process.ended() == 0 &&
         RealClock().MonotonicNanos() < deadline_nanos) {
    // Short steps, to notice a process that has ended.
    const absl::Time step = RealClock().Now() + absl::Milliseconds(200);
    if (channel->WaitForConnected(absl::ToChronoTime(step)))
      return absl::OkStatus();
  }
  return absl::UnavailableError(
      absl::StrCat("producer ", process.name(),
                   process.ended() > 0 ? " ended instead of serving on "
                                       : " does not serve on ",
                   process.listen()));
}

}  // namespace

absl::string_view HostAndPort(absl::string_view target) {
  const size_t slash = target.rfind('/');
  return slash == absl::string_view::npos ? target : target.substr(slash + 1);
}

ProducerProcess::ProducerProcess(std::string name,
                                 std::vector<std::string> argv,
                                 std::string directory, std::string listen)
    : name_(std::move(name)),
      argv_(std::move(argv)),
      directory_(std::move(directory)),
      listen_(std::move(listen)) {}

absl::StatusOr<std::unique_ptr<ProducerProcess>> ProducerProcess::Start(
    std::string name, std::vector<std::string> argv, std::string directory,
    std::string listen) {
  std::unique_ptr<ProducerProcess> process(
      new ProducerProcess(std::move(name), std::move(argv),
                          std::move(directory), std::move(listen)));
  ProducerProcess& p = *process;
  // The parent-death signal is tied to the thread that forks, so the thread
  // that starts the process is the one that lives as long as it does.
  absl::StatusOr<pid_t> first = absl::UnknownError("not started");
  bool started = false;
  p.supervisor_ = std::thread([&p, &first, &started] {
    absl::StatusOr<pid_t> pid = p.Spawn();
    {
      MutexLock lock(p.mu_);
      first = pid;
      started = true;
      if (pid.ok()) p.pid_ = *pid;
      p.stopped_cv_.SignalAll();
    }
    if (pid.ok()) p.Supervise(*pid);
  });
  {
    MutexLock lock(p.mu_);
    while (!started) p.stopped_cv_.Wait(p.mu_);
  }
  if (!first.ok()) return first.status();
  return process;
}

absl::StatusOr<pid_t> ProducerProcess::Spawn() const {
  std::vector<std::string> words = argv_;
  std::vector<std::string> environment =
      EnvironmentWith({{"KINORA_PRODUCER_LISTEN", listen_}});
  const std::vector<char*> argv = ExecPointers(words);
  const std::vector<char*> envp = ExecPointers(environment);
  int error_pipe[2];
  if (pipe2(error_pipe, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "pipe2");
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeProducer(argv.data(), envp.data(), directory_.c_str(), parent,
                   error_pipe[1]);
  }
  const int fork_error = errno;
  close(error_pipe[1]);
  int error = 0;
  ssize_t count = 0;
  if (pid > 0) count = read(error_pipe[0], &error, sizeof(error));
  close(error_pipe[0]);
  if (pid < 0) {
    return absl::ErrnoToStatus(fork_error,
                               absl::StrCat("start producer ", name_));
  }
  if (count == sizeof(error)) {
    waitpid(pid, nullptr, 0);
    return absl::ErrnoToStatus(
        error, absl::StrCat("start producer ", name_, ": ", argv_[0], " in ",
                            directory_));
  }
  LogInfo("producer started", {{"producer", name_}, {"pid", pid}});
  return pid;
}

void ProducerProcess::Supervise(pid_t pid) {
  while (true) {
    int wait_status = 0;
    while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
    }
    MutexLock lock(mu_);
    pid_ = 0;
    stopped_cv_.SignalAll();
    if (stopping_) return;
    ++ended_;
    LogError("producer ended by itself; starting it again",
             {{"producer", name_}, {"how", DescribeExit(wait_status)}});
    absl::StatusOr<pid_t> next = absl::UnknownError("not started");
    do {
      stopped_cv_.WaitFor(mu_, kRestartDelay);
      if (stopping_) return;
      next = Spawn();
      if (!next.ok()) LogError("producer", {{"error", next.status()}});
    } while (!next.ok());
    pid = *next;
    pid_ = pid;
  }
}

ProducerProcess::~ProducerProcess() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    stopped_cv_.SignalAll();
    // The group: a shell that was started passes no signals on.
    if (pid_ > 0) kill(-pid_, SIGTERM);
    const int64_t deadline =
        RealClock().MonotonicNanos() + absl::ToInt64Nanoseconds(kStopLimit);
    while (pid_ > 0 && stopped_cv_.WaitUntil(mu_, deadline)) {
    }
    if (pid_ > 0) kill(-pid_, SIGKILL);
  }
  supervisor_.join();
}

int ProducerProcess::ended() const {
  MutexLock lock(mu_);
  return ended_;
}

absl::StatusOr<std::vector<std::unique_ptr<ProducerProcess>>> StartProducers(
    const v1::ProducerTable& table, const std::string& directory,
    absl::Duration limit) {
  std::vector<std::unique_ptr<ProducerProcess>> processes;
  for (const auto& entry : table.producers()) {
    const v1::ProducerEntry& producer = entry.second;
    if (producer.run().empty()) continue;
    KINORA_ASSIGN_OR_RETURN(
        std::unique_ptr<ProducerProcess> process,
        ProducerProcess::Start(
            entry.first, {producer.run().begin(), producer.run().end()},
            directory, std::string(HostAndPort(producer.target()))));
    processes.push_back(std::move(process));
  }
  const int64_t deadline =
      RealClock().MonotonicNanos() + absl::ToInt64Nanoseconds(limit);
  for (const auto& process : processes) {
    KINORA_RETURN_IF_ERROR(WaitUntilServing(*process, deadline));
  }
  return processes;
}

}  // namespace kinora
