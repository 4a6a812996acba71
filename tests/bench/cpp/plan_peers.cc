#include "tests/bench/cpp/plan_peers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "tests/bench/cpp/bench.h"

namespace kinora {
namespace {

constexpr int64_t kTime = 1'700'000'000;
constexpr char kCommand[] = "true";

// ninja's hash of a command, as .ninja_log version 5 holds it (MurmurHash64A).
uint64_t CommandHash(absl::string_view command) {
  constexpr uint64_t kMix = 0xc6a4a7935bd1e995;
  uint64_t hash = 0xDECAFBADDECAFBAD ^ (command.size() * kMix);
  size_t at = 0;
  for (; at + 8 <= command.size(); at += 8) {
    uint64_t block;
    std::memcpy(&block, command.data() + at, 8);
    block *= kMix;
    block ^= block >> 47;
    block *= kMix;
    hash ^= block;
    hash *= kMix;
  }
  if (at < command.size()) {
    uint64_t rest = 0;
    std::memcpy(&rest, command.data() + at, command.size() - at);
    hash ^= rest;
    hash *= kMix;
  }
  hash ^= hash >> 47;
  hash *= kMix;
  return hash ^ hash >> 47;
}

class PeerFiles {
 public:
  explicit PeerFiles(const std::string& directory) : directory_(directory) {
    ninja_ = absl::StrCat("rule r\n  command = ", kCommand, "\n");
    make_ = "all: film\n";
    log_ = "# ninja log v5\n";
    Touch("script");
  }

  void AddEdge(const std::string& output,
               const std::vector<std::string>& from) {
    const std::string inputs = absl::StrJoin(from, " ");
    absl::StrAppend(&ninja_, "build ", output, ": r ", inputs, "\n");
    absl::StrAppend(&make_, output, ": ", inputs, "\n\t@", kCommand, "\n");
    absl::StrAppendFormat(&log_, "0\t1\t%d\t%s\t%x\n", kTime * 1'000'000'000,
                          output, CommandHash(kCommand));
    Touch(output);
  }

  void MakeFolder(const std::string& name) {
    const std::string path = absl::StrCat(directory_, "/", name);
    if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) Fail(path);
  }

  void Finish() {
    absl::StrAppend(&ninja_, "default film\n");
    Write("build.ninja", ninja_);
    Write("Makefile", make_);
    Write(".ninja_log", log_);
  }

 private:
  [[noreturn]] static void Fail(const std::string& path) {
    FailBench(absl::ErrnoToStatus(errno, path));
  }

  void Touch(const std::string& name) {
    const std::string path = absl::StrCat(directory_, "/", name);
    const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    timespec times[2] = {{kTime, 0}, {kTime, 0}};
    if (file < 0 || futimens(file, times) != 0 || close(file) != 0) Fail(path);
  }

  void Write(const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(directory_, "/", name);
    std::FILE* const file = std::fopen(path.c_str(), "w");
    if (file == nullptr) Fail(path);
    const size_t written = std::fwrite(text.data(), 1, text.size(), file);
    if (std::fclose(file) != 0 || written != text.size()) Fail(path);
  }

  const std::string directory_;
  std::string ninja_;
  std::string make_;
  std::string log_;
};

// The six stages of a segment; returns its clip.
std::string AddSegment(const std::string& name, PeerFiles* files) {
  files->AddEdge(name + ".txt", {"script"});
  files->AddEdge(name + ".wav", {name + ".txt"});
  files->AddEdge(name + ".png", {name + ".txt"});
  files->AddEdge(name + ".srt", {name + ".wav"});
  files->AddEdge(name + ".mov", {name + ".png"});
  files->AddEdge(name + ".mp4", {name + ".wav", name + ".srt", name + ".mov"});
  return name + ".mp4";
}

}  // namespace

void WritePlanPeers(const std::string& directory,
                    const std::vector<uint32_t>& sizes, bool tree) {
  PeerFiles files(directory);
  std::vector<std::string> acts;
  std::vector<std::string> clips;
  for (uint32_t a = 0; a < sizes[0]; ++a) {
    std::vector<std::string> scenes;
    for (uint32_t b = 0; b < sizes[1]; ++b) {
      const std::string folder = absl::StrCat("d", a * sizes[1] + b);
      files.MakeFolder(folder);
      if (tree) clips.clear();
      for (uint32_t c = 0; c < sizes[2]; ++c) {
        clips.push_back(
            AddSegment(absl::StrCat(folder, "/s", a, "_", b, "_", c), &files));
      }
      if (!tree) continue;
      scenes.push_back(folder + "/scene");
      files.AddEdge(scenes.back(), clips);
    }
    if (!tree) continue;
    acts.push_back(absl::StrCat("act", a));
    files.AddEdge(acts.back(), scenes);
  }
  files.AddEdge("film", tree ? acts : clips);
  files.Finish();
}

}  // namespace kinora
