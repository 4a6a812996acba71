// `kinora up`: every service in one process on local files.

#ifndef KINORA_SERVICES_STANDALONE_STANDALONE_MAIN_H_
#define KINORA_SERVICES_STANDALONE_STANDALONE_MAIN_H_

namespace kinora {

// Serves until SIGTERM or SIGINT; returns the exit code. Options are those of
// StandaloneConfig in proto/kinora/v1/config.proto.
int StandaloneMain(int argc, char** argv);

}  // namespace kinora

#endif  // KINORA_SERVICES_STANDALONE_STANDALONE_MAIN_H_
