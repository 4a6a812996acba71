// blob_bench: writes blobs that no store has seen and reads them back, in
// process (--data) or over RPC (--store), through the same interface.
//
//   --mode=batch   --blobs of --bytes each, by BatchWrite and BatchRead
//   --mode=stream  one blob of --bytes, by an upload and a read, in pieces of
//                  1 MiB
//
// Fails unless every blob is there afterwards and reads give what was written.
// Figures: write_rate and read_rate in bytes per second.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"

#include "clients/cpp/channel.h"
#include "clients/cpp/remote_store.h"
#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/threads/thread_pool.h"
#include "services/store/blob/object_blob_store.h"
#include "services/store/local_store.h"
#include "tests/bench/cpp/bench.h"
#include "tests/bench/cpp/note_requests.h"

ABSL_FLAG(std::string, mode, "batch", "batch or stream");
ABSL_FLAG(std::string, data, "", "folder of a store to open in process");
ABSL_FLAG(std::string, store, "", "HOST:PORT of a kinora-store");
ABSL_FLAG(int64_t, blobs, 1000, "of mode batch");
ABSL_FLAG(int64_t, bytes, 65536, "in a blob");
ABSL_FLAG(bool, verify, false, "the store hashes what it reads, of stream");

namespace kinora {
namespace {

constexpr int64_t kPieceBytes = int64_t{1} << 20;

// Bytes that do not compress and are new at every call.
class FreshBytes {
 public:
  explicit FreshBytes(int64_t size) {
    while (static_cast<int64_t>(bytes_.size()) < size) {
      const uint64_t word = SystemRandom().Next();
      bytes_.append(reinterpret_cast<const char*>(&word), sizeof(word));
    }
    bytes_.resize(static_cast<size_t>(size));
  }
  // Valid until the next call.
  const std::string& Next() {
    const uint64_t word = SystemRandom().Next();
    bytes_.replace(0, std::min(sizeof(word), bytes_.size()),
                   reinterpret_cast<const char*>(&word),
                   std::min(sizeof(word), bytes_.size()));
    return bytes_;
  }

 private:
  std::string bytes_;
};

const std::string& MovieId() {
  static const std::string& id = *new std::string(InputsOf(0).movie_id());
  return id;
}

void Expect(bool holds, absl::string_view what) {
  if (!holds) FailBench(absl::DataLossError(what));
}

Figures Rates(double bytes, double write_s, double read_s) {
  return {{"bytes", bytes},
          {"write_rate", bytes / write_s},
          {"read_rate", bytes / read_s}};
}

std::vector<v1::BatchWriteBlobsRequest> MakeBatches() {
  const int64_t bytes = absl::GetFlag(FLAGS_bytes);
  FreshBytes fresh(bytes);
  std::vector<v1::BatchWriteBlobsRequest> batches;
  int64_t room = 0;
  for (int64_t i = 0; i < absl::GetFlag(FLAGS_blobs); ++i) {
    if (room < bytes) {
      batches.emplace_back().set_movie_id(MovieId());
      room = kMaxBatchBytes;
    }
    batches.back().add_blobs()->set_data(fresh.Next());
    room -= bytes;
  }
  return batches;
}

Figures MeasureBatches(BlobStore& blobs) {
  const std::vector<v1::BatchWriteBlobsRequest> batches = MakeBatches();
  std::vector<v1::BatchReadBlobsRequest> reads;
  const Stopwatch writing;
  for (const v1::BatchWriteBlobsRequest& batch : batches) {
    const v1::BatchWriteBlobsResponse response = Must(blobs.BatchWrite(batch));
    v1::BatchReadBlobsRequest& read = reads.emplace_back();
    read.set_movie_id(MovieId());
    for (const v1::BatchBlobResult& result : response.results()) {
      Expect(result.code() == 0, result.message());
      *read.add_digests() = result.digest();
    }
  }
  const double write_s = writing.Seconds();
  std::vector<v1::BatchReadBlobsResponse> responses;
  const Stopwatch reading;
  for (const v1::BatchReadBlobsRequest& read : reads) {
    responses.push_back(Must(blobs.BatchRead(read)));
  }
  const double read_s = reading.Seconds();
  double bytes = 0;
  for (size_t i = 0; i < batches.size(); ++i) {
    Expect(responses[i].results_size() == batches[i].blobs_size(), "too few");
    for (int k = 0; k < batches[i].blobs_size(); ++k) {
      Expect(responses[i].results(k).data() == batches[i].blobs(k).data(),
             "a blob came back changed");
      bytes += static_cast<double>(batches[i].blobs(k).data().size());
    }
  }
  return Rates(bytes, write_s, read_s);
}

Figures MeasureStream(BlobStore& blobs) {
  const int64_t bytes = absl::GetFlag(FLAGS_bytes);
  FreshBytes fresh(kPieceBytes);
  v1::WriteBlobHeader header;
  header.set_movie_id(MovieId());
  const Stopwatch writing;
  const std::unique_ptr<BlobUpload> upload = Must(blobs.StartUpload(header));
  for (int64_t left = bytes; left > 0; left -= kPieceBytes) {
    const auto size = static_cast<size_t>(std::min(left, kPieceBytes));
    Must(upload->Append(absl::string_view(fresh.Next()).substr(0, size)));
  }
  const v1::WriteBlobResponse written = Must(upload->Finish());
  const double write_s = writing.Seconds();
  Expect(written.digest().size_bytes() == bytes && !written.existed(),
         "the blob is not what was written");
  v1::ReadBlobRequest request;
  request.set_movie_id(MovieId());
  *request.mutable_digest() = written.digest();
  request.set_verify(absl::GetFlag(FLAGS_verify));
  int64_t read = 0;
  const Stopwatch reading;
  Must(blobs.Read(request, [&read](absl::string_view piece) {
    read += static_cast<int64_t>(piece.size());
    return absl::OkStatus();
  }));
  const double read_s = reading.Seconds();
  Expect(read == bytes, "the blob came back shorter");
  return Rates(static_cast<double>(bytes), write_s, read_s);
}

Figures Measure(Store store) {
  MakeMovies(store, 1);
  const std::string mode = absl::GetFlag(FLAGS_mode);
  if (mode == "batch") return MeasureBatches(store.blobs);
  if (mode == "stream") return MeasureStream(store.blobs);
  FailBench(absl::InvalidArgumentError(absl::StrCat("no mode ", mode)));
}

Figures Run() {
  if (const std::string address = absl::GetFlag(FLAGS_store);
      !address.empty()) {
    RemoteStore remote(MakeChannel(address));
    return Measure(remote.store());
  }
  ThreadPool pool("bench", 4);
  LocalStoreOptions options;
  options.data_dir = absl::GetFlag(FLAGS_data);
  const std::unique_ptr<LocalStore> local = Must(LocalStore::Open(
      options, PosixFileSystem(), RealClock(), SystemRandom(), pool));
  return Measure(local->store());
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  kinora::PrintFigures(kinora::Run());
}
