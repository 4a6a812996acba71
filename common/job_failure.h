// Which failed attempts tell that another call of the same work may fail, too.

#ifndef KINORA_COMMON_JOB_FAILURE_H_
#define KINORA_COMMON_JOB_FAILURE_H_

#include "kinora/v1/event.pb.h"

namespace kinora {

// True if the attempt failed by what its own job came to. False if it did not
// fail, and for what happened to the job from outside, which says nothing of
// another call: that it was cancelled, blocked by another job or lost its
// lease, that an input could not be read, or that the budget was spent.
bool IsJobFailure(const v1::ArtefactEvent& attempt);

}  // namespace kinora

#endif  // KINORA_COMMON_JOB_FAILURE_H_
