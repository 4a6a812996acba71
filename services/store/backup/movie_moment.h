// A MovieMoment is what a movie held at one moment, though nobody stood still
// for it: how far its logs went, and what the small objects said that are
// replaced. All else a movie has is written once, so it can be read later.
//
// How it is observed: everything is read twice, and again until both times it
// was the same. Logs only grow, so in between the two it was so at one moment.
// What holds the logs apart from the objects is that both are compared:
// objects, logs, logs again, objects again.

#ifndef KINORA_SERVICES_STORE_BACKUP_MOVIE_MOMENT_H_
#define KINORA_SERVICES_STORE_BACKUP_MOVIE_MOMENT_H_

#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/store/event/event_log.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"
#include "services/store/retention/retention_record.h"

namespace kinora {

struct MovieMoment {
  std::string movie;  // the text of movie.json
  RetentionRecord retention;
  LogExtent artefacts;
  LogExtent inputs;
  std::map<std::string, LogExtent> ledgers;     // by run
  std::map<std::string, std::string> runs;      // records, by run
  std::set<std::string> plans;                  // hashes
  std::set<std::string> planned_revisions;      // that have a copy of a plan
  std::map<std::string, std::string> progress;  // by revision
  // Of ledgers that end with a line of the copy's own, that line, by run:
  // `ledgers` counts it, the store does not have it (run_scope.h).
  std::map<std::string, std::string> closing_lines;
};

// Memory: the records and the names of the plans. Without `with_runs` neither
// is looked at, nor any ledger. REQUIRES: a MovieHolds::ForCopy() hold.
// UNAVAILABLE if the movie changes too fast to be seen standing still;
// DATA_LOSS if a record does not parse.
absl::StatusOr<MovieMoment> ObserveMoment(ObjectStorage& storage, EventLog& log,
                                          MovieCatalog& catalog,
                                          absl::string_view movie_id,
                                          bool with_runs);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_MOVIE_MOMENT_H_
