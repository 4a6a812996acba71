// A RemoteStore is the store's interfaces over a channel: one more backend of
// services/store/store.h. Calls block, each with a deadline; errors are those
// of the server, with their reasons (common/error_reason.h), or UNAVAILABLE
// and DEADLINE_EXCEEDED when it does not answer.
//
// Of the server's limits the caller sees little: blobs and plans are streamed,
// appends and batches must fit into a message.

#ifndef KINORA_CLIENTS_CPP_REMOTE_STORE_H_
#define KINORA_CLIENTS_CPP_REMOTE_STORE_H_

#include <memory>

#include "absl/time/time.h"

#include "services/store/store.h"

namespace grpc {
class Channel;
}

namespace kinora {

struct RemoteStoreOptions {
  // How long one unary call may take.
  absl::Duration timeout = absl::Seconds(30);
  // How long one stream that moves a blob, a manifest or a plan may take.
  absl::Duration stream_timeout = absl::Minutes(10);
  // How long one call of maintenance may take, which goes through a movie.
  absl::Duration maintenance_timeout = absl::Hours(24);
};

// Thread-safe. May be used by any number of threads at once.
class RemoteStore {
 public:
  explicit RemoteStore(const std::shared_ptr<grpc::Channel>& channel,
                       const RemoteStoreOptions& options = {});

  // Cancels what NotifyAfter() still waits for. REQUIRES: no other call is
  // under way, and not called from a callback of gRPC or of NotifyAfter().
  ~RemoteStore();

  RemoteStore(const RemoteStore&) = delete;
  RemoteStore& operator=(const RemoteStore&) = delete;

  // Valid while this is.
  Store store();

  // What the server is, and why it takes no writes, if so.
  absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo();

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_REMOTE_STORE_H_
