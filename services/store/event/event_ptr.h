// Events that are shared between those who keep them and their readers.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_PTR_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_PTR_H_

#include <memory>

#include "kinora/v1/event.pb.h"

namespace kinora {

// They never change.
using EventPtr = std::shared_ptr<const v1::Event>;

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_PTR_H_
