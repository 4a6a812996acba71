#ifndef KINORA_SERVICES_RUNNER_CAREFUL_TRIES_H_
#define KINORA_SERVICES_RUNNER_CAREFUL_TRIES_H_

namespace kinora {

// How often who appends to a ledger makes sure that it comes right behind what
// was read of it, before it appends all the same.
inline constexpr int kCarefulTries = 5;

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CAREFUL_TRIES_H_
