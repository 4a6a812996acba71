// A LiveScreen shows a run on a terminal: bars (run_bars.h) that are drawn over
// and over in place, and above them what must stay readable: failures, log
// lines, what happens to jobs.

#ifndef KINORA_CLIENTS_CLI_LIVE_SCREEN_H_
#define KINORA_CLIENTS_CLI_LIVE_SCREEN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "clients/cli/run_bars.h"
#include "clients/cli/run_eta.h"
#include "clients/cli/run_progress.h"
#include "common/clock.h"
#include "common/threads/mutex.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/plan.pb.h"

namespace kinora {

// Where it draws.
struct Terminal {
  std::function<void(absl::string_view text)> write;
  std::function<ScreenSize()> size;  // as it is now: people resize windows
};

// The terminal of standard output.
Terminal StandardOutput();

// Bars are drawn at most this often, and at least each kRedrawPeriod, as the
// rate changes with time alone.
inline constexpr absl::Duration kDrawPeriod = absl::Milliseconds(100);
inline constexpr absl::Duration kRedrawPeriod = absl::Seconds(1);

// Thread-safe. Has a thread that draws.
class LiveScreen {
 public:
  // Lines of events up to `shown_after` are left out: they were seen before.
  LiveScreen(const v1::Plan& plan, const RecordedDurations& recorded,
             int64_t shown_after, Terminal terminal, Clock& clock);

  // As Leave().
  ~LiveScreen();

  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  // Takes the next event of the ledger. The terminal event is drawn at once,
  // with how the run ended below the bars.
  void Show(const v1::Event& event) ABSL_LOCKS_EXCLUDED(mu_);

  // Draws what is not drawn yet, and nothing from then on. The cursor is below
  // the bars, at the beginning of a line.
  void Leave() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void DrawAgainAndAgain();
  void Draw(int64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int64_t NowMs() const { return absl::ToUnixMillis(clock_.Now()); }

  const int64_t shown_after_;
  const Terminal terminal_;
  Clock& clock_;

  Mutex mu_;
  CondVar changed_cv_;
  RunProgress progress_ ABSL_GUARDED_BY(mu_);
  std::string lines_ ABSL_GUARDED_BY(mu_);       // to be written above the bars
  bool is_behind_ ABSL_GUARDED_BY(mu_) = false;  // something is not drawn yet
  bool left_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<int> drawn_ ABSL_GUARDED_BY(mu_);  // widths of the bars' lines
  std::thread drawer_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_LIVE_SCREEN_H_
