// disk_bench: what the machine itself does with bytes, by plain system calls.
//
//   --mode=files   one after another: create, write, fdatasync, rename,
//                  fsync of the folder; files/s
//   --mode=hash    SHA-256 of --total_bytes on one core: bytes/s
//   --mode=write   one file of --total_bytes, then fdatasync: bytes/s

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "openssl/evp.h"

#include "common/random.h"
#include "tests/bench/cpp/bench.h"

ABSL_FLAG(std::string, mode, "files", "files, hash or write");
ABSL_FLAG(std::string, folder, "", "an empty folder, of files and write");
ABSL_FLAG(int64_t, bytes, 65536, "in a file, or in one call");
ABSL_FLAG(int64_t, files, 1000, "of mode files");
ABSL_FLAG(int64_t, total_bytes, int64_t{1} << 30, "of hash and write");
ABSL_FLAG(bool, direct, false, "past the page cache if possible, of write");

namespace kinora {
namespace {

void Check(bool ok, absl::string_view what) {
  if (!ok) FailBench(absl::ErrnoToStatus(errno, what));
}

std::string RandomBytes(int64_t count) {
  std::string bytes;
  while (static_cast<int64_t>(bytes.size()) < count) {
    const uint64_t word = SystemRandom().Next();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  return bytes;
}

void WriteAll(int file, absl::string_view bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = write(file, bytes.data() + done, bytes.size() - done);
    Check(wrote > 0, "write");
    done += static_cast<size_t>(wrote);
  }
}

int Create(const std::string& path) {
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644);
  Check(file >= 0, path);
  return file;
}

Figures PerSecond(double things, const Stopwatch& watch) {
  return {{"things", things}, {"rate", things / watch.Seconds()}};
}

Figures MeasureFiles() {
  const std::string folder = absl::GetFlag(FLAGS_folder);
  const int64_t files = absl::GetFlag(FLAGS_files);
  std::vector<std::string> contents;
  for (int64_t i = 0; i < files; ++i) {
    contents.push_back(RandomBytes(absl::GetFlag(FLAGS_bytes)));
  }
  const int directory = open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  Check(directory >= 0, folder);
  const Stopwatch watch;
  for (int64_t i = 0; i < files; ++i) {
    const std::string name = absl::StrCat(folder, "/", i);
    const std::string temporary = absl::StrCat(name, ".tmp");
    const int file = Create(temporary);
    WriteAll(file, contents[static_cast<size_t>(i)]);
    Check(fdatasync(file) == 0, "fdatasync");
    close(file);
    Check(rename(temporary.c_str(), name.c_str()) == 0, "rename");
    Check(fsync(directory) == 0, "fsync");
  }
  const Figures figures = PerSecond(static_cast<double>(files), watch);
  close(directory);
  return figures;
}

Figures MeasureHash() {
  const std::string bytes = RandomBytes(absl::GetFlag(FLAGS_bytes));
  const int64_t calls =
      absl::GetFlag(FLAGS_total_bytes) / static_cast<int64_t>(bytes.size());
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  unsigned char digest[EVP_MAX_MD_SIZE];
  const Stopwatch watch;
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  for (int64_t i = 0; i < calls; ++i) {
    EVP_DigestUpdate(context, bytes.data(), bytes.size());
  }
  EVP_DigestFinal_ex(context, digest, nullptr);
  const Figures figures = PerSecond(
      static_cast<double>(calls) * static_cast<double>(bytes.size()), watch);
  EVP_MD_CTX_free(context);
  return figures;
}

Figures MeasureWrite() {
  // Aligned, as what goes past the page cache must be.
  constexpr size_t kPage = 4096;
  const std::string memory = RandomBytes(absl::GetFlag(FLAGS_bytes) + kPage);
  const size_t over = reinterpret_cast<uintptr_t>(memory.data()) % kPage;
  const absl::string_view bytes = absl::string_view(memory).substr(
      kPage - over, static_cast<size_t>(absl::GetFlag(FLAGS_bytes)));
  const int64_t calls =
      absl::GetFlag(FLAGS_total_bytes) / static_cast<int64_t>(bytes.size());
  const Stopwatch watch;
  const int file = Create(absl::StrCat(absl::GetFlag(FLAGS_folder), "/bytes"));
  // A file system without such a way, as one in memory, is measured as it is.
  if (absl::GetFlag(FLAGS_direct)) {
    fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_DIRECT);
  }
  for (int64_t i = 0; i < calls; ++i) WriteAll(file, bytes);
  Check(fdatasync(file) == 0, "fdatasync");
  const Figures figures = PerSecond(
      static_cast<double>(calls) * static_cast<double>(bytes.size()), watch);
  close(file);
  return figures;
}

Figures Measure() {
  const std::string mode = absl::GetFlag(FLAGS_mode);
  if (mode == "files") return MeasureFiles();
  if (mode == "hash") return MeasureHash();
  if (mode == "write") return MeasureWrite();
  FailBench(absl::InvalidArgumentError(absl::StrCat("no mode ", mode)));
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  kinora::PrintFigures(kinora::Measure());
}
