// A ProduceSession is one Produce stream: one attempt at one job.

#ifndef KINORA_CLIENTS_CPP_PRODUCER_PRODUCE_SESSION_H_
#define KINORA_CLIENTS_CPP_PRODUCER_PRODUCE_SESSION_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"

#include "clients/cpp/producer/input_pieces.h"
#include "clients/cpp/producer/output_sink.h"
#include "clients/cpp/producer/stall_watch.h"
#include "common/clock.h"
#include "common/telemetry/trace_context.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "kinora/v1/producer.grpc.pb.h"
#include "services/runner/calls/producer_caller.h"
#include "services/store/blob/blob_store.h"

namespace kinora {

// What a producer has said of how it speaks.
struct ProducerManners {
  bool answers_on_stream = false;
  // It asks for references to large inputs, and can follow them.
  bool references = false;
  // Infinite if it may be silent.
  absl::Duration heartbeat_timeout = absl::InfiniteDuration();
};

// Two loops that know nothing of each other, as an in-process channel buffers
// nothing and a producer may answer before it has read everything:
//
//   writing: where the producer takes references: the store is asked for them
//            on the executor -> header -> for each input that is streamed: read
//            the next piece of the blob on the executor, write it
//            -> half-close; or, where the producer takes answers on the stream,
//            each answer as it comes, and half-close after the result
//   reading: read -> a batch: its messages one by one, as if each was read
//                 -> progress, log lines, question: told on, read again
//                 -> output chunk: kept, or appended to an upload on the
//                    executor; only then read again, so an output of any size
//                    costs one chunk and a slow store slows the producer down
//                 -> result: leaves are taken from the outputs, on the
//                    executor
//                 -> end of stream
//
// A reaction never blocks. When both loops have ended, OnDone() judges: a
// broken promise of the producer first, such as silence beyond the heartbeat
// timeout, then cancellation, then the call's status, then the result. The
// object keeps itself alive until then.
class ProduceSession final
    : public grpc::ClientBidiReactor<v1::ProduceRequest, v1::ProduceResponse>,
      public std::enable_shared_from_this<ProduceSession> {
 public:
  // `blobs`, `executor` and `clock` MUST outlive the session. Inputs are read
  // from, and outputs written to, the movie that the header names. JSON outputs
  // must fit what `schemas` tells of them; it is called on the executor.
  ProduceSession(AttemptRequest request,
                 std::shared_ptr<AttemptObserver> observer, BlobStore& blobs,
                 Executor& executor, Clock& clock, int64_t inline_limit,
                 const ProducerManners& manners,
                 const OutputSchemaSource& schemas);

  // Starts the call; `stub` MUST outlive the session. Call it once.
  void Start(v1::ProducerService::Stub& stub);

  // See Attempt. Both are thread-safe.
  void Cancel();
  void Answer(const v1::Answer& answer);

 private:
  void OnWriteDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  void WriteHeader();
  void WriteNext();
  void WriteInputPiece();
  void WriteAnswer();
  void StopAnswering();
  void EndWriting();

  // Goes on with the batch, or reads.
  void ReadNext();
  // True if the next read may start, false if something will start it later.
  bool HandleResponse();
  bool HandleAccepted(const v1::Accepted& accepted);
  void HandleQuestion();
  bool HandleChunk();
  bool HandleResult();
  void HandleUsage();
  void TakeChunk(OutputSink& sink);
  void EndReading();
  void HasStalled();

  void Break(v1::FailureReason reason, absl::string_view message,
             bool retryable);
  void BreakByStore(const absl::Status& status, v1::FailureReason reason);
  AttemptResult Judge(const grpc::Status& status);
  Contact ContactOf(const grpc::Status& status) const;

  AttemptRequest request_;  // its header until Start()
  const std::string producer_;
  const std::string movie_id_;
  const std::shared_ptr<AttemptObserver> observer_;
  BlobStore& blobs_;
  Executor& executor_;
  Clock& clock_;
  const ProducerManners manners_;
  const TraceContext trace_;
  grpc::ClientContext context_;
  std::shared_ptr<ProduceSession> self_;  // from Start() to OnDone()
  std::shared_ptr<StallWatch> watch_;     // from Start() on

  // The writing loop's; one reaction or task of it at a time.
  v1::ProduceRequest outgoing_;
  InputPieces inputs_;
  bool ends_with_header_ = false;  // nothing is written after it

  // The reading loop's.
  v1::ProduceResponse incoming_;
  v1::ProduceBatch batch_;  // what was read last, if it was one
  int next_in_batch_ = 0;
  bool accepted_ = false;
  std::string version_;           // of who accepted
  std::deque<OutputSink> sinks_;  // in the order of the outputs
  // By artefact and by name, but for leaves.
  std::map<std::string, OutputSink*> sink_by_id_;
  bool has_leaves_ = false;
  std::optional<v1::JobResult> result_;
  std::optional<v1::Cost> cost_;
  int questions_ = 0;

  Mutex mu_;
  // Questions that were asked here and have no answer yet.
  std::set<std::string> asked_ ABSL_GUARDED_BY(mu_);
  std::deque<v1::Answer> answers_ ABSL_GUARDED_BY(mu_);  // to be written
  // The writing loop has nothing to do but to wait for answers.
  bool awaits_answers_ ABSL_GUARDED_BY(mu_) = false;
  bool answers_over_ ABSL_GUARDED_BY(mu_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  bool stalled_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<v1::Failure> broken_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_PRODUCE_SESSION_H_
