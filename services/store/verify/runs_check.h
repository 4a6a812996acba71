// Checking what is kept of a movie's runs besides their ledgers: the plans and
// the records.

#ifndef KINORA_SERVICES_STORE_VERIFY_RUNS_CHECK_H_
#define KINORA_SERVICES_STORE_VERIFY_RUNS_CHECK_H_

#include <string>

#include "absl/status/status.h"

#include "services/store/object/object_storage.h"
#include "services/store/verify/verify_report.h"

namespace kinora {

// That each plan has the hash it is named by, that those with the name of a
// revision are copies of one, and that notes of progress can be read. Safe
// beside runs and pruning.
absl::Status CheckPlans(ObjectStorage& storage, const std::string& movie_id,
                        VerifyReport& report);

// That a run's record is there, is canonical, has its plan, and is found by the
// run's id and, if it has not ended, by runners; but for these two, if the
// movie shares its runs' ids (`shares_runs`).
absl::Status CheckRunRecord(ObjectStorage& storage, const std::string& movie_id,
                            const std::string& run_id, bool shares_runs,
                            VerifyReport& report);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_VERIFY_RUNS_CHECK_H_
