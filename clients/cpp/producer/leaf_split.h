// Splits structured outputs: a leaf is an artefact whose value stands somewhere
// in another one of the same job, which is JSON. The producer makes only that
// one; what reads a leaf depends on the leaf alone.

#ifndef KINORA_CLIENTS_CPP_PRODUCER_LEAF_SPLIT_H_
#define KINORA_CLIENTS_CPP_PRODUCER_LEAF_SPLIT_H_

#include <deque>
#include <string>

#include "absl/status/status.h"

#include "clients/cpp/producer/output_sink.h"
#include "services/store/blob/blob_store.h"

namespace kinora {

// A larger output is not split.
inline constexpr int64_t kMaxSplitBytes = int64_t{64} << 20;

// Fills the sinks of leaves from those they are parts of. A leaf of a text type
// is a JSON string and holds its text, any other holds JSON. INVALID_ARGUMENT
// names artefact and pointer if there is no such value or one of another type;
// else errors of the store. Leaves of what is not complete are left alone.
absl::Status SplitLeaves(BlobStore& blobs, const std::string& movie_id,
                         std::deque<OutputSink>* sinks);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_LEAF_SPLIT_H_
