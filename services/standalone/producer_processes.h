// The producers that `kinora up` starts and stops itself.

#ifndef KINORA_SERVICES_STANDALONE_PRODUCER_PROCESSES_H_
#define KINORA_SERVICES_STANDALONE_PRODUCER_PROCESSES_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/threads/mutex.h"
#include "kinora/v1/config.pb.h"

namespace kinora {

// HOST:PORT of a gRPC target such as `dns:///127.0.0.1:7501`.
absl::string_view HostAndPort(absl::string_view target);

// A ProducerProcess keeps one command running: one that ends by itself is
// logged and started again, at most once a second. The command is in a process
// group of its own and dies with this process, however that ends.
class ProducerProcess {
 public:
  // Starts `argv` in `directory` with KINORA_PRODUCER_LISTEN set to `listen`.
  // Its output goes to this process's standard error. NOT_FOUND or another
  // error that names the program if it cannot be started.
  static absl::StatusOr<std::unique_ptr<ProducerProcess>> Start(
      std::string name, std::vector<std::string> argv, std::string directory,
      std::string listen);

  // Stops it: SIGTERM to its group, SIGKILL if it has not ended in 5 s.
  ~ProducerProcess();

  const std::string& name() const { return name_; }
  const std::string& listen() const { return listen_; }

  // How often the command has ended by itself.
  int ended() const;

 private:
  ProducerProcess(std::string name, std::vector<std::string> argv,
                  std::string directory, std::string listen);

  absl::StatusOr<pid_t> Spawn() const;
  void Supervise(pid_t pid);

  const std::string name_;
  const std::vector<std::string> argv_;
  const std::string directory_;
  const std::string listen_;

  mutable Mutex mu_;
  CondVar stopped_cv_;
  pid_t pid_ ABSL_GUARDED_BY(mu_) = 0;  // 0 while none is running
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  int ended_ ABSL_GUARDED_BY(mu_) = 0;
  std::thread supervisor_;
};

// Starts the entries of `table` that have a command. Relative programs and
// paths are relative to `directory`, that of the table's file. Then waits until
// each accepts connections, at most `limit` long; UNAVAILABLE names one that
// does not, or that ended meanwhile.
absl::StatusOr<std::vector<std::unique_ptr<ProducerProcess>>> StartProducers(
    const v1::ProducerTable& table, const std::string& directory,
    absl::Duration limit);

}  // namespace kinora

#endif  // KINORA_SERVICES_STANDALONE_PRODUCER_PROCESSES_H_
