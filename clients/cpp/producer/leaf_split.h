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

// Fills the sinks of leaves from those they are parts of
// (common/json/json_leaf.h), which get no readable copy, as an edit there would
// not reach the leaves. INVALID_ARGUMENT if a document cannot be split; else
// errors of the store. Leaves of what is not complete are left alone.
absl::Status SplitLeaves(BlobStore& blobs, const std::string& movie_id,
                         std::deque<OutputSink>* sinks);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_LEAF_SPLIT_H_
