#include "common/telemetry/redaction.h"

#include <array>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace kinora {
namespace {

// Names of values that are secrets, lower case, without `-` and `_`.
constexpr std::array<absl::string_view, 12> kNames = {
    "apikey",      "xapikey",   "accesskey",     "secretaccesskey",
    "accesstoken", "authtoken", "authorization", "clientsecret",
    "password",    "passwd",    "refreshtoken",  "secret"};

struct KeyForm {
  absl::string_view prefix;
  size_t least;  // characters behind it
};
constexpr std::array<KeyForm, 6> kKeyForms = {{{"sk-", 16},
                                               {"AKIA", 16},
                                               {"ghp_", 20},
                                               {"github_pat_", 20},
                                               {"xoxb-", 16},
                                               {"AIza", 30}}};

bool IsWord(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-'; }

bool EndsValue(char c) {
  return absl::ascii_isspace(c) ||
         absl::string_view("\"'`,;&)]}<>\\").find(c) != absl::string_view::npos;
}

// Length of the value at the start of `text`.
size_t ValueLength(absl::string_view text) {
  size_t length = 0;
  while (length < text.size() && !EndsValue(text[length])) ++length;
  return length;
}

size_t WordLength(absl::string_view text) {
  size_t length = 0;
  while (length < text.size() && IsWord(text[length])) ++length;
  return length;
}

bool IsSecretName(absl::string_view word) {
  std::string name;
  for (char c : word) {
    if (c != '-' && c != '_') name += absl::ascii_tolower(c);
  }
  for (absl::string_view known : kNames) {
    // `OPENAI_API_KEY` is one, too.
    if (name == known || (known.size() > 5 && absl::EndsWith(name, known))) {
      return true;
    }
  }
  return false;
}

// Length of what stands between a name and its value: `=`, `: `, `": "` and the
// like; nothing if no value follows.
std::optional<size_t> SeparatorLength(absl::string_view text) {
  size_t at = 0;
  auto skip = [&text, &at](absl::string_view any) {
    while (at < text.size() && any.find(text[at]) != absl::string_view::npos) {
      ++at;
    }
  };
  skip("\\\"'`");
  skip(" ");
  if (at == text.size() || (text[at] != '=' && text[at] != ':')) {
    return std::nullopt;
  }
  ++at;
  skip(" \t");
  skip("\\\"'`");
  return at;
}

// Length of `Bearer ` or `Basic ` at the start of `text`; 0 if it is neither.
size_t SchemeLength(absl::string_view text) {
  for (absl::string_view scheme : {"bearer ", "basic "}) {
    if (absl::StartsWithIgnoreCase(text, scheme)) return scheme.size();
  }
  return 0;
}

// A part of a text.
struct Span {
  size_t offset = 0;
  size_t length = 0;
};

Span ValueAt(absl::string_view text, size_t offset) {
  return {offset, ValueLength(text.substr(offset))};
}

// The secret in or behind `word`, which begins `text`, if there is one.
std::optional<Span> FindSecret(absl::string_view word, absl::string_view text) {
  if (IsSecretName(word)) {
    const std::optional<size_t> separator =
        SeparatorLength(text.substr(word.size()));
    if (!separator.has_value()) return std::nullopt;
    const size_t value = word.size() + *separator;
    return ValueAt(text, value + SchemeLength(text.substr(value)));
  }
  if (absl::EqualsIgnoreCase(word, "bearer") && SchemeLength(text) > 0 &&
      ValueLength(text.substr(SchemeLength(text))) >= 16) {
    return ValueAt(text, SchemeLength(text));
  }
  for (const KeyForm& form : kKeyForms) {
    if (absl::StartsWith(word, form.prefix) &&
        word.size() >= form.prefix.size() + form.least) {
      return Span{0, word.size()};
    }
  }
  return std::nullopt;
}

std::string RedactForms(absl::string_view text) {
  std::string redacted;
  redacted.reserve(text.size());
  while (!text.empty()) {
    const size_t length = WordLength(text);
    if (length == 0) {
      redacted += text.front();
      text.remove_prefix(1);
      continue;
    }
    const std::optional<Span> secret = FindSecret(text.substr(0, length), text);
    const size_t kept = secret.has_value() ? secret->offset : length;
    redacted.append(text.data(), kept);
    text.remove_prefix(kept);
    if (!secret.has_value() || secret->length == 0) continue;
    redacted.append(kRedacted.data(), kRedacted.size());
    // What is redacted already stays as it is.
    if (!absl::ConsumePrefix(&text, kRedacted)) {
      text.remove_prefix(secret->length);
    }
  }
  return redacted;
}

}  // namespace

std::string Redact(absl::string_view text,
                   const std::vector<std::string>& secrets) {
  std::string redacted(text);
  for (const std::string& secret : secrets) {
    if (secret.size() < kShortestSecret) continue;
    absl::StrReplaceAll({{secret, kRedacted}}, &redacted);
  }
  return RedactForms(redacted);
}

}  // namespace kinora
