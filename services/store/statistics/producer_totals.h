// ProducerTotals sums up what the attempts of a movie's producers came to, from
// the events of artefacts.log.
//
// Stored as `builds/<movie>/metrics/aggregates.json`, so that a look costs the
// events since: canonical JSON
//   {"lastAttempt": run, job and attempt of the last event,
//    "producers": [ProducerStatistics, ...],
//    "through": the last event counted}
// and its checksum (services/store/object/checked_document.h). It is derived:
// without it, or with one that is damaged, the log is counted again, from what
// a checkpoint says of its removed beginning.

#ifndef KINORA_SERVICES_STORE_STATISTICS_PRODUCER_TOTALS_H_
#define KINORA_SERVICES_STORE_STATISTICS_PRODUCER_TOTALS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/maintenance.pb.h"

namespace kinora {

// Not thread-safe.
class ProducerTotals {
 public:
  // Counts the next event. The outputs of one attempt, which follow each other
  // in the log, are one attempt. A person's edit is none.
  void Add(const v1::Event& event);

  int64_t through() const { return through_; }

  // Adds the totals to `response`, sorted by producer and currency.
  void AddTo(v1::GetStatisticsResponse* response) const;

  std::string ToJson() const;
  // Nothing counted yet if `text` is not what ToJson() wrote.
  static ProducerTotals FromJson(absl::string_view text);

 private:
  int64_t through_ = 0;
  std::string last_attempt_;
  // By name and currency.
  std::map<std::pair<std::string, std::string>, v1::ProducerStatistics>
      producers_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_STATISTICS_PRODUCER_TOTALS_H_
