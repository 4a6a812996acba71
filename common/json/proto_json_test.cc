#include "common/json/proto_json.h"

#include <cstdint>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "gtest/gtest.h"

#include "common/json/canonical_json.h"
#include "common/random.h"
#include "kinora/v1/config.pb.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "kinora/v1/plan.pb.h"

namespace kinora {
namespace {

std::string Hash(char digit) { return std::string(64, digit); }

v1::Event ArtefactEvent() {
  v1::Event event;
  event.set_sequence(7);
  event.mutable_time()->set_seconds(1767323045);
  event.mutable_time()->set_nanos(678000000);
  event.set_revision("rev-0003");
  v1::ArtefactEvent& artefact = *event.mutable_artefact();
  artefact.set_artefact_id("Artifact:Image[segment=0]");
  artefact.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
  v1::BlobRef& blob = *artefact.mutable_output()->mutable_blob();
  blob.mutable_digest()->set_hash(Hash('a'));
  blob.mutable_digest()->set_size_bytes(12);
  blob.set_mime_type("image/png");
  artefact.mutable_duration()->set_seconds(1);
  artefact.mutable_duration()->set_nanos(500000000);
  return event;
}

// F: S0-6, S1-16
TEST(ProtoJsonTest, WritesAnEventAsPeopleReadIt) {
  EXPECT_EQ(CanonicalBytes(ArtefactEvent()),
            R"({"artefact":{"artefactId":"Artifact:Image[segment=0]",)"
            R"("duration":1.5,"output":{"blob":{"hash":")" +
                Hash('a') +
                R"(","mimeType":"image/png","size":12}},)"
                R"("status":"succeeded"},"revision":"rev-0003","sequence":7,)"
                R"("time":"2026-01-02T03:04:05.678Z"})");
}

TEST(ProtoJsonTest, ReadsBackWhatItWrote) {
  v1::Event read;
  ASSERT_TRUE(ParseDocument(CanonicalBytes(ArtefactEvent()), &read).ok());
  EXPECT_EQ(read.SerializeAsString(), ArtefactEvent().SerializeAsString());
}

// Whatever bytes an inline value holds come back exactly, since its hash
// covers them.
TEST(ProtoJsonTest, KeepsTheBytesOfInlineValues) {
  const std::string cases[][2] = {
      {"application/json", R"({"a":1,"b":[true,null]})"},
      {"application/json", R"({ "not": "canonical" })"},
      {"application/json", "not json"},
      {"text/plain", "Call me Ishmael.\n\xE2\x80\x94"},
      {"text/plain", ""},
      {"image/png", std::string("\x89PNG\x00\xff", 6)},
  };
  for (const auto& [mime_type, data] : cases) {
    v1::Content content;
    content.mutable_inline_()->set_mime_type(mime_type);
    content.mutable_inline_()->set_data(data);
    v1::Content read;
    ASSERT_TRUE(ParseDocument(CanonicalBytes(content), &read).ok()) << data;
    EXPECT_EQ(read.inline_().data(), data);
  }
}

TEST(ProtoJsonTest, ShowsInlineJsonAsJson) {
  v1::InlineValue value;
  value.set_mime_type("application/json");
  value.set_data(R"({"n":5})");
  EXPECT_EQ(CanonicalBytes(value),
            R"({"json":{"n":5},"mimeType":"application/json"})");
}

TEST(ProtoJsonTest, WritesMapsWithSortedKeys) {
  v1::Manifest manifest;
  manifest.set_revision("rev-0001");
  (*manifest.mutable_artefacts())["Artifact:B"].set_node("B");
  (*manifest.mutable_artefacts())["Artifact:A"].set_node("A");
  EXPECT_EQ(CanonicalBytes(manifest),
            R"({"artefacts":{"Artifact:A":{"node":"A"},)"
            R"("Artifact:B":{"node":"B"}},"revision":"rev-0001"})");
}

// Fills fields at random, as deep as `depth`: numbers of all sizes, text with
// what needs escapes, bytes that are no text.
void Fill(SeededRandom& random, int depth, google::protobuf::Message* message);

std::string RandomText(SeededRandom& random) {
  static constexpr absl::string_view kPieces[] = {
      "a",       "Input:X",      "\"",
      "\\",      "\n",           "\x01",
      "[0]",     "{}",           "\xC3\xA9",
      "1",       "\xE2\x80\xA8", "\xEF\xBC\xA1",
      "{\"a\":", "true",         "\xF0\x9F\x8E\xAC"};
  std::string text;
  for (size_t n = random.Next() % 4; n > 0; --n) {
    absl::StrAppend(&text, kPieces[random.Next() % std::size(kPieces)]);
  }
  return text;
}

int64_t RandomInteger(SeededRandom& random) {
  return static_cast<int64_t>(random.Next() >> (random.Next() % 64)) *
         (random.Next() % 2 == 0 ? 1 : -1);
}

