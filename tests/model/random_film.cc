#include "tests/model/random_film.h"

#include <vector>

#include "absl/strings/str_cat.h"

namespace kinora {
namespace {

constexpr char kInputs[] = R"(blueprint: film
inputs:
  Topic: {type: text, default: "sea"}
  Mood: {type: text, default: "calm"}
)";

class FilmDraft {
 public:
  explicit FilmDraft(Random& random) : random_(random) {}

  std::string Draw() {
    const bool has_list = Below(3) == 0;
    text_ = kInputs;
    absl::StrAppend(
        &text_, "dimensions:\n  segment: {size: ",
        has_list ? std::string("Scenes") : absl::StrCat(1 + Below(4)),
        "}\nnodes:\n");
    if (has_list) {
      Begin("Script", "{}", "");
      absl::StrAppend(&text_, "    inputs: {topic: \"Input:Topic\"}\n",
                      "    outputs: {Scenes: application/json}\n");
      single_.push_back("Scenes");
    }
    const int singles = Below(3);
    for (int i = 0; i < singles; ++i) AddSingle(absl::StrCat("Once", i));
    const int each = 1 + Below(3);
    for (int i = 0; i < each; ++i) AddEach(absl::StrCat("Each", i));
    const int all = 1 + Below(2);
    for (int i = 0; i < all; ++i) AddAll(absl::StrCat("All", i));
    absl::StrAppend(&text_, "outputs: [", single_.back(), "]\n");
    return text_;
  }

 private:
  int Below(int bound) {
    return static_cast<int>(
        UniformBelow(random_, static_cast<uint64_t>(bound)));
  }

  void Begin(const std::string& name, const std::string& settings,
             const std::string& over) {
    constexpr const char* kProducers[] = {"free", "paid", "paid", "deaf"};
    absl::StrAppend(&text_, "  ", name,
                    ":\n    producer: ", kProducers[Below(4)],
                    "\n    settings: ", settings, "\n", over);
    if (Below(4) == 0) {
      absl::StrAppend(&text_,
                      "    limits: {concurrency: 1, priority: ", 1 + Below(2),
                      "}\n");
    }
  }
  std::string Settings() {
    constexpr const char* kSettings[] = {"{}", "{}", "{same: true}",
                                         "{blob: true}"};
    return kSettings[Below(4)];
  }
  std::string Single() {
    const int which = Below(static_cast<int>(single_.size()) + 1);
    return which == 0 ? "Input:Topic" : single_[static_cast<size_t>(which - 1)];
  }

  void AddSingle(const std::string& name) {
    Begin(name, Settings(), "");
    absl::StrAppend(&text_, "    inputs: {one: \"", Single(),
                    "\", other: \"Input:Mood\"}\n    outputs: {", name,
                    "Out: text/plain}\n");
    single_.push_back(name + "Out");
  }

  void AddEach(const std::string& name) {
    Begin(name, Settings(), "    over: [segment]\n");
    absl::StrAppend(&text_, "    inputs: {one: \"", Single(), "\"");
    if (!each_.empty() && Below(3) > 0) {
      absl::StrAppend(
          &text_, ", same: \"",
          each_[static_cast<size_t>(Below(static_cast<int>(each_.size())))],
          "[segment]\"");
    }
    absl::StrAppend(&text_, "}\n    outputs: {", name, "Out: text/plain}\n");
    each_.push_back(name + "Out");
  }

  void AddAll(const std::string& name) {
    Begin(name, Settings(), "");
    absl::StrAppend(
        &text_, "    inputs: {one: \"", Single(), "\", all: {all: \"",
        each_[static_cast<size_t>(Below(static_cast<int>(each_.size())))],
        "[segment]\"}}\n    outputs: {", name, "Out: text/plain}\n");
    single_.push_back(name + "Out");
  }

  Random& random_;
  std::string text_;
  std::vector<std::string> single_;  // outputs without a dimension
  std::vector<std::string> each_;    // those over segment
};

}  // namespace

std::string RandomFilm(Random& random) { return FilmDraft(random).Draw(); }

std::string FixedFilm() {
  return absl::StrCat(kInputs, R"(dimensions:
  segment: {size: 4}
  scene: {size: Scenes}
nodes:
  Script:
    producer: paid
    inputs: {topic: "Input:Topic"}
    outputs: {Scenes: application/json}
  Voice:
    producer: paid
    over: [segment]
    settings: {blob: true}
    inputs: {topic: "Input:Topic", mood: "Input:Mood"}
    outputs: {Voice: text/plain}
  Music:
    producer: deaf
    settings: {same: true}
    inputs: {mood: "Input:Mood"}
    outputs: {Music: text/plain}
  Clip:
    producer: paid
    over: [scene]
    limits: {concurrency: 2, priority: 1}
    inputs: {scenes: Scenes, music: Music}
    outputs: {Clip: text/plain}
  Cut:
    producer: free
    over: [segment]
    inputs: {voice: "Voice[segment]", music: Music}
    outputs: {Cut: text/plain}
  Film:
    producer: paid
    inputs: {clips: {all: "Clip[scene]"}, cuts: {all: "Cut[segment]"}}
    outputs: {Film: text/plain}
outputs: [Film]
)");
}

std::string LongFilm() {
  std::string text = absl::StrCat(kInputs, R"(dimensions:
  segment: {size: 33}
nodes:
  Script:
    producer: paid
    inputs: {topic: "Input:Topic"}
    outputs: {Script: text/plain}
)");
  constexpr const char* kStages[] = {"paid, settings: {}",
                                     "free, settings: {}",
                                     "paid, settings: {flaky: true}",
                                     "paid, settings: {blob: true}",
                                     "paid, settings: {}",
                                     "paid, settings: {}"};
  std::string read = "Script";
  int stage = 0;
  for (const char* producer : kStages) {
    absl::StrAppend(&text, "  Stage", stage, ": {producer: ", producer,
                    ", over: [segment], inputs: {from: \"", read,
                    "\"}, outputs: {Made", stage, ": text/plain}}\n");
    read = absl::StrCat("Made", stage++, "[segment]");
  }
  absl::StrAppend(&text, R"(  Title:
    producer: paid
    settings: {asks: true}
    inputs: {script: Script}
    outputs: {Title: text/plain}
  Film:
    producer: paid
    inputs: {title: Title, clips: {all: ")",
                  read, R"("}}
    outputs: {Film: text/plain}
outputs: [Film]
)");
  return text;
}

}  // namespace kinora
