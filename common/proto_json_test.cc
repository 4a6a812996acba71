#include "common/proto_json.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

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
