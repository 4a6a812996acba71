// The main of the simulated producer, as a program of its own
// (`kinora-sim-producer`) and as `kinora sim`.

#ifndef KINORA_CLIENTS_CPP_SIM_SIM_MAIN_H_
#define KINORA_CLIENTS_CPP_SIM_SIM_MAIN_H_

namespace kinora {

// Serves until SIGTERM or SIGINT; returns the exit code. Options are those of
// SimConfig in proto/kinora/v1/config.proto.
int SimMain(int argc, char** argv);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_SIM_SIM_MAIN_H_
