#include "services/store/statistics/producer_totals.h"

#include "absl/strings/str_cat.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/proto_json.h"

namespace kinora {
namespace {

constexpr int32_t kNanosPerSecond = 1'000'000'000;

void AddDuration(const google::protobuf::Duration& more,
                 google::protobuf::Duration* sum) {
  const int64_t nanos = int64_t{sum->nanos()} + more.nanos();
  sum->set_seconds(sum->seconds() + more.seconds() + nanos / kNanosPerSecond);
  sum->set_nanos(static_cast<int32_t>(nanos % kNanosPerSecond));
}

}  // namespace

void ProducerTotals::Add(const v1::Event& event) {
  through_ = event.sequence();
  const v1::ArtefactEvent& artefact = event.artefact();
  const v1::ProducedBy& by = artefact.produced_by();
  if (!event.has_artefact() || by.run_id().empty()) return;
  const bool reused = artefact.reused_sequence() != 0;
  const std::string attempt =
      absl::StrCat(by.run_id(), " ", by.job_id(), " ", by.attempt());
  const bool first = by.job_id().empty() || attempt != last_attempt_;
  last_attempt_ = attempt;
  if (!first) return;
  const std::string& currency = artefact.cost().currency_code();
  v1::ProducerStatistics& total = producers_[{by.producer().name(), currency}];
  if (reused) {
    total.set_reused(total.reused() + 1);
    return;
  }
  if (artefact.status() == v1::ARTEFACT_STATUS_SUCCEEDED) {
    total.set_succeeded(total.succeeded() + 1);
  } else if (artefact.status() == v1::ARTEFACT_STATUS_FAILED) {
    total.set_failed(total.failed() + 1);
  }
  if (by.attempt() > 1) total.set_retries(total.retries() + 1);
  if (artefact.has_cost()) {
    total.mutable_cost()->set_micros(total.cost().micros() +
                                     artefact.cost().micros());
  }
  if (artefact.has_duration()) {
    AddDuration(artefact.duration(), total.mutable_duration());
  }
}

void ProducerTotals::AddTo(v1::GetStatisticsResponse* response) const {
  for (const auto& entry : producers_) {
    v1::ProducerStatistics& producer = *response->add_producers();
    producer = entry.second;
    producer.set_producer(entry.first.first);
    if (producer.has_cost()) {
      producer.mutable_cost()->set_currency_code(entry.first.second);
    }
  }
}

std::string ProducerTotals::ToJson() const {
  v1::GetStatisticsResponse response;
  AddTo(&response);
  JsonArray producers;
  for (const v1::ProducerStatistics& producer : response.producers()) {
    producers.push_back(ProtoToJson(producer));
  }
  JsonObject json;
  json.Add("lastAttempt", last_attempt_);
  json.Add("producers", std::move(producers));
  json.Add("through", through_);
  return CanonicalJson(std::move(json));
}

ProducerTotals ProducerTotals::FromJson(absl::string_view text) {
  const absl::StatusOr<JsonValue> json = ParseJson(text);
  if (!json.ok()) return {};
  const JsonValue* last = json->Find("lastAttempt");
  const JsonValue* through = json->Find("through");
  const JsonValue* producers = json->Find("producers");
  if (last == nullptr || !last->is_string() || through == nullptr ||
      through->integer_value().value_or(-1) < 0 || producers == nullptr ||
      !producers->is_array()) {
    return {};
  }
  ProducerTotals totals;
  totals.last_attempt_ = last->string_value();
  totals.through_ = *through->integer_value();
  for (const JsonValue& item : producers->array()) {
    v1::ProducerStatistics producer;
    if (!JsonToProto(item, &producer).ok()) return {};
    totals.producers_[{producer.producer(), producer.cost().currency_code()}] =
        producer;
  }
  return totals;
}

}  // namespace kinora
