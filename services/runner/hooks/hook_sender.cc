#include "services/runner/hooks/hook_sender.h"

#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "openssl/evp.h"
#include "openssl/hmac.h"

#include "common/child_command.h"
#include "common/status.h"
#include "curl/curl.h"

namespace kinora {
namespace {

// An answer is not looked at.
size_t Drop(char* /*bytes*/, size_t size, size_t count, void* /*unused*/) {
  return size * count;
}

absl::Status SendToCommand(const Hook& hook, const HookCall& call) {
  ChildCommand command;
  command.argv = hook.command;
  command.environment = {{"KINORA_EVENT", std::string(WordOf(call.event))},
                         {"KINORA_HOOK_KEY", call.key},
                         {"KINORA_MOVIE_ID", call.movie_id},
                         {"KINORA_RUN_ID", call.run_id}};
  if (!call.traceparent.empty()) {
    command.environment["TRACEPARENT"] = call.traceparent;
  }
  command.standard_input = absl::StrCat(call.json, "\n");
  command.timeout = hook.timeout;
  return RunChildCommand(command);
}

class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list_); }

  void Add(const std::string& header) {
    curl_slist* longer = curl_slist_append(list_, header.c_str());
    if (longer != nullptr) list_ = longer;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

absl::Status StatusOfAnswer(const std::string& url, long code) {
  if (code >= 200 && code < 300) return absl::OkStatus();
  const std::string message = absl::StrCat(url, " answered ", code);
  if (code == 408 || code == 429 || code >= 500) {
    return absl::UnavailableError(message);
  }
  return absl::FailedPreconditionError(message);
}

absl::Status SendToWebhook(const Hook& hook, const HookCall& call) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(
      curl_easy_init(), &curl_easy_cleanup);
  if (initialised != CURLE_OK || curl == nullptr) {
    return absl::InternalError("libcurl cannot be used");
  }
  HeaderList headers;
  headers.Add("Content-Type: application/json");
  headers.Add(absl::StrCat("Idempotency-Key: ", call.key));
  headers.Add(absl::StrCat("Kinora-Event: ", WordOf(call.event)));
  if (!call.traceparent.empty()) {
    headers.Add(absl::StrCat("traceparent: ", call.traceparent));
  }
  // Some servers let a client that asks wait for its answer.
  headers.Add("Expect:");
  if (!hook.secret.empty()) {
    headers.Add(absl::StrCat("Kinora-Signature: sha256=",
                             HmacSha256Hex(hook.secret, call.json)));
  }
  CURL* const c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, hook.webhook.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);  // other threads have the signals
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(hook.timeout)));
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c, CURLOPT_USERAGENT, "kinora");
  curl_easy_setopt(c, CURLOPT_POSTFIELDS, call.json.data());
  curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(call.json.size()));
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &Drop);
  const std::string url = PublicUrl(hook.webhook);
  const CURLcode done = curl_easy_perform(c);
  if (done == CURLE_OPERATION_TIMEDOUT) {
    return absl::DeadlineExceededError(absl::StrCat(
        url, " did not answer within ", absl::FormatDuration(hook.timeout)));
  }
  if (done != CURLE_OK) {
    return absl::UnavailableError(
        absl::StrCat(url, ": ", curl_easy_strerror(done)));
  }
  long code = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
  return StatusOfAnswer(url, code);
}

}  // namespace

absl::Status SendToHook(const Hook& hook, const HookCall& call) {
  return hook.command.empty() ? SendToWebhook(hook, call)
                              : SendToCommand(hook, call);
}

std::string HmacSha256Hex(absl::string_view secret, absl::string_view text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac,
       &size);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(mac), size));
}

std::string PublicUrl(absl::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const size_t begin = url.find("://");
  if (begin == absl::string_view::npos) return std::string(url);
  const size_t host = begin + 3;
  const absl::string_view authority =
      url.substr(host, url.find('/', host) - host);
  const size_t at = authority.rfind('@');
  if (at == absl::string_view::npos) return std::string(url);
  return absl::StrCat(url.substr(0, host), url.substr(host + at + 1));
}

}  // namespace kinora
