#include "clients/cli/live_screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"

#include "clients/cli/terminal_text.h"
#include "common/run_end.h"

namespace kinora {
namespace {

// What stays readable above the bars; starts and ends are what bars are for.
bool Stays(const v1::LedgerEvent& event) {
  return event.has_step_failed() || event.has_log_appended() ||
         event.has_job() || event.has_run_waiting() || event.has_run_budget();
}

}  // namespace

Terminal StandardOutput() {
  Terminal terminal;
  terminal.write = [](absl::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  terminal.size = [] {
    ScreenSize screen;
    winsize size = {};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
      // Some say 0 for what they do not know.
      if (size.ws_col > 0) screen.columns = size.ws_col;
      if (size.ws_row > 0) screen.rows = size.ws_row;
    }
    return screen;
  };
  return terminal;
}

LiveScreen::LiveScreen(const v1::Plan& plan, const RecordedDurations& recorded,
                       int64_t shown_after, Terminal terminal, Clock& clock)
    : shown_after_(shown_after),
      terminal_(std::move(terminal)),
      clock_(clock),
      progress_(plan, recorded),
      drawer_([this] { DrawAgainAndAgain(); }) {}

LiveScreen::~LiveScreen() {
  Leave();
  drawer_.join();
}

void LiveScreen::Show(const v1::Event& event) {
  const v1::LedgerEvent& ledger = event.ledger();
  MutexLock lock(mu_);
  if (left_) return;
  const std::string line = progress_.Take(event);
  if (!line.empty() && Stays(ledger) && event.sequence() > shown_after_) {
    absl::StrAppend(&lines_, PrintableLines(line));
  }
  is_behind_ = true;
  if (!IsTerminal(ledger)) return;
  Draw(ledger.occurred_at_ms());
  terminal_.write(PrintableLines(DescribeEnd(ledger)));
  left_ = true;
  changed_cv_.SignalAll();
}

void LiveScreen::Leave() {
  MutexLock lock(mu_);
  if (left_) return;
  if (is_behind_) Draw(NowMs());
  // What the terminal echoed of the key that ended it, such as ^C, goes.
  terminal_.write("\r\033[J");
  left_ = true;
  changed_cv_.SignalAll();
}

void LiveScreen::DrawAgainAndAgain() {
  MutexLock lock(mu_);
  absl::Duration since = absl::ZeroDuration();  // the last time
  while (!left_) {
    changed_cv_.WaitFor(mu_, kDrawPeriod);
    since += kDrawPeriod;
    if (left_ || (!is_behind_ && since < kRedrawPeriod)) continue;
    Draw(NowMs());
    since = absl::ZeroDuration();
  }
}

void LiveScreen::Draw(int64_t now_ms) {
  const ScreenSize screen = terminal_.size();
  // A terminal that became narrower has wrapped what was drawn.
  int rows = 0;
  for (const int width : drawn_) {
    rows += std::max(1, (width + screen.columns - 1) / screen.columns);
  }
  std::string text;
  // Back to the first bar, and away with everything below.
  if (rows > 0) absl::StrAppend(&text, "\r\033[", rows, "A\033[J");
  absl::StrAppend(&text, lines_);
  lines_.clear();
  drawn_.clear();
  for (const std::string& line : DrawRun(progress_.View(now_ms), screen)) {
    absl::StrAppend(&text, line, "\n");
    drawn_.push_back(DisplayWidth(line));
  }
  terminal_.write(text);
  is_behind_ = false;
}

}  // namespace kinora
