// A VerifyReport tells, while a movie is verified, of each problem as it is
// found, and now and then how far the checks have come.

#ifndef KINORA_SERVICES_STORE_VERIFY_VERIFY_REPORT_H_
#define KINORA_SERVICES_STORE_VERIFY_VERIFY_REPORT_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/maintenance.pb.h"
#include "services/store/movie/movie_catalog.h"

namespace kinora {

// Not thread-safe. What returns a status returns an error if nobody listens any
// more; the check that gets one ends with it.
class VerifyReport {
 public:
  // All MUST outlive the report.
  VerifyReport(
      const std::string& movie_id, MovieCatalog& catalog,
      absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report)
      : movie_id_(movie_id), catalog_(catalog), report_(report) {}

  // `path` lies below the movie; `line` is 0 for a file as a whole.
  absl::Status Problem(absl::string_view path, int64_t line,
                       absl::string_view message);
  // Problem() of a status. `builds/film/events/...: what is wrong` names its
  // file; all else is of `key`.
  absl::Status Damage(absl::string_view key, const absl::Status& status);
  // A problem of its own: that something else has the place of what `key`
  // names. What other checks stumble over there is not told as well.
  absl::Status Foreign(absl::string_view key, absl::string_view message);
  // What a check was ended by is a problem of `key`, or of the file it names;
  // the others go on. An error also if the movie is gone.
  absl::Status GoOn(absl::string_view key, const absl::Status& ended_by);
  // What ends with this message is no problem of its own: it was told.
  void Told(absl::string_view message) { told_.emplace(message); }

  // One object more.
  absl::Status Checked(int64_t bytes);
  // Objects of which the check tells at once.
  void Count(int64_t objects, int64_t bytes);
  // That a revision can be rebuilt; they come in their order.
  void Rebuildable(const std::string& revision);
  // The end of the report.
  absl::Status Finish();

  // Those that Foreign() was told of do not count.
  bool has_problems() const { return problems_ > 0; }
  // A key, as a path below the movie.
  std::string Below(absl::string_view key) const;

 private:
  absl::Status Tell(absl::string_view path, int64_t line,
                    absl::string_view message);
  absl::Status Flush();

  const std::string& movie_id_;
  MovieCatalog& catalog_;
  const absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report_;

  absl::flat_hash_set<std::string> told_;     // messages that ended checks
  absl::flat_hash_set<std::string> foreign_;  // paths
  v1::VerifyMovieResponse pending_;
  absl::Status reported_;  // what the last report answered
  std::string oldest_rebuildable_;
  int64_t problems_ = 0;
  int64_t objects_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_VERIFY_VERIFY_REPORT_H_
