#include "services/store/event/event_validator.h"

#include <functional>
#include <string>

#include "common/digest.h"
#include "common/testing/status_matchers.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

v1::LogName Log(v1::LogKind kind) {
  v1::LogName log;
  log.set_movie_id("film");
  log.set_kind(kind);
  if (kind == v1::LOG_KIND_LEDGER) log.set_run_id(std::string(kRun1));
  return log;
}

v1::Event Input() { return InputEdit("Input:Topic", "sea").events(0); }
v1::Event Artefact() {
  return ArtefactMade("Artifact:Script", 'a', "text", {}).events(0);
}

absl::Status Check(v1::LogKind kind, v1::Event event) {
  return ValidateEvent("events[0]", Log(kind), 16, &event);
}

// Changes a good event and expects the refusal to name `field`.
void ExpectRefused(v1::LogKind kind, v1::Event event, const std::string& field,
                   const std::function<void(v1::Event&)>& change) {
  ASSERT_OK(Check(kind, event));
  change(event);
  EXPECT_THAT(Check(kind, event),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
}

TEST(EventValidatorTest, TheHashOfAnInlineValueIsFilledInOrChecked) {
  v1::Event event = Input();
  ASSERT_OK(ValidateEvent("e", Log(v1::LOG_KIND_INPUTS), 16, &event));
  EXPECT_EQ(event.input().content().inline_().hash(), Sha256Of("sea").Hex());
  ExpectRefused(
      v1::LOG_KIND_INPUTS, event, "content.inline.hash", [](v1::Event& e) {
        e.mutable_input()->mutable_content()->mutable_inline_()->set_hash(
            HashOf('a'));
      });
}

TEST(EventValidatorTest, RefusedEnvelopesNameTheField) {
  const v1::LogKind kind = v1::LOG_KIND_INPUTS;
  ExpectRefused(kind, Input(), "events[0].sequence",
                [](v1::Event& e) { e.set_sequence(1); });
  ExpectRefused(kind, Input(), "events[0].time",
                [](v1::Event& e) { e.mutable_time()->set_seconds(1); });
  ExpectRefused(kind, Input(), "events[0].revision",
                [](v1::Event& e) { e.set_revision("rev-1"); });
  ExpectRefused(kind, Input(), "takes input events, got \"artefact\"",
                [](v1::Event& e) { *e.mutable_artefact() = {}; });
  ExpectRefused(v1::LOG_KIND_ARTEFACTS, Artefact(), "revision_committed",
                [](v1::Event& e) { *e.mutable_revision_committed() = {}; });
}

TEST(EventValidatorTest, RefusedInputsNameTheField) {
  const v1::LogKind kind = v1::LOG_KIND_INPUTS;
  ExpectRefused(kind, Input(), "input.input_id", [](v1::Event& e) {
    e.mutable_input()->set_input_id("Artifact:Topic");
  });
  ExpectRefused(kind, Input(), "input.edited_by", [](v1::Event& e) {
    e.mutable_input()->set_edited_by(v1::EDITED_BY_UNSPECIFIED);
  });
  ExpectRefused(kind, Input(), "got \"77\"", [](v1::Event& e) {
    e.mutable_input()->set_edited_by(static_cast<v1::EditedBy>(77));
  });
  ExpectRefused(kind, Input(), "SetBlueprint", [](v1::Event& e) {
    e.mutable_input()->set_input_id("Input:Blueprint");
  });
  ExpectRefused(kind, Input(), "input.content",
                [](v1::Event& e) { e.mutable_input()->clear_content(); });
}

TEST(EventValidatorTest, RefusedValuesNameTheField) {
  const auto value = [](v1::Event& e) {
    return e.mutable_input()->mutable_content()->mutable_inline_();
  };
  const v1::LogKind kind = v1::LOG_KIND_INPUTS;
  ExpectRefused(kind, Input(), "store a blob",
                [&](v1::Event& e) { value(e)->set_data("seventeen letters"); });
  ExpectRefused(kind, Input(), "inline.mime_type",
                [&](v1::Event& e) { value(e)->set_mime_type("text"); });
  ExpectRefused(kind, Input(), "UTF-8",
                [&](v1::Event& e) { value(e)->set_data("\xff"); });
  ExpectRefused(kind, Input(), "canonical JSON", [&](v1::Event& e) {
    value(e)->set_mime_type("application/json");
    value(e)->set_data("{ \"a\": 1 }");
  });
  ExpectRefused(kind, Input(), "blob.digest.hash", [](v1::Event& e) {
    e.mutable_input()->mutable_content()->mutable_blob()->set_mime_type("a/b");
  });
}

// F: S1-12
TEST(EventValidatorTest, RefusedArtefactsNameTheField) {
  const v1::LogKind kind = v1::LOG_KIND_ARTEFACTS;
  const auto refused = [&](const std::string& field,
                           const std::function<void(v1::ArtefactEvent&)>& f) {
    ExpectRefused(kind, Artefact(), field,
                  [&](v1::Event& e) { f(*e.mutable_artefact()); });
  };
  refused("artefact.artefact_id",
          [](v1::ArtefactEvent& a) { a.set_artefact_id("Input:Script"); });
  refused("artefact.inputs_hash",
          [](v1::ArtefactEvent& a) { a.set_inputs_hash("abc"); });
  refused("artefact.status", [](v1::ArtefactEvent& a) {
    a.set_status(v1::ARTEFACT_STATUS_UNSPECIFIED);
  });
  refused("artefact.output", [](v1::ArtefactEvent& a) {
    a.set_status(v1::ARTEFACT_STATUS_SKIPPED);
  });
  refused("artefact.failure", [](v1::ArtefactEvent& a) {
    a.clear_output();
    a.set_status(v1::ARTEFACT_STATUS_FAILED);
  });
  refused("artefact.reused_sequence",
          [](v1::ArtefactEvent& a) { a.set_reused_sequence(-1); });
  refused("produced_by.run_id", [](v1::ArtefactEvent& a) {
    a.mutable_produced_by()->set_run_id("run-7");
  });
  refused("produced_by.edited_by", [](v1::ArtefactEvent& a) {
    a.mutable_produced_by()->set_edited_by(static_cast<v1::EditedBy>(77));
  });
  for (const char* currency : {"\xc3\xa9", "usd", "EURO"}) {
    refused("cost.currency_code", [currency](v1::ArtefactEvent& a) {
      a.mutable_cost()->set_currency_code(currency);
    });
  }
  refused("cost.micros",
          [](v1::ArtefactEvent& a) { a.mutable_cost()->set_micros(-5); });
  refused("artefact.duration",
          [](v1::ArtefactEvent& a) { a.mutable_duration()->set_seconds(-5); });
  refused("diagnostics_json",
          [](v1::ArtefactEvent& a) { a.set_diagnostics_json("[1]"); });
  refused("sorted by slot", [](v1::ArtefactEvent& a) {
    for (const char* slot : {"b", "a"}) {
      a.add_dependencies()->set_slot(slot);
      a.mutable_dependencies(a.dependencies_size() - 1)->set_hash(HashOf('a'));
    }
  });
}

TEST(EventValidatorTest, LedgerEventsBelongToTheLogsRun) {
  v1::Event event;
  event.mutable_ledger()->set_run_id(std::string(kRun1));
  event.mutable_ledger()->mutable_run_started();
  const v1::LogKind kind = v1::LOG_KIND_LEDGER;
  ExpectRefused(kind, event, "ledger.run_id", [](v1::Event& e) {
    e.mutable_ledger()->set_run_id(std::string(kRun2));
  });
  ExpectRefused(kind, event, "ledger.kind",
                [](v1::Event& e) { e.mutable_ledger()->clear_run_started(); });
  ExpectRefused(kind, event, "revision",
                [](v1::Event& e) { e.set_revision("rev-0001"); });
}

TEST(EventValidatorTest, NamesOfLogsCannotLeaveTheMovie) {
  v1::LogName log = Log(v1::LOG_KIND_LEDGER);
  EXPECT_OK(ValidateLogName(log));
  log.set_run_id("../../x");
  EXPECT_THAT(ValidateLogName(log), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("log.run_id")));
  log = Log(v1::LOG_KIND_INPUTS);
  log.set_movie_id("..");
  EXPECT_THAT(ValidateLogName(log), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("movie_id")));
  EXPECT_THAT(
      ValidateLogName(Log(v1::LOG_KIND_UNSPECIFIED)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("log.kind")));
}

}  // namespace
}  // namespace kinora
