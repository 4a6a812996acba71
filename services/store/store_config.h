// The configuration of a store, which is part of that of each program that has
// one: kinora-store and `kinora up`.

#ifndef KINORA_SERVICES_STORE_STORE_CONFIG_H_
#define KINORA_SERVICES_STORE_STORE_CONFIG_H_

#include <memory>

#include "absl/time/time.h"

#include "services/store/local_store.h"
#include "services/store/store_service.h"

namespace kinora {

// `Config` is v1::StoreConfig or v1::StandaloneConfig, as loaded: with its
// defaults.
template <typename Config>
LocalStoreOptions LocalStoreOptionsOf(const Config& config) {
  LocalStoreOptions options;
  options.data_dir = config.data();
  options.inline_limit_bytes = config.inline_limit_bytes();
  options.max_blob_bytes = config.max_blob_bytes();
  if (config.checkpoint_events() > 0) {
    options.checkpoint_events = config.checkpoint_events();
  }
  options.gc_grace = absl::Seconds(config.gc_grace_seconds());
  return options;
}

// The store of a program: it ends cleanly, with all else that was made of it.
struct CloseAndDelete {
  void operator()(LocalStore* store) const {
    store->Close();
    delete store;
  }
};
using ProgramStore = std::unique_ptr<LocalStore, CloseAndDelete>;

// What a server of `store`, which MUST outlive it, tells of that.
inline StoreServiceOptions StoreServiceOptionsOf(
    const LocalStoreOptions& options, const LocalStore& store) {
  StoreServiceOptions info;
  info.max_blob_bytes = options.max_blob_bytes;
  info.inline_limit_bytes = options.inline_limit_bytes;
  info.storage_driver = options.data_dir.empty() ? "memory" : "local";
  info.read_only_reason = [&store] { return store.read_only_reason(); };
  return info;
}

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_STORE_CONFIG_H_
