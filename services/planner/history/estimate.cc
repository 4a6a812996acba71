#include "services/planner/history/estimate.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/proto_time.h"

namespace kinora {
namespace {

constexpr uint32_t kDefaultConcurrency = 4;

// What one job of a node costs; without a source it is not known.
struct NodePrice {
  v1::PriceSource source = v1::PRICE_SOURCE_UNSPECIFIED;
  std::string currency;
  int64_t least = 0;
  int64_t most = 0;

  bool IsKnown() const { return source != v1::PRICE_SOURCE_UNSPECIFIED; }
};

NodePrice DeclaredPrice(const NodeTerms& node,
                        const v1::ProducerTerms* producer) {
  if (node.price.has_value()) {
    return {v1::PRICE_SOURCE_BLUEPRINT, node.price->high().currency_code(),
            node.price->low().micros(), node.price->high().micros()};
  }
  if (producer != nullptr && producer->has_high_price()) {
    return {v1::PRICE_SOURCE_PRODUCER, producer->high_price().currency_code(),
            producer->low_price().micros(), producer->high_price().micros()};
  }
  return NodePrice();
}

// REQUIRES: calls were recorded in that currency.
NodePrice RecordedPrice(const NodePrice& declared, const RecordedCalls& calls,
                        const std::string& currency) {
  NodePrice price = declared;
  const auto [least, most] = calls.micros.at(currency);
  if (!price.IsKnown() || price.currency != currency) {
    return {v1::PRICE_SOURCE_HISTORY, currency, least, most};
  }
  price.least = std::min(price.least, least);
  price.most = std::max(price.most, most);
  return price;
}

// The first is what a job counts with: one currency, so that none is counted
// twice. Then those that other calls were billed in. Empty if none is known.
std::vector<NodePrice> PricesOf(const NodeTerms& node,
                                const v1::ProducerTerms* producer,
                                const RecordedCalls* calls) {
  const NodePrice declared = DeclaredPrice(node, producer);
  std::vector<NodePrice> prices;
  if (calls == nullptr || !calls->latest_currency.has_value()) {
    if (declared.IsKnown()) prices.push_back(declared);
    return prices;
  }
  prices.push_back(RecordedPrice(declared, *calls, *calls->latest_currency));
  for (const auto& entry : calls->micros) {
    if (entry.first == *calls->latest_currency) continue;
    prices.push_back(RecordedPrice(declared, *calls, entry.first));
  }
  return prices;
}

void SetRange(const std::string& currency,
              const std::pair<int64_t, int64_t>& range, v1::CostRange* out) {
  out->mutable_low()->set_currency_code(currency);
  out->mutable_low()->set_micros(range.first);
  out->mutable_high()->set_currency_code(currency);
  out->mutable_high()->set_micros(range.second);
}

void DescribePrices(const std::vector<NodePrice>& prices,
                    v1::ProducerEstimate* producer) {
  for (const NodePrice& price : prices) {
    SetRange(price.currency, {price.least, price.most}, producer->add_prices());
  }
  if (prices.empty()) return;
  producer->set_price_source(prices.front().source);
  *producer->mutable_price() = producer->prices(0);
}

void DescribeCalls(const RecordedCalls& calls, v1::ProducerEstimate* producer) {
  producer->set_recorded_calls(calls.count);
  if (!calls.shortest.has_value()) return;
  *producer->mutable_low_duration() = ToProto(*calls.shortest);
  *producer->mutable_high_duration() = ToProto(*calls.longest);
  *producer->mutable_median_duration() = ToProto(*calls.durations.Median());
}

// Sums and the longest chain, for one of the two bounds.
struct Bound {
  absl::Duration total;
  std::map<std::string, absl::Duration> by_producer;
  // When the maker of each artefact is done, if nothing has to wait.
  absl::flat_hash_map<absl::string_view, absl::Duration> done;
  absl::Duration chain;

  void Add(const v1::PlannedJob& job, const std::string& producer,
           absl::Duration takes) {
    absl::Duration start;
    for (const v1::PlannedBinding& binding : job.bindings()) {
      for (const std::string& source : binding.source_ids()) {
        const auto made = done.find(source);
        if (made != done.end()) start = std::max(start, made->second);
      }
    }
    const absl::Duration end = start + takes;
    for (const v1::PlannedArtefact& artefact : job.artefacts()) {
      done[artefact.artefact_id()] = end;
    }
    chain = std::max(chain, end);
    total += takes;
    by_producer[producer] += takes;
  }
};

class Estimator {
 public:
  explicit Estimator(const EstimateInputs& inputs) : in_(inputs) {}

