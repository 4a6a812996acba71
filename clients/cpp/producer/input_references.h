// Inputs as references, for a producer that reads them by itself.

#ifndef KINORA_CLIENTS_CPP_PRODUCER_INPUT_REFERENCES_H_
#define KINORA_CLIENTS_CPP_PRODUCER_INPUT_REFERENCES_H_

#include "kinora/v1/producer.pb.h"
#include "services/store/blob/blob_store.h"

namespace kinora {

// Makes each streamed input for whose blob the store has a URL a reference; the
// others go on being streamed, also those the store cannot tell of: who reads
// their bytes finds out why. Asks the store once for each input; may block.
//
// Nothing here keeps the blobs, as nothing keeps those that are streamed: what
// a job reads is named by the run's plan, which is kept until the run has
// ended, or by the event of the artefact that the run has just made. Either
// keeps it from being collected (services/store/gc/reachable_blobs.h).
void ReferToInputs(BlobStore& blobs, v1::JobHeader* header);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_INPUT_REFERENCES_H_
