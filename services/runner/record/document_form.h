// What makes a JSON value a run record.

#ifndef KINORA_SERVICES_RUNNER_RECORD_DOCUMENT_FORM_H_
#define KINORA_SERVICES_RUNNER_RECORD_DOCUMENT_FORM_H_

#include "absl/status/status.h"

#include "common/json/json.h"

namespace kinora {

// Gives members of other names those of a record: `_type` is `type`, `jobs`
// are `stages`, and `parent_job_id` of a child run is its `parent_stage_id`.
// One that is there under its own name as well stays as it is. A value that is
// no object is left alone.
void AdoptOtherNames(JsonValue& document);

// Checks that `document` is a run record: an object in which each known member
// has its type (null counts as missing). INVALID_ARGUMENT names the first that
// has not, such as `stages[2].status`.
absl::Status CheckRunDocument(const JsonValue& document);

// The same of one handoff of a record.
absl::Status CheckHandoff(const JsonValue& handoff);

// The same of a replay fixture, which has to have an `expected_status`: any run
// would pass an object that expects nothing.
absl::Status CheckReplayFixture(const JsonValue& fixture);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_DOCUMENT_FORM_H_
