// An InterruptWatch lets a command have a last word when SIGINT (Ctrl-C) or
// SIGTERM ends it.

#ifndef KINORA_CLIENTS_CLI_INTERRUPT_WATCH_H_
#define KINORA_CLIENTS_CLI_INTERRUPT_WATCH_H_

#include <signal.h>

#include <functional>
#include <thread>

namespace kinora {

// At most one at a time in a process.
class InterruptWatch {
 public:
  // At the first of the signals `last_word` is called, on a thread of its own
  // beside all that goes on, and then the process dies of that signal, as
  // shells want to see it. A second signal does not wait for it. A signal that
  // is ignored, as below nohup, stays so.
  explicit InterruptWatch(std::function<void()> last_word);

  // From now on the signals do what they did before.
  ~InterruptWatch();

  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

 private:
  int pipe_[2] = {-1, -1};
  struct sigaction before_[2] = {};  // of each signal
  std::thread thread_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_INTERRUPT_WATCH_H_
