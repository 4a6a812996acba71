// SharedFailures keeps of failures what a plan tells. All artefacts of an
// attempt fail in one way, and mostly jobs of a node do, too, so equal ones
// that come one after another are one.

#ifndef KINORA_SERVICES_PLANNER_PLAN_SHARED_FAILURES_H_
#define KINORA_SERVICES_PLANNER_PLAN_SHARED_FAILURES_H_

#include <memory>

#include "kinora/v1/types.pb.h"

namespace kinora {

// Thread-compatible.
class SharedFailures {
 public:
  // The failure with its texts cut, and without causes and job.
  std::shared_ptr<const v1::Failure> Keep(v1::Failure failure);

 private:
  std::shared_ptr<const v1::Failure> latest_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_SHARED_FAILURES_H_
