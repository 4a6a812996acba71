// gc_bench: garbage collection of a movie with many blobs.
//
//   --mode=fill     makes a store in --data with --blobs small blobs, --named
//                   of which an input names; the others are garbage
//   --mode=dry      what a collection would do
//   --mode=collect  a collection
//
// Fails unless just the garbage goes. Figures: seconds; rate in blobs looked at
// per second; removed.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/digest.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/threads/thread_pool.h"
#include "services/store/layout.h"
#include "services/store/local_store.h"
#include "tests/bench/cpp/bench.h"
#include "tests/bench/cpp/note_requests.h"

ABSL_FLAG(std::string, mode, "dry", "fill, dry or collect");
ABSL_FLAG(std::string, data, "", "folder of the store");
ABSL_FLAG(int64_t, blobs, 1'000'000, "blobs");
ABSL_FLAG(int64_t, named, 10'000, "of which this many are named by inputs");

namespace kinora {
namespace {

constexpr int64_t kEventsPerRequest = 1000;

std::string BytesOf(int64_t blob) { return absl::StrCat("blob ", blob); }

// Past the store, which would sync each of them: the files as it lays them out.
void WriteFiles(const std::string& movie_id) {
  FileSystem& fs = PosixFileSystem();
  const std::string data = absl::GetFlag(FLAGS_data);
  for (int64_t i = 0; i < absl::GetFlag(FLAGS_blobs); ++i) {
    const std::string bytes = BytesOf(i);
    const std::string path =
        JoinPath(data, BlobKey(movie_id, Sha256Of(bytes).Hex()));
    auto file = fs.OpenForWrite(path, OpenMode::kCreate);
    if (absl::IsNotFound(file.status())) {
      Must(fs.CreateDirectories(ParentPath(path)));
      file = fs.OpenForWrite(path, OpenMode::kCreate);
    }
    const std::unique_ptr<WritableFile> opened = Must(std::move(file));
    Must(opened->Append(bytes));
    Must(opened->Close());
  }
}

void NameBlobs(EventStore& events) {
  const int64_t named = absl::GetFlag(FLAGS_named);
  for (int64_t first = 0; first < named; first += kEventsPerRequest) {
    v1::AppendEventsRequest request;
    *request.mutable_log() = InputsOf(0);
    for (int64_t i = first; i < std::min(first + kEventsPerRequest, named);
         ++i) {
      v1::Event& event = *request.add_events();
      event.set_revision("rev-0001");
      v1::InputEvent& input = *event.mutable_input();
      input.set_input_id("Input:Note");
      input.set_edited_by(v1::EDITED_BY_USER);
      v1::BlobRef& blob = *input.mutable_content()->mutable_blob();
      blob.set_mime_type("text/plain");
      const std::string bytes = BytesOf(i);
      blob.mutable_digest()->set_hash(Sha256Of(bytes).Hex());
      blob.mutable_digest()->set_size_bytes(static_cast<int64_t>(bytes.size()));
    }
    Must(events.Append(request).status());
  }
}

Figures Fill(Store store) {
  const Stopwatch watch;
  MakeMovies(store, 1);
  WriteFiles(InputsOf(0).movie_id());
  NameBlobs(store.events);
  return {{"seconds", watch.Seconds()}};
}

Figures Collect(Store store, bool dry_run) {
  v1::CollectGarbageRequest request;
  request.set_movie_id(InputsOf(0).movie_id());
  request.set_dry_run(dry_run);
  request.mutable_grace()->set_seconds(0);
  int64_t removed = 0;
  int64_t scanned = 0;
  const Stopwatch watch;
  Must(store.maintenance.CollectGarbage(
      request, [&](const v1::CollectGarbageResponse& response) {
        removed += response.removed_size();
        scanned = response.scanned_blobs();
        return absl::OkStatus();
      }));
  const double seconds = watch.Seconds();
  const int64_t garbage =
      absl::GetFlag(FLAGS_blobs) - absl::GetFlag(FLAGS_named);
  if (removed != garbage) {
    FailBench(absl::DataLossError(
        absl::StrCat(removed, " blobs removed of ", garbage)));
  }
  return {{"seconds", seconds},
          {"rate", static_cast<double>(scanned) / seconds},
          {"removed", static_cast<double>(removed)}};
}

Figures Run() {
  ThreadPool pool("bench", 4);
  LocalStoreOptions options;
  options.data_dir = absl::GetFlag(FLAGS_data);
  const std::unique_ptr<LocalStore> local = Must(LocalStore::Open(
      options, PosixFileSystem(), RealClock(), SystemRandom(), pool));
  const std::string mode = absl::GetFlag(FLAGS_mode);
  if (mode == "fill") return Fill(local->store());
  if (mode == "dry") return Collect(local->store(), true);
  if (mode == "collect") return Collect(local->store(), false);
  FailBench(absl::InvalidArgumentError(absl::StrCat("no mode ", mode)));
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  kinora::PrintFigures(kinora::Run());
}
