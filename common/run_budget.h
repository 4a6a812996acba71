// A RunBudget keeps the money of a run: what it has cost, what is reserved for
// attempts whose end is not known, and the caps that hold for it. Pure: no I/O,
// no clock, no thread.
//
// An attempt reserves the most that it is said to cost before it starts; when
// its end is known, the run is charged what it cost and the reservation is
// given back. So spent plus reserved never exceeds a cap, unless a producer
// charges more than it declared: that is recorded as it is, and nothing further
// may start.
//
// Three scopes may have a cap: the run, each producer within the run, and the
// movie, for which earlier runs count.
//
// An attempt that is lost keeps its reservation, for it may have been paid for;
// if the job is called again, both count from then on. But where its producer
// knows the work, or that there was none, the next attempt takes the place of
// all lost ones, which had the same key: nobody else gets the money meanwhile.
// What these have reported counts the same way: a producer that knows the work
// reports its price again when it is called again.
//
// Amounts in no currency count in every cap's currency. Those of different
// currencies are never added: what a cap's currency cannot count stands in the
// way of every further start under it.

#ifndef KINORA_COMMON_RUN_BUDGET_H_
#define KINORA_COMMON_RUN_BUDGET_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/movie.pb.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "kinora/v1/types.pb.h"

namespace kinora {

// What producers declare as the most that one job costs, by producer.
using DeclaredPrices = std::map<std::string, v1::Cost>;

// INVALID_ARGUMENT naming the field below `field` unless `cap` is an amount
// that may be recorded, at most 2^53 millionths.
absl::Status ValidateCap(absl::string_view field, const v1::Cost& cap);

// Not thread-safe.
class RunBudget {
 public:
  enum class Scope { kRun, kProducer, kMovie };

  // What keeps an attempt from starting; amounts are in the cap's currency.
  struct Obstacle {
    Scope scope = Scope::kRun;
    std::string producer;  // of the attempt
    v1::Cost cap;
    v1::Cost spent;
    v1::Cost reserved;
    v1::Cost needed;  // by the attempt
    // What was charged, or would be, in a currency that the cap cannot count.
    std::optional<v1::Cost> foreign;
  };

  // What became of an attempt.
  enum class End {
    kSucceeded,
    kFailed,
    kLost,  // nobody knows
  };

  // Prices.

  // Takes a node of the plan up; `declared` is the price of its producer. The
  // node's own price goes before it; a job without either counts as free.
  void AddNode(const v1::PlannedNode& node, const v1::Cost& declared);
  // The most that a job of the node costs. The node may be a later one, of a
  // producer that is known.
  v1::Cost PriceOf(const v1::PlannedNode& node) const;

  // Caps. Without a value there is none.

  // The run's cap. FAILED_PRECONDITION naming all amounts if it is below what
  // is spent and reserved, or in another currency than a price or a charge;
  // then nothing has changed.
  absl::Status SetCap(const std::optional<v1::Cost>& cap);
  // The same for a cap that holds already, whatever has been spent.
  void RestoreCap(const std::optional<v1::Cost>& cap) { run_.cap = cap; }
  void SetProducerCap(const std::string& producer, const v1::Cost& cap);
  void SetMovieCap(const std::optional<v1::Cost>& cap) { movie_.cap = cap; }
  // Counts what another run of the movie has cost.
  void AddToMovie(const v1::Cost& cost);
  const std::optional<v1::Cost>& cap() const { return run_.cap; }

  // FAILED_PRECONDITION naming the producer and both currencies if a cap cannot
  // count the price of a node.
  absl::Status CheckCurrencies() const;

  // Attempts.

  // Reserves `price` for the job's next attempt; or changes nothing and says
  // what is in the way.
  std::optional<Obstacle> Reserve(const std::string& job_id,
                                  const std::string& producer,
                                  const v1::Cost& price);
  // The same for an attempt that has started already, whatever the caps.
  void Hold(const std::string& job_id, const std::string& producer,
            const v1::Cost& price);
  // What is reserved for the job's latest attempt.
  v1::Cost ReservedFor(const std::string& job_id) const;

