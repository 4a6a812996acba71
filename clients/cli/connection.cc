#include "clients/cli/connection.h"

#include <cstdlib>
#include <optional>
#include <utility>

#include "clients/cpp/channel.h"
#include "clients/cpp/remote_store.h"

namespace kinora {
namespace {

constexpr absl::string_view kDefaultAddress = "127.0.0.1:7400";

std::optional<std::string> FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// What is meant for one service wins over what is meant for all.
std::string AddressOf(const Args& args, absl::string_view flag,
                      const char* variable) {
  if (auto own = args.Get(flag)) return *own;
  if (auto own = FromEnvironment(variable)) return *own;
  if (auto all = args.Get("addr")) return *all;
  if (auto all = FromEnvironment("KINORA_ADDR")) return *all;
  return std::string(kDefaultAddress);
}

}  // namespace

Addresses Addresses::Of(const Args& args) {
  return {.store = AddressOf(args, "store-addr", "KINORA_STORE_ADDR"),
          .planner = AddressOf(args, "planner-addr", "KINORA_PLANNER_ADDR"),
          .runner = AddressOf(args, "runner-addr", "KINORA_RUNNER_ADDR")};
}

struct Connection::Parts {
  RemoteStore& StoreAt(const std::string& address) {
    if (store == nullptr) {
      store = std::make_unique<RemoteStore>(MakeChannel(address));
    }
    return *store;
  }

  std::unique_ptr<RemoteStore> store;
  std::unique_ptr<Planner> planner;
  std::unique_ptr<RunnerClient> runner;
};

Connection::Connection(Addresses addresses)
    : addresses_(std::move(addresses)), parts_(std::make_unique<Parts>()) {}

Connection::~Connection() = default;

Store Connection::store() { return parts_->StoreAt(addresses_.store).store(); }

absl::StatusOr<v1::GetServerInfoResponse> Connection::GetServerInfo() {
  return parts_->StoreAt(addresses_.store).GetServerInfo();
}

Planner& Connection::planner() {
  if (parts_->planner == nullptr) {
    parts_->planner =
        std::make_unique<RemotePlanner>(MakeChannel(addresses_.planner));
  }
  return *parts_->planner;
}

RunnerClient& Connection::runner() {
  if (parts_->runner == nullptr) {
    parts_->runner =
        std::make_unique<RunnerClient>(MakeChannel(addresses_.runner));
  }
  return *parts_->runner;
}

}  // namespace kinora
