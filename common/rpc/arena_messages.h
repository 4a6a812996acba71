// Messages that are allocated and freed as a whole. One of a thousand events
// has some ten thousand parts: given back one by one, and by another thread
// than the one that has read them from the network, they cost as much as all
// that is done with them.

#ifndef KINORA_COMMON_RPC_ARENA_MESSAGES_H_
#define KINORA_COMMON_RPC_ARENA_MESSAGES_H_

#include <cstddef>

#include "google/protobuf/arena.h"
#include "grpcpp/support/message_allocator.h"

namespace kinora {

// An ArenaMessage is a message with the memory of all its parts.
template <typename Message>
class ArenaMessage {
 public:
  ArenaMessage()
      : arena_(Options()),
        message_(google::protobuf::Arena::CreateMessage<Message>(&arena_)) {}

  Message& operator*() { return *message_; }
  Message* operator->() { return message_; }

 private:
  // A small message takes one block; those of a large one grow up to a size
  // with which asking for them costs nothing.
  static google::protobuf::ArenaOptions Options() {
    google::protobuf::ArenaOptions options;
    options.start_block_size = size_t{1} << 10;
    options.max_block_size = size_t{64} << 10;
    return options;
  }

  google::protobuf::Arena arena_;
  Message* const message_;
};

// ArenaMessages makes a method of the callback API take its requests as
// ArenaMessages. It MUST outlive the server.
//
//   SetMessageAllocatorFor_AppendEvents(&append_messages_);
template <typename Request, typename Response>
class ArenaMessages final : public grpc::MessageAllocator<Request, Response> {
 public:
  grpc::MessageHolder<Request, Response>* AllocateMessages() override {
    return new Holder();
  }

 private:
  class Holder final : public grpc::MessageHolder<Request, Response> {
   public:
    Holder() {
      this->set_request(&*request_);
      this->set_response(&response_);
    }
    void Release() override { delete this; }

   private:
    ArenaMessage<Request> request_;
    Response response_;
  };
};

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_ARENA_MESSAGES_H_