  // Takes the end of the job's latest attempt. Returns what it is charged:
  // what was reported, else for one that succeeded what was reserved. One that
  // failed without a cost hands on what was handed on to it.
  v1::Cost Settle(const std::string& job_id, End end,
                  const std::optional<v1::Cost>& reported);
  // Charges the job; what is reserved for it shrinks by as much.
  void Charge(const std::string& job_id, const v1::Cost& cost);
  // The job's latest attempt was lost, and is not paid for apart from the next
  // one: that takes the place of what is reserved for it, and for any that were
  // lost before it, and of what these have reported.
  void HandOn(const std::string& job_id);
  // The job's latest attempt is not made: all is as it was before Reserve().
  void TakeBack(const std::string& job_id);
  // The job has failed and is not called again: gives back what is reserved for
  // its attempts. What these have reported was paid for, also if they were
  // lost.
  void GiveUp(const std::string& job_id);
  // The run has ended: nothing is reserved any more.
  void ReleaseAll();

  // Takes what the ledger tells of a process before this one.
  void Recall(const v1::LedgerEvent& event);

  // What the run has cost in the currency of its cap; without a cap in the
  // first that there is.
  v1::Cost spent() const;
  v1::Cost reserved() const;
  // What it has cost in all other currencies, sorted.
  std::vector<v1::Cost> OtherCosts() const;
  // What is reserved, by currency, sorted.
  std::vector<v1::Cost> Reserved() const;

 private:
  struct Tally {
    int64_t spent = 0;
    int64_t reserved = 0;
  };
  // The money of one scope, in micros by currency.
  struct Account {
    std::optional<v1::Cost> cap;
    std::map<std::string, Tally> by_currency;

    Tally Count(const std::string& currency) const;
    std::optional<v1::Cost> ForeignTo(const v1::Cost& limit) const;
    std::optional<Obstacle> Check(const v1::Cost& price) const;
  };
  struct Reservation {
    std::string producer;
    v1::Cost amount;
    v1::Cost lost;  // what the attempt has reported, if it was lost
    // The next attempt takes its place: the same work may be paid for already.
    bool is_handed_on = false;
    // That of the attempt before, if that was lost: in the accounts still,
    // unless it was handed on. One or none.
    std::vector<Reservation> before;
  };

  // Gives back what is reserved for the job's latest attempt, and what it has
  // reported if it was lost. Lost ones before it stay.
  void Release(const std::string& job_id);
  // Into the accounts, or out of them for a `sign` of -1.
  void Enter(const Reservation& kept, int64_t sign);

  // The first cap that an attempt would cross.
  std::optional<Obstacle> CheckAll(const std::string& producer,
                                   const v1::Cost& price) const;
  std::string MainCurrency() const;
  absl::Status CheckCap(absl::string_view scope, const v1::Cost& cap,
                        absl::string_view producer) const;
  void Add(const std::string& producer, const std::string& currency,
           int64_t spent, int64_t reserved);

  Account run_;
  Account movie_;  // earlier runs included
  std::map<std::string, Account> producers_;
  DeclaredPrices prices_;
  // Producer and currency of all nodes that have a price.
  std::set<std::pair<std::string, std::string>> currencies_;
  // By job.
  absl::flat_hash_map<std::string, Reservation> reservations_;
};

// What all runs of the movie may cost together, if there is a limit.
std::optional<v1::Cost> MovieCapOf(const v1::Movie& movie);

// What a run may cost and has cost, into its record; and from one to another.
void WriteMoney(const RunBudget& budget, v1::RunRecord* record);
void CopyMoney(const v1::RunRecord& from, v1::RunRecord* to);

}  // namespace kinora

#endif  // KINORA_COMMON_RUN_BUDGET_H_
