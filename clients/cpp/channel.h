// Channels to Kinora's servers, all made alike.

#ifndef KINORA_CLIENTS_CPP_CHANNEL_H_
#define KINORA_CLIENTS_CPP_CHANNEL_H_

#include <memory>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace grpc {
class Channel;
}

namespace kinora {

struct ChannelOptions {
  // Larger requests are refused.
  int max_request_bytes = 16 << 20;
  // Larger answers are refused; -1 for no limit: what a store accepted in
  // small pieces may be asked for as a whole.
  int max_answer_bytes = -1;
  // After this silence a ping finds out whether the peer is alive; a follow
  // stream on a dead connection ends with UNAVAILABLE soon after.
  absl::Duration keepalive = absl::Seconds(30);
  // How long that ping may take, and what was sent may go unacknowledged.
  absl::Duration keepalive_timeout = absl::Seconds(10);
  // A TCP connection of its own instead of one shared with all channels of the
  // process to that target: for streams with much to carry.
  bool own_connection = false;
  // Repeats calls that are safe to repeat when they fail with UNAVAILABLE, for
  // about two seconds: time enough for a server to restart.
  bool retry = true;
};

// A channel to a gRPC target, such as "127.0.0.1:7401" or
// "dns:///store.example:7401". Connects when first used, and again after a
// connection broke. Passes the thread's trace
// (common/telemetry/trace_context.h) on.
//
// The last reference to a channel MUST NOT be dropped in a callback of gRPC:
// its destructor would wait for the thread that it runs on. A ClientContext
// holds one, so whoever destroys contexts in OnDone keeps the channel elsewhere
// until then.
std::shared_ptr<grpc::Channel> MakeChannel(absl::string_view target,
                                           const ChannelOptions& options = {});

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_CHANNEL_H_
