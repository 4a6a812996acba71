// A WriteGate is what the drivers of one store share about its volume: once one
// of them has seen a write fail whose outcome nobody can tell, it closes the
// gate, and all of them refuse changes until the store is opened again. Reads
// go on.

#ifndef KINORA_SERVICES_STORE_WRITE_GATE_H_
#define KINORA_SERVICES_STORE_WRITE_GATE_H_

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/mutex.h"

namespace kinora {

// Thread-safe.
class WriteGate {
 public:
  // `volume` is what users know it by: the store's directory.
  explicit WriteGate(absl::string_view volume) : volume_(volume) {}

  // OK while the gate is open, at the cost of one load. Else UNAVAILABLE
  // (STORE_READ_ONLY) with the volume and what happened.
  absl::Status Check() const;

  // Closes it for good; the first reason stays. Returns Check().
  absl::Status Close(const absl::Status& why);

 private:
  const std::string volume_;
  std::atomic<bool> closed_{false};
  mutable Mutex mu_;
  absl::Status status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_WRITE_GATE_H_
