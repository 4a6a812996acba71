// Appends that the benchmarks make: notes, input events whose log lines have
// 300 bytes, give or take a few. Input logs need no lease.

#ifndef KINORA_TESTS_BENCH_CPP_NOTE_REQUESTS_H_
#define KINORA_TESTS_BENCH_CPP_NOTE_REQUESTS_H_

#include <cstdint>
#include <string>

#include "kinora/v1/event.pb.h"
#include "services/store/store.h"

namespace kinora {

// The input log of the movie `bench-<log>`.
v1::LogName InputsOf(int log);

// Makes the movies of the first `logs` logs, as far as they are not there.
void MakeMovies(Store store, int logs);

// Requests of one caller, no two of which are alike. Not thread-safe.
class NoteRequests {
 public:
  NoteRequests(int log, int events);

  // The next one, valid until the one after.
  const v1::AppendEventsRequest& Next();

  int64_t events() const { return request_.events_size(); }

 private:
  v1::AppendEventsRequest request_;
  // A caller who repeats what failed names its requests.
  const std::string id_;
  int64_t number_ = 0;
};

}  // namespace kinora

#endif  // KINORA_TESTS_BENCH_CPP_NOTE_REQUESTS_H_