void FillField(SeededRandom& random, int depth,
               const google::protobuf::FieldDescriptor& field,
               google::protobuf::Message* message) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection& r = *message->GetReflection();
  const bool add = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool value = random.Next() % 2 == 0;
      return add ? r.AddBool(message, &field, value)
                 : r.SetBool(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = static_cast<int32_t>(RandomInteger(random));
      return add ? r.AddInt32(message, &field, value)
                 : r.SetInt32(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      const auto value = static_cast<uint32_t>(RandomInteger(random));
      return add ? r.AddUInt32(message, &field, value)
                 : r.SetUInt32(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const int64_t value = RandomInteger(random);
      return add ? r.AddInt64(message, &field, value)
                 : r.SetInt64(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const auto value = static_cast<uint64_t>(RandomInteger(random));
      return add ? r.AddUInt64(message, &field, value)
                 : r.SetUInt64(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const double value = static_cast<double>(RandomInteger(random)) / 3;
      return add ? r.AddDouble(message, &field, value)
                 : r.SetDouble(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_FLOAT:
      FAIL() << field.full_name() << ": no message of Kinora has a float";
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int value = static_cast<int>(
          random.Next() %
          static_cast<uint64_t>(field.enum_type()->value_count()));
      return add ? r.AddEnumValue(message, &field, value)
                 : r.SetEnumValue(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string value = RandomText(random);
      if (field.type() == FieldDescriptor::TYPE_BYTES &&
          random.Next() % 2 == 0) {
        value.push_back('\xff');
      }
      return add ? r.AddString(message, &field, value)
                 : r.SetString(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (depth == 0) return;
      return Fill(random, depth - 1,
                  add ? r.AddMessage(message, &field)
                      : r.MutableMessage(message, &field));
  }
}

void Fill(SeededRandom& random, int depth, google::protobuf::Message* message) {
  const google::protobuf::Descriptor& type = *message->GetDescriptor();
  if (auto* time = dynamic_cast<google::protobuf::Timestamp*>(message)) {
    time->set_seconds(static_cast<int64_t>(random.Next() % 4'000'000'000));
    return;
  }
  if (auto* span = dynamic_cast<google::protobuf::Duration*>(message)) {
    span->set_nanos(static_cast<int32_t>(random.Next() % 1'000'000'000));
    return;
  }
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type.field(i);
    const size_t times =
        field.is_repeated() ? random.Next() % 4 : random.Next() % 2;
    for (size_t n = 0; n < times; ++n) {
      FillField(random, depth, field, message);
    }
  }
  if (auto* value = dynamic_cast<v1::InlineValue*>(message)) {
    if (random.Next() % 2 == 0) value->set_mime_type("application/json");
    if (random.Next() % 2 == 0) value->set_data(R"({"a":[1,"x"]})");
  }
}

// What both ways of reading give for `text`; empty if it is refused.
std::string BytesOf(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return absl::StrCat("read: ", bytes);
}

template <typename T>
std::string Parsed(const std::string& text) {
  T message;
  return ParseDocument(text, &message).ok() ? BytesOf(message) : "";
}

template <typename T>
std::string ParsedByTree(const std::string& text) {
  T message;
  const absl::StatusOr<JsonValue> json = ParseJson(text);
  return json.ok() && JsonToProto(*json, &message).ok() ? BytesOf(message) : "";
}

template <typename T>
void ExpectWhatTheTreeGives(SeededRandom& random) {
  T filled;
  Fill(random, 5, &filled);
  // A map that was filled like a list may have a key twice.
  T message;
  ASSERT_TRUE(message.ParseFromString(filled.SerializeAsString()));
  std::string text = CanonicalBytes(message);
  ASSERT_EQ(text, CanonicalJson(ProtoToJson(message)));
  ASSERT_EQ(Parsed<T>(text), ParsedByTree<T>(text)) << text;

  static constexpr absl::string_view kPieces = "\"\\{}[],:0123-.eEnut \n\xC3";
  for (int i = 0; i < 20 && !text.empty(); ++i) {
    std::string damaged = text;
    const size_t at = random.Next() % damaged.size();
    const char piece = kPieces[random.Next() % kPieces.size()];
    switch (random.Next() % 4) {
      case 0:
        damaged[at] = piece;
        break;
      case 1:
        damaged.insert(at, 1, piece);
        break;
      case 2:
        damaged.erase(at, 1 + random.Next() % 8);
        break;
      default:  // a part of it twice
        damaged.insert(at, damaged.substr(at, random.Next() % 40));
    }
    ASSERT_EQ(Parsed<T>(damaged), ParsedByTree<T>(damaged)) << damaged;
  }
}

TEST(ProtoJsonTest, TextIsWrittenAndReadAsTheTreeOfItsValuesIs) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    ExpectWhatTheTreeGives<v1::Event>(random);
    ExpectWhatTheTreeGives<v1::Manifest>(random);
    ExpectWhatTheTreeGives<v1::Plan>(random);
    ExpectWhatTheTreeGives<v1::RunnerConfig>(random);
    if (HasFatalFailure()) return;
  }
}

// One that somebody made so as to take all of the stack is refused.
TEST(ProtoJsonTest, TellsOfADocumentThatNestsTooDeep) {
  const auto nested = [](size_t depth) {
    std::string text = R"({"artefact":{"failure":)";
    for (size_t i = 0; i < depth; ++i) absl::StrAppend(&text, R"({"cause":)");
    return absl::StrCat(text, "{}", std::string(depth + 2, '}'));
  };
  v1::Event event;
  const absl::Status status = ParseDocument(nested(1'000'000), &event);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), "nested deeper")) << status;
  EXPECT_FALSE(event.has_artefact());  // nothing is left of it
  const std::string deep = nested(100);
  EXPECT_NE(Parsed<v1::Event>(deep), "");
  EXPECT_EQ(Parsed<v1::Event>(deep), ParsedByTree<v1::Event>(deep));
}

// Of a form that is never written, and the same to both ways of reading.
TEST(ProtoJsonTest, WhatABlobLeavesOutIsNotThere) {
  const std::string text =
      R"({"artefact":{"output":{"blob":{"mimeType":"a"}}}})";
  EXPECT_NE(Parsed<v1::Event>(text), "");
  EXPECT_EQ(Parsed<v1::Event>(text), ParsedByTree<v1::Event>(text));
}

TEST(ProtoJsonTest, KeepsIntegersBeyondTheExactRangeOfDoubles) {
  v1::Digest digest;
  digest.set_size_bytes((int64_t{1} << 53) + 1);
  EXPECT_EQ(CanonicalBytes(digest), R"({"sizeBytes":"9007199254740993"})");
  v1::Digest read;
  ASSERT_TRUE(ParseDocument(CanonicalBytes(digest), &read).ok());
  EXPECT_EQ(read.size_bytes(), digest.size_bytes());
}

TEST(ProtoJsonTest, AcceptsTheNamesOfTheProtoFile) {
  v1::RunnerConfig config;
  ASSERT_TRUE(ParseDocument(R"({"store_addr":"a:1","server":{"listen":"b:2"}})",
                            &config)
                  .ok());
  EXPECT_EQ(config.store_addr(), "a:1");
  EXPECT_EQ(config.server().listen(), "b:2");
}

struct BadDocument {
  const char* json;
  const char* message;  // what the error must say
};

TEST(ProtoJsonTest, NamesTheMemberAndTheValueThatAreWrong) {
  const BadDocument cases[] = {
      {R"({"server":{"lisden":"x"}})", "server.lisden: unknown member"},
      {R"({"server":{"listen":5}})",
       R"(server.listen: expected a string, got "5")"},
      {R"({"leaseSeconds":-1})", "leaseSeconds: expected an integer from 0"},
      {R"({"leaseSeconds":1.5})", "leaseSeconds: expected an integer"},
      {R"({"store_addr":"a","storeAddr":"b"})", "storeAddr: given twice"},
      {R"({"server":[]})", "server: expected an object"},
      {R"([])", "(document): expected an object"},
      {R"({"server":)", "line 1"},
  };
  for (const BadDocument& bad : cases) {
    v1::RunnerConfig config;
    const absl::Status status = ParseDocument(bad.json, &config);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.json;
    EXPECT_TRUE(absl::StrContains(status.message(), bad.message))
        << bad.json << " -> " << status;
  }
}

// A time that cannot be written again as it was read is none.
TEST(ProtoJsonTest, TimesHaveYearsOfFourDigits) {
  v1::Event event;
  EXPECT_TRUE(
      ParseDocument(R"({"time":"9999-12-31T23:59:59.5Z"})", &event).ok());
  for (const char* json : {R"({"time":"20226-01-02T03:04:05Z"})",
                           R"({"time":"0000-12-31T23:59:59Z"})"}) {
    const absl::Status status = ParseDocument(json, &event);
    EXPECT_TRUE(absl::StrContains(status.message(), "years 0001 to 9999"))
        << json << " -> " << status;
  }
}

TEST(ProtoJsonTest, ADurationThatRoundsUpCarriesIntoTheSeconds) {
  v1::Event event;
  ASSERT_TRUE(
      ParseDocument(R"({"artefact":{"duration":1.9999999999}})", &event).ok());
  EXPECT_EQ(event.artefact().duration().seconds(), 2);
  EXPECT_EQ(event.artefact().duration().nanos(), 0);
}

TEST(ProtoJsonTest, RefusesTwoMembersOfOneOneof) {
  v1::Content content;
  const absl::Status status =
      ParseDocument(R"({"blob":{"hash":"a"},"inline":{"text":"b"}})", &content);
  EXPECT_TRUE(absl::StrContains(status.message(), "given beside blob"))
      << status;
}

TEST(ProtoJsonTest, NamesTheWordsOfAnEnum) {
  v1::PlannedJob job;
  ASSERT_TRUE(ParseDocument(R"({"need":"may_run"})", &job).ok());
  EXPECT_EQ(job.need(), v1::JOB_NEED_MAY_RUN);
  const absl::Status status = ParseDocument(R"({"need":"perhaps"})", &job);
  EXPECT_TRUE(
      absl::StrContains(status.message(), "expected one of must_run, may_run"))
      << status;
}

}  // namespace
}  // namespace kinora
