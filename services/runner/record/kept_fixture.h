// The fixture of a record that is saved once more.

#ifndef KINORA_SERVICES_RUNNER_RECORD_KEPT_FIXTURE_H_
#define KINORA_SERVICES_RUNNER_RECORD_KEPT_FIXTURE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"
#include "services/runner/record/run_document.h"

namespace kinora {

// Gives `document` the fixture of the record of the same run in the file
// `path`, as a fixture is made once, and so are its id and time. OK if there is
// no such file; errors as of LoadRunDocument() if it is no record.
absl::Status KeepFixture(absl::string_view path, const RunDocumentDeps& deps,
                         JsonValue* document);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_KEPT_FIXTURE_H_
