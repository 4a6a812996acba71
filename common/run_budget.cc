#include "common/run_budget.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/cost_check.h"
#include "common/cost_text.h"
#include "common/json/json.h"
#include "common/status.h"

namespace kinora {
namespace {

v1::Cost CostOf(const std::string& currency, int64_t micros) {
  v1::Cost cost;
  cost.set_currency_code(currency);
  cost.set_micros(micros);
  return cost;
}

// What JSON holds exactly; sums of that many cannot overflow.
int64_t Bounded(int64_t micros) { return std::min(micros, kMaxJsonInteger); }

std::string NameOf(const std::string& currency) {
  return currency.empty() ? "no currency" : currency;
}

bool CanCount(const v1::Cost& cap, const std::string& currency) {
  return currency.empty() || currency == cap.currency_code();
}

}  // namespace

absl::Status ValidateCap(absl::string_view field, const v1::Cost& cap) {
  KINORA_RETURN_IF_ERROR(ValidateCost(field, cap));
  if (cap.micros() <= kMaxJsonInteger) return absl::OkStatus();
  return InvalidField(absl::StrCat(field, ".micros"),
                      absl::StrCat(cap.micros()), "must be at most 2^53");
}

RunBudget::Tally RunBudget::Account::Count(const std::string& currency) const {
  Tally sum;
  for (const auto& [other, tally] : by_currency) {
    if (!other.empty() && other != currency) continue;
    sum.spent += tally.spent;
    sum.reserved += tally.reserved;
  }
  return sum;
}

std::optional<v1::Cost> RunBudget::Account::ForeignTo(
    const v1::Cost& limit) const {
  for (const auto& [currency, tally] : by_currency) {
    const int64_t micros = tally.spent + tally.reserved;
    if (micros > 0 && !CanCount(limit, currency)) {
      return CostOf(currency, micros);
    }
  }
  return std::nullopt;
}

std::optional<RunBudget::Obstacle> RunBudget::Account::Check(
    const v1::Cost& price) const {
  if (!cap.has_value()) return std::nullopt;
  const std::string& currency = cap->currency_code();
  std::optional<v1::Cost> foreign = ForeignTo(*cap);
  if (price.micros() > 0 && !CanCount(*cap, price.currency_code())) {
    foreign = price;
  }
  const Tally tally = Count(currency);
  if (!foreign.has_value() &&
      tally.spent + tally.reserved + Bounded(price.micros()) <= cap->micros()) {
    return std::nullopt;
  }
  Obstacle obstacle;
  obstacle.cap = *cap;
  obstacle.spent = CostOf(currency, tally.spent);
  obstacle.reserved = CostOf(currency, tally.reserved);
  obstacle.needed = price;
  if (!foreign.has_value()) obstacle.needed.set_currency_code(currency);
  obstacle.foreign = std::move(foreign);
  return obstacle;
}

void RunBudget::AddNode(const v1::PlannedNode& node, const v1::Cost& declared) {
  const std::string& producer = node.producer().name();
  prices_[producer] = declared;
  const v1::Cost price = PriceOf(node);
  if (price.micros() > 0) currencies_.emplace(producer, price.currency_code());
}

v1::Cost RunBudget::PriceOf(const v1::PlannedNode& node) const {
  if (node.has_high_price()) return node.high_price();
  const auto found = prices_.find(node.producer().name());
  return found == prices_.end() ? v1::Cost() : found->second;
}

absl::Status RunBudget::SetCap(const std::optional<v1::Cost>& cap) {
  if (cap.has_value()) {
    const std::optional<v1::Cost> foreign = run_.ForeignTo(*cap);
    if (foreign.has_value()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "a budget of ", FormatCost(*cap), " cannot count the ",
          FormatCost(*foreign), " that the run has cost or reserved"));
    }
    const std::string& currency = cap->currency_code();
    const Tally tally = run_.Count(currency);
    if (cap->micros() < tally.spent + tally.reserved) {
      return absl::FailedPreconditionError(absl::StrCat(
          "a budget of ", FormatCost(*cap), " is below what is spent, ",
          FormatCost(CostOf(currency, tally.spent)), ", and reserved, ",
          FormatCost(CostOf(currency, tally.reserved))));
    }
    KINORA_RETURN_IF_ERROR(CheckCap("run", *cap, ""));
  }
  run_.cap = cap;
  return absl::OkStatus();
}

void RunBudget::SetProducerCap(const std::string& producer,
                               const v1::Cost& cap) {
  producers_[producer].cap = cap;
}

void RunBudget::AddToMovie(const v1::Cost& cost) {
  if (cost.micros() <= 0) return;
  movie_.by_currency[cost.currency_code()].spent += Bounded(cost.micros());
}