  absl::StatusOr<v1::EstimatePlanResponse> Run() {
    for (const v1::PlanLayer& layer : in_.layers) {
      for (const v1::PlannedJob& job : layer.jobs()) {
        const auto node = in_.nodes.find(job.node());
        if (node == in_.nodes.end()) {
          return absl::InvalidArgumentError(
              absl::StrCat("job ", job.job_id(), " is of node \"", job.node(),
                           "\", which the plan does not describe"));
        }
        AddJob(job, node->first, node->second);
      }
    }
    WriteCosts();
    WriteTimes();
    WriteProducers();
    return std::move(response_);
  }

 private:
  void AddJob(const v1::PlannedJob& job, const std::string& name,
              const NodeTerms& node) {
    const bool must = job.need() == v1::JOB_NEED_MUST_RUN;
    const RecordedCalls* calls = in_.history->Find(node.producer);
    auto priced = prices_.find(name);
    if (priced == prices_.end()) {
      priced =
          prices_.emplace(name, PricesOf(node, TermsOf(node.producer), calls))
              .first;
    }
    const std::vector<NodePrice>& prices = priced->second;
    if (!prices.empty()) {
      const NodePrice& price = prices.front();
      auto& sum = costs_[price.currency];
      if (must) sum.first += price.least;
      sum.second += price.most;
    } else {
      unpriced_.insert(node.producer);
    }
    v1::ProducerEstimate& producer = producers_[node.producer];
    if (must) {
      producer.set_must_run_jobs(producer.must_run_jobs() + 1);
    } else {
      producer.set_may_run_jobs(producer.may_run_jobs() + 1);
    }
    absl::Duration shortest;
    absl::Duration longest;
    if (calls != nullptr && calls->shortest.has_value()) {
      shortest = *calls->shortest;
      longest = *calls->longest;
    } else {
      untimed_.insert(node.producer);
    }
    if (must) low_.Add(job, node.producer, shortest);
    high_.Add(job, node.producer, longest);
    // Of several nodes the first speaks for the producer.
    if (producer.producer().empty()) {
      producer.set_producer(node.producer);
      DescribePrices(prices, &producer);
      if (calls != nullptr) DescribeCalls(*calls, &producer);
    }
  }

  const v1::ProducerTerms* TermsOf(const std::string& producer) const {
    const auto found = in_.producers.find(producer);
    return found == in_.producers.end() ? nullptr : &found->second;
  }

  int64_t ConcurrencyOf(const std::string& producer) const {
    const v1::ProducerTerms* terms = TermsOf(producer);
    const uint32_t limit = terms == nullptr ? 0 : terms->max_concurrency();
    return limit == 0 ? kDefaultConcurrency : limit;
  }

  void WriteCosts() {
    for (const auto& [currency, range] : costs_) {
      SetRange(currency, range, response_.add_costs());
    }
    if (response_.costs_size() == 0) return;
    *response_.mutable_low() = response_.costs(0).low();
    *response_.mutable_high() = response_.costs(0).high();
  }

  void WriteTimes() {
    const int64_t overall =
        in_.max_concurrency == 0 ? 64 : int64_t{in_.max_concurrency};
    absl::Duration low = std::max(low_.chain, low_.total / overall);
    for (const auto& [producer, sum] : low_.by_producer) {
      low = std::max(low, sum / ConcurrencyOf(producer));
    }
    absl::Duration high = high_.chain + high_.total / overall;
    for (const auto& [producer, sum] : high_.by_producer) {
      high += sum / ConcurrencyOf(producer);
    }
    // One after another is the worst there is.
    high = std::min(high, high_.total);
    *response_.mutable_low_duration() = ToProto(low);
    *response_.mutable_high_duration() = ToProto(high);
  }

  void WriteProducers() {
    for (auto& [name, producer] : producers_) {
      *response_.add_producers() = std::move(producer);
    }
    for (const std::string& producer : unpriced_) {
      response_.add_unpriced_producers(producer);
    }
    for (const std::string& producer : untimed_) {
      response_.add_untimed_producers(producer);
    }
  }

  const EstimateInputs& in_;
  v1::EstimatePlanResponse response_;
  std::map<std::string, std::vector<NodePrice>> prices_;  // by node
  std::map<std::string, std::pair<int64_t, int64_t>> costs_;
  std::map<std::string, v1::ProducerEstimate> producers_;
  std::set<std::string> unpriced_;
  std::set<std::string> untimed_;
  Bound low_;
  Bound high_;
};

}  // namespace

absl::StatusOr<v1::EstimatePlanResponse> Estimate(
    const EstimateInputs& inputs) {
  return Estimator(inputs).Run();
}

}  // namespace kinora
