// The fast writer and reader of events must say what the general JSON form
// says, for every event there can be.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/message_differencer.h"

#include "common/json/json.h"
#include "common/json/json_writer.h"
#include "common/json/ledger_json.h"
#include "common/json/proto_json.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/event_json.h"
#include "services/store/event/event_reader.h"
#include "services/store/event/event_writer.h"
#include "services/store/event/log_line.h"

namespace kinora {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::MessageDifferencer;

// An EventMaker fills messages at random, text with what JSON makes hard.
class EventMaker {
 public:
  explicit EventMaker(uint64_t seed) : random_(seed) {}

  v1::Event Make() {
    v1::Event event;
    event.set_revision(absl::StrCat("rev-000", Below(9) + 1));
    event.mutable_time()->set_seconds(1'700'000'000 +
                                      static_cast<int64_t>(Below(100'000'000)));
    event.mutable_time()->set_nanos(static_cast<int>(Below(1000)) * 1'000'000);
    event.set_reader_may_ignore(Below(8) == 0);
    if (Below(2) == 0) {
      Fill(event.mutable_input());
    } else {
      Fill(event.mutable_artefact());
    }
    return event;
  }

 private:
  uint64_t Below(uint64_t limit) { return random_.Next() % limit; }

  std::string Text() {
    static const std::vector<std::string> kPieces = {
        "sea",
        "a longer piece of plain text",
        "\n",
        "\"",
        "\\",
        "\x01",
        "\xc3\xa9\xf0\x9f\x98\x80",
        "}",
        "{",
        ",",
        ":",
        "\"json\":",
        "\t",
        "/",
        "\x7f",
        "[",
        "\xe2\x80\xa8 and so \xe2\x80\xa9"};
    std::string text;
    for (uint64_t n = Below(6); n > 0; --n) {
      text += kPieces[Below(kPieces.size())];
    }
    return text;
  }

  void FillInline(v1::InlineValue* value) {
    static const std::vector<std::string> kJson = {
        "\"sea\"",  "{\"a\":[1,2,{\"b\":null}],\"c\":\"}\"}",
        "17",       "true",
        "1e+21",    "\"\\u0001\\n\"",
        "[]",       "{\"b\":1,\"a\":2}",
        "not json", ""};
    value->set_hash(Text());
    value->set_mime_type(Below(2) == 0 ? "application/json" : "text/plain");
    value->set_data(Below(2) == 0 ? kJson[Below(kJson.size())] : Text());
    if (Below(10) == 0) value->set_data("\xff\xfe");
  }

  void Fill(Message* message) {
    if (auto* value = dynamic_cast<v1::InlineValue*>(message)) {
      return FillInline(value);
    }
    const Reflection& r = *message->GetReflection();
    for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* field = message->GetDescriptor()->field(i);
      if (Below(3) == 0) continue;
      if (field->is_repeated()) {
        for (uint64_t n = Below(3); n > 0; --n) {
          Fill(r.AddMessage(message, field));
        }
        continue;
      }
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          r.SetString(message, field, Text());
          break;
        case FieldDescriptor::CPPTYPE_INT64:
          r.SetInt64(message, field,
                     static_cast<int64_t>(random_.Next()) >> Below(54));
          break;
        case FieldDescriptor::CPPTYPE_INT32:
          r.SetInt32(message, field, static_cast<int>(Below(999'999'999)));
          break;
        case FieldDescriptor::CPPTYPE_UINT32:
          r.SetUInt32(message, field, static_cast<uint32_t>(random_.Next()));
          break;
        case FieldDescriptor::CPPTYPE_BOOL:
          r.SetBool(message, field, true);
          break;
        case FieldDescriptor::CPPTYPE_ENUM:
          r.SetEnumValue(message, field, static_cast<int>(Below(5)));
          break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
          if (++depth_ < 8) Fill(r.MutableMessage(message, field));
          --depth_;
          break;
        default:
          FAIL() << "a field of another type: " << field->full_name();
      }
    }
    if (auto* span = dynamic_cast<google::protobuf::Duration*>(message)) {
      span->set_seconds(static_cast<int64_t>(Below(100'000)));
    }
  }

  SeededRandom random_;
  int depth_ = 0;
};

TEST(EventCodecTest, WritesTheGeneralForm) {
  int written = 0;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    const v1::Event event = EventMaker(seed).Make();
    std::string members = "before";
    if (!AppendEventMembers(event, &members)) {
      EXPECT_EQ(members, "before");
      continue;
    }
    ++written;
    ASSERT_EQ(absl::StrCat("{", members.substr(6), "}"),
              ToJson(ProtoToJson(event)))
        << "seed " << seed;
  }
  EXPECT_GT(written, 1000);
}

TEST(EventCodecTest, ReadsWhatTheGeneralReaderReads) {
  int read = 0;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    const v1::Event event = EventMaker(seed).Make();
    const RequestMark mark = {"request-1", 1 + static_cast<int64_t>(seed % 2)};
    std::string line;
    AppendLogLine(static_cast<int64_t>(seed) + 1,
                  EventToBody(event, seed % 3 == 0 ? &mark : nullptr), &line);
    line.pop_back();
    v1::Event fast;
    if (!ReadEventLine(line, &fast)) continue;
    ++read;
    ASSERT_OK_AND_ASSIGN(JsonValue json, ParseJson(line));
    for (const char* framing :
         {"seq", "crc32c", "requestId", "requestEvents"}) {
      json.object().Remove(framing);
    }
    v1::Event general;
    ASSERT_OK(JsonToProto(json, &general)) << line;
    ASSERT_TRUE(MessageDifferencer::Equals(fast, general))
        << line << "\n"
        << fast.DebugString() << general.DebugString();
  }
  EXPECT_GT(read, 1000);
}

