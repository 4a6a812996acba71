// How the simulated producer reads an input that it is given as a reference.

#ifndef KINORA_CLIENTS_CPP_SIM_SIM_REFERENCE_H_
#define KINORA_CLIENTS_CPP_SIM_SIM_REFERENCE_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "clients/cpp/sim/sim_script.h"
#include "common/files/file_system.h"
#include "kinora/v1/producer.pb.h"

namespace kinora {

// Hands the file's bytes to `take` in the pieces in which they would have been
// streamed; an error of it ends the reading. INVALID_ARGUMENT naming the input
// and its URL if that is no `file:` URL or the file cannot be read. Blocks.
absl::Status ReadSimReference(
    FileSystem& files, const SimReference& reference,
    absl::FunctionRef<absl::Status(const v1::InputChunk& chunk)> take);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_SIM_SIM_REFERENCE_H_
