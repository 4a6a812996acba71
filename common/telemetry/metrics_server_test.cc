#include "common/telemetry/metrics_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The whole answer to one request, headers and all; empty if there is none.
std::string Fetch(const std::string& address, const std::string& request) {
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  const std::string text = absl::StrCat(
      request, " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t got; (got = read(fd, buffer, sizeof(buffer))) > 0;) {
    answer.append(buffer, static_cast<size_t>(got));
  }
  close(fd);
  return answer;
}

class MetricsServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_,
                         MetricsServer::Start("127.0.0.1:0", metrics_));
  }
  std::string Fetch(const std::string& request) {
    return kinora::Fetch(server_->address(), request);
  }

  MetricsRegistry metrics_;
  std::unique_ptr<MetricsServer> server_;
};

TEST_F(MetricsServerTest, ServesWhatIsCountedNow) {
  Counter& counter = metrics_.GetCounter("kinora_x_total", "X.");
  counter.Add(41);
  EXPECT_THAT(Fetch("GET /metrics"), HasSubstr("kinora_x_total 41\n"));
  counter.Add();
  EXPECT_THAT(Fetch("GET /metrics"),
              AllOf(StartsWith("HTTP/1.1 200 "),
                    HasSubstr("Content-Type: text/plain; version=0.0.4"),
                    HasSubstr("kinora_x_total 42\n")));
}

TEST_F(MetricsServerTest, SaysWhetherTheProcessDrains) {
  EXPECT_THAT(Fetch("GET /healthz"),
              AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nok\n")));
  server_->SetDraining();
  EXPECT_THAT(Fetch("GET /healthz"), AllOf(StartsWith("HTTP/1.1 503 "),
                                           EndsWith("\r\n\r\ndraining\n")));
  EXPECT_THAT(Fetch("GET /metrics"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(MetricsServerTest, RefusesWhatItDoesNotServe) {
  EXPECT_THAT(Fetch("GET /"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Fetch("GET /metrics/x"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Fetch("DELETE /metrics"), AllOf(StartsWith("HTTP/1.1 405 "),
                                              HasSubstr("Allow: GET, HEAD")));
}

// Two processes on one port would each be scraped now and then.
TEST_F(MetricsServerTest, APortThatIsTakenIsNamed) {
  EXPECT_THAT(
      MetricsServer::Start(server_->address(), metrics_).status(),
      StatusIs(
          absl::StatusCode::kUnavailable,
          AllOf(StartsWith(absl::StrCat("metrics_listen: cannot listen on ",
                                        server_->address(), ": ")),
                HasSubstr("in use"))));
}

TEST_F(MetricsServerTest, AnAddressThatIsNoneIsNamed) {
  for (const char* listen : {"9090", ":9090", "localhost:", "localhost:x",
                             "localhost:65536", "localhost:-1"}) {
    EXPECT_THAT(MetricsServer::Start(listen, metrics_).status(),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("metrics_listen"), HasSubstr(listen),
                               HasSubstr("must be HOST:PORT"))));
  }
}

TEST_F(MetricsServerTest, ThePortIsFreeAgainAtTheEnd) {
  const std::string address = server_->address();
  server_.reset();
  ASSERT_OK_AND_ASSIGN(server_, MetricsServer::Start(address, metrics_));
  EXPECT_EQ(server_->address(), address);
}

}  // namespace
}  // namespace kinora