// An event of a step, at random.
v1::LedgerEvent LedgerEventOf(uint64_t seed) {
  SeededRandom random(seed);
  const auto below = [&random](uint64_t limit) {
    return random.Next() % limit;
  };
  const auto text = [&below] {
    static const std::vector<std::string> kTexts = {
        "run-1", "",  "Clip[segment=0]", "a \"quote\"", "\xc3\xa9",
        "\xff",  "\n"};
    return kTexts[below(kTexts.size())];
  };
  const auto fill_step = [&](v1::StepIdentity* step) {
    step->set_step_id(text());
    if (below(2) == 0) step->set_label(text());
    if (below(2) == 0) step->set_kind(text());
    if (below(2) == 0) step->set_artefact_namespace(text());
  };
  const auto fill_cost = [&](v1::Cost* cost) {
    cost->set_currency_code(text());
    cost->set_micros(static_cast<int64_t>(random.Next() >> below(64)));
  };
  v1::LedgerEvent event;
  event.set_run_id(text());
  event.set_source(static_cast<v1::LedgerSource>(below(5)));
  event.set_occurred_at_ms(static_cast<int64_t>(random.Next() >> below(64)));
  switch (below(4)) {
    case 0:
      fill_step(event.mutable_step_started()->mutable_step());
      event.mutable_step_started()->set_attempt(
          static_cast<uint32_t>(below(3)));
      event.mutable_step_started()->set_inputs_hash(text());
      if (below(2) == 0) {
        fill_cost(event.mutable_step_started()->mutable_reserved());
      }
      break;
    case 1:
      fill_step(event.mutable_step_completed()->mutable_step());
      event.mutable_step_completed()->set_attempt(
          static_cast<uint32_t>(below(3)));
      if (below(2) == 0) {
        fill_cost(event.mutable_step_completed()->mutable_cost());
      }
      break;
    case 2:
      fill_step(event.mutable_step_skipped()->mutable_step());
      event.mutable_step_skipped()->set_reason(text());
      event.mutable_step_skipped()->set_blocked_by(text());
      break;
    default:
      fill_step(event.mutable_step_failed()->mutable_step());
  }
  return event;
}

TEST(EventCodecTest, WritesAndReadsTheGeneralFormOfALedger) {
  int written = 0;
  int read = 0;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    const v1::LedgerEvent event = LedgerEventOf(seed);
    std::string members = "before";
    if (AppendLedgerMembers(event, &members)) {
      ++written;
      ASSERT_EQ(absl::StrCat("{", members.substr(6), "}"),
                ToJson(LedgerEventToJson(event)))
          << "seed " << seed;
    } else {
      EXPECT_EQ(members, "before");
    }
    v1::Event whole;
    *whole.mutable_ledger() = event;
    const RequestMark mark = {"request-1", 2};
    std::string line;
    AppendLogLine(static_cast<int64_t>(seed) + 1,
                  EventToBody(whole, seed % 3 == 0 ? &mark : nullptr), &line);
    line.pop_back();
    v1::LedgerEvent fast;
    if (!ReadLedgerLine(line, &fast)) continue;
    ++read;
    ASSERT_OK_AND_ASSIGN(JsonValue json, ParseJson(line));
    ASSERT_OK_AND_ASSIGN(const v1::LedgerEvent general,
                         LedgerEventFromJson(json));
    ASSERT_TRUE(MessageDifferencer::Equals(fast, general))
        << line << "\n"
        << fast.DebugString() << general.DebugString();
  }
  EXPECT_GT(written, 1000);
  EXPECT_GT(read, 1000);
}

// What stores write all day must not fall back to the general reader.
TEST(EventCodecTest, ReadsTheUsualLines) {
  v1::Event input;
  input.set_revision("rev-0001");
  input.mutable_time()->set_seconds(1767225600);
  input.mutable_input()->set_input_id("Input:Topic");
  input.mutable_input()->set_edited_by(v1::EDITED_BY_USER);
  v1::InlineValue& value =
      *input.mutable_input()->mutable_content()->mutable_inline_();
  value.set_mime_type("application/json");
  value.set_data("{\"a\":\"line\\nbreak\"}");
  v1::Event artefact;
  artefact.mutable_artefact()->set_artefact_id("Artifact:Clip[segment=0]");
  artefact.mutable_artefact()->set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
  artefact.mutable_artefact()->mutable_duration()->set_nanos(250'000'000);
  v1::BlobRef& blob =
      *artefact.mutable_artefact()->mutable_output()->mutable_blob();
  blob.mutable_digest()->set_hash("ab");
  blob.set_mime_type("video/mp4");
  for (const v1::Event& event : {input, artefact}) {
    std::string line;
    AppendLogLine(1, EventToBody(event, nullptr), &line);
    line.pop_back();
    v1::Event read;
    EXPECT_TRUE(ReadEventLine(line, &read)) << line;
    EXPECT_TRUE(MessageDifferencer::Equals(read, event)) << read.DebugString();
  }
}

TEST(EventCodecTest, RefusesEveryBeginningOfALine) {
  std::string line;
  AppendLogLine(1, EventToBody(EventMaker(3).Make(), nullptr), &line);
  line.pop_back();
  for (size_t length = 0; length < line.size(); ++length) {
    v1::Event event;
    EXPECT_FALSE(ReadEventLine(line.substr(0, length), &event)) << length;
  }
}

}  // namespace
}  // namespace kinora