// Of all producers if `producer` is empty.
absl::Status RunBudget::CheckCap(absl::string_view scope, const v1::Cost& cap,
                                 absl::string_view producer) const {
  for (const auto& [name, currency] : currencies_) {
    if (CanCount(cap, currency) || (!producer.empty() && name != producer)) {
      continue;
    }
    return absl::FailedPreconditionError(absl::StrCat(
        "producer \"", name, "\" is priced in ", NameOf(currency),
        ", the budget of the ", scope, " is in ", NameOf(cap.currency_code())));
  }
  return absl::OkStatus();
}

absl::Status RunBudget::CheckCurrencies() const {
  if (run_.cap.has_value()) {
    KINORA_RETURN_IF_ERROR(CheckCap("run", *run_.cap, ""));
  }
  if (movie_.cap.has_value()) {
    KINORA_RETURN_IF_ERROR(CheckCap("movie", *movie_.cap, ""));
  }
  for (const auto& [producer, account] : producers_) {
    if (!account.cap.has_value()) continue;
    KINORA_RETURN_IF_ERROR(CheckCap("producer", *account.cap, producer));
  }
  return absl::OkStatus();
}

std::optional<RunBudget::Obstacle> RunBudget::Reserve(
    const std::string& job_id, const std::string& producer,
    const v1::Cost& price) {
  const auto kept = reservations_.find(job_id);
  const bool replaces =
      kept != reservations_.end() && kept->second.is_handed_on;
  if (replaces) Enter(kept->second, -1);
  std::optional<Obstacle> obstacle = CheckAll(producer, price);
  if (replaces) Enter(kept->second, 1);
  if (!obstacle.has_value()) Hold(job_id, producer, price);
  return obstacle;
}

std::optional<RunBudget::Obstacle> RunBudget::CheckAll(
    const std::string& producer, const v1::Cost& price) const {
  const auto own = producers_.find(producer);
  const std::array<std::pair<Scope, const Account*>, 3> scopes = {{
      {Scope::kRun, &run_},
      {Scope::kProducer, own == producers_.end() ? nullptr : &own->second},
      {Scope::kMovie, &movie_},
  }};
  for (const auto& [scope, account] : scopes) {
    if (account == nullptr) continue;
    std::optional<Obstacle> obstacle = account->Check(price);
    if (!obstacle.has_value()) continue;
    obstacle->scope = scope;
    obstacle->producer = producer;
    return obstacle;
  }
  return std::nullopt;
}

void RunBudget::Hold(const std::string& job_id, const std::string& producer,
                     const v1::Cost& price) {
  Reservation next;
  next.producer = producer;
  next.amount = CostOf(price.currency_code(), Bounded(price.micros()));
  const auto [kept, is_first] = reservations_.try_emplace(job_id);
  if (!is_first) {
    // What was reserved for the attempt before stays in the accounts, unless it
    // was handed on: that attempt was lost, and may have been paid for.
    if (kept->second.is_handed_on) Enter(kept->second, -1);
    next.before.push_back(std::move(kept->second));
  }
  Enter(next, 1);
  kept->second = std::move(next);
}

v1::Cost RunBudget::ReservedFor(const std::string& job_id) const {
  const auto found = reservations_.find(job_id);
  return found == reservations_.end() ? v1::Cost() : found->second.amount;
}

v1::Cost RunBudget::Settle(const std::string& job_id, End end,
                           const std::optional<v1::Cost>& reported) {
  v1::Cost cost;
  if (reported.has_value()) {
    cost = *reported;
  } else if (end == End::kSucceeded) {
    cost = ReservedFor(job_id);
  }
  Charge(job_id, cost);
  const auto kept = reservations_.find(job_id);
  if (kept == reservations_.end()) return cost;
  std::vector<Reservation>& before = kept->second.before;
  if (end == End::kLost) {
    if (cost.micros() > 0) kept->second.lost = cost;
  } else if (end == End::kFailed && cost.micros() <= 0 && !before.empty() &&
             before.back().is_handed_on) {
    // It says nothing of the work that the producer knew before: its place is
    // the next one's.
    kept->second.is_handed_on = true;
    before.clear();
  } else {
    Release(job_id);
  }
  return cost;
}

void RunBudget::Charge(const std::string& job_id, const v1::Cost& cost) {
  if (cost.micros() <= 0) return;
  const int64_t micros = Bounded(cost.micros());
  const auto found = reservations_.find(job_id);
  if (found == reservations_.end()) {
    return Add("", cost.currency_code(), micros, 0);
  }
  Reservation& kept = found->second;
  Add(kept.producer, cost.currency_code(), micros, 0);
  const std::string& currency = kept.amount.currency_code();
  if (!cost.currency_code().empty() && !currency.empty() &&
      cost.currency_code() != currency) {
    return;
  }
  const int64_t part = std::min(micros, kept.amount.micros());
  Add(kept.producer, currency, 0, -part);
  kept.amount.set_micros(kept.amount.micros() - part);
}

