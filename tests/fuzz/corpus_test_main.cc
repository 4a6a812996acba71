// Runs a fuzz target as an ordinary test: over each file of the directories
// given, then over mutations of them, the same ones every time. A file that
// once failed goes into testdata and is tested ever after.

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "common/files/file_system.h"
#include "common/random.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

constexpr int kMutationsPerFile = 1000;
constexpr size_t kMaxBytes = 4096;

int Below(Random& random, size_t bound) {
  return static_cast<int>(UniformBelow(random, bound));
}

void Run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()),
                         bytes.size());
}

// A byte changed, taken out, doubled; a piece of another file put in; cut.
std::string Mutate(std::string bytes, const std::vector<std::string>& corpus,
                   Random& random) {
  for (int i = Below(random, 4); i >= 0; --i) {
    if (bytes.empty()) bytes = "0";
    const size_t at = Below(random, bytes.size());
    switch (Below(random, 6)) {
      case 0:
        bytes[at] = static_cast<char>(Below(random, 256));
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(random, 8)));
        break;
      case 2:
        bytes.erase(at, 1 + Below(random, 8));
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, 1 + Below(random, 16)));
        break;
      case 4: {
        const std::string& other = corpus[Below(random, corpus.size())];
        if (other.empty()) break;
        const size_t from = Below(random, other.size());
        bytes.insert(at, other.substr(from, 1 + Below(random, 32)));
        break;
      }
      default:
        bytes.resize(at);
    }
  }
  bytes.resize(std::min(bytes.size(), kMaxBytes));
  return bytes;
}

int RunCorpus(int argc, char** argv) {
  std::vector<std::string> corpus;
  for (int i = 1; i < argc; ++i) {
    const auto names = PosixFileSystem().List(argv[i]);
    if (!names.ok()) {
      std::fprintf(stderr, "%s\n", names.status().ToString().c_str());
      return 1;
    }
    for (const std::string& name : *names) {
      const auto bytes = ReadFile(PosixFileSystem(), JoinPath(argv[i], name));
      if (!bytes.ok()) {
        std::fprintf(stderr, "%s\n", bytes.status().ToString().c_str());
        return 1;
      }
      corpus.push_back(*bytes);
    }
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "usage: %s CORPUS_DIRECTORY...\n", argv[0]);
    return 1;
  }
  Run("");
  SeededRandom random(1);
  for (const std::string& bytes : corpus) {
    Run(bytes);
    for (int i = 0; i < kMutationsPerFile; ++i) {
      Run(Mutate(bytes, corpus, random));
    }
  }
  std::printf("%zu files, %d mutations each\n", corpus.size(),
              kMutationsPerFile);
  return 0;
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) { return kinora::RunCorpus(argc, argv); }