void RunBudget::Enter(const Reservation& kept, int64_t sign) {
  Add(kept.producer, kept.amount.currency_code(), 0,
      sign * kept.amount.micros());
  if (kept.lost.micros() <= 0) return;
  Add(kept.producer, kept.lost.currency_code(),
      sign * Bounded(kept.lost.micros()), 0);
}

void RunBudget::Release(const std::string& job_id) {
  const auto found = reservations_.find(job_id);
  if (found == reservations_.end()) return;
  Enter(found->second, -1);
  std::vector<Reservation> before = std::move(found->second.before);
  if (before.empty() || before.back().is_handed_on) {
    reservations_.erase(found);
  } else {
    found->second = std::move(before.back());
  }
}

void RunBudget::HandOn(const std::string& job_id) {
  const auto found = reservations_.find(job_id);
  if (found == reservations_.end()) return;
  Reservation& latest = found->second;
  latest.is_handed_on = true;
  std::vector<Reservation> before = std::move(latest.before);
  latest.before.clear();
  while (!before.empty()) {
    if (!before.back().is_handed_on) Enter(before.back(), -1);
    std::vector<Reservation> next = std::move(before.back().before);
    before = std::move(next);
  }
}

void RunBudget::TakeBack(const std::string& job_id) {
  const auto found = reservations_.find(job_id);
  if (found == reservations_.end()) return;
  Enter(found->second, -1);
  std::vector<Reservation> before = std::move(found->second.before);
  if (before.empty()) {
    reservations_.erase(found);
    return;
  }
  if (before.back().is_handed_on) Enter(before.back(), 1);
  found->second = std::move(before.back());
}

void RunBudget::GiveUp(const std::string& job_id) {
  for (auto found = reservations_.find(job_id); found != reservations_.end();
       found = reservations_.find(job_id)) {
    found->second.lost.Clear();
    Release(job_id);
  }
}

void RunBudget::ReleaseAll() {
  reservations_.clear();
  const auto release = [](Account& account) {
    for (auto& [currency, tally] : account.by_currency) tally.reserved = 0;
  };
  release(run_);
  release(movie_);
  for (auto& [producer, account] : producers_) release(account);
}

std::string RunBudget::MainCurrency() const {
  if (run_.cap.has_value()) return run_.cap->currency_code();
  for (const auto& [currency, tally] : run_.by_currency) {
    if (!currency.empty()) return currency;
  }
  return "";
}

v1::Cost RunBudget::spent() const {
  const std::string currency = MainCurrency();
  return CostOf(currency, run_.Count(currency).spent);
}

v1::Cost RunBudget::reserved() const {
  const std::string currency = MainCurrency();
  return CostOf(currency, run_.Count(currency).reserved);
}

std::vector<v1::Cost> RunBudget::OtherCosts() const {
  std::vector<v1::Cost> costs;
  const std::string main = MainCurrency();
  for (const auto& [currency, tally] : run_.by_currency) {
    if (currency.empty() || currency == main || tally.spent == 0) {
      continue;
    }
    costs.push_back(CostOf(currency, tally.spent));
  }
  return costs;
}

std::vector<v1::Cost> RunBudget::Reserved() const {
  std::vector<v1::Cost> costs;
  for (const auto& [currency, tally] : run_.by_currency) {
    if (tally.reserved > 0) costs.push_back(CostOf(currency, tally.reserved));
  }
  return costs;
}

std::optional<v1::Cost> MovieCapOf(const v1::Movie& movie) {
  if (movie.quota().max_cost().micros() == 0) return std::nullopt;
  return movie.quota().max_cost();
}

void WriteMoney(const RunBudget& budget, v1::RunRecord* record) {
  record->clear_budget();
  if (budget.cap().has_value()) *record->mutable_budget() = *budget.cap();
  record->clear_cost();
  const v1::Cost spent = budget.spent();
  if (spent.micros() > 0) *record->mutable_cost() = spent;
  record->clear_other_costs();
  for (v1::Cost& cost : budget.OtherCosts()) {
    *record->add_other_costs() = std::move(cost);
  }
}

void CopyMoney(const v1::RunRecord& from, v1::RunRecord* to) {
  to->clear_budget();
  if (from.has_budget()) *to->mutable_budget() = from.budget();
  to->clear_cost();
  if (from.has_cost()) *to->mutable_cost() = from.cost();
  *to->mutable_other_costs() = from.other_costs();
}

void RunBudget::Add(const std::string& producer, const std::string& currency,
                    int64_t spent, int64_t reserved) {
  if (spent == 0 && reserved == 0) return;
  for (Account* account : {&run_, &movie_, &producers_[producer]}) {
    Tally& tally = account->by_currency[currency];
    tally.spent += spent;
    tally.reserved += reserved;
  }
}

}  // namespace kinora
