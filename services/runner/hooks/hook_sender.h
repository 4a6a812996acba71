// Sends calls to hooks: runs commands, posts to webhooks.
//
// A command gets the document on standard input and
//
//   KINORA_EVENT       failure, completion, question, budget or record
//   KINORA_MOVIE_ID
//   KINORA_RUN_ID
//   KINORA_HOOK_KEY    as Idempotency-Key below
//   TRACEPARENT        as traceparent below
//
// A webhook gets a POST of the document with
//
//   Content-Type: application/json
//   Idempotency-Key: run-01J.../17     the same whenever it is sent again
//   Kinora-Event: failure
//   traceparent: 00-4bf9...            W3C trace context, if the run has one
//   Kinora-Signature: sha256=4f1c...   if the hook has a secret: HMAC-SHA256 of
//                                      the body under it, in hexadecimal
//
// and says with any 2xx that it has it. Redirects are not followed.

#ifndef KINORA_SERVICES_RUNNER_HOOKS_HOOK_SENDER_H_
#define KINORA_SERVICES_RUNNER_HOOKS_HOOK_SENDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "services/runner/hooks/hook_table.h"
#include "services/runner/hooks/run_hooks.h"

namespace kinora {

// A SendHook. Errors are UNAVAILABLE (no connection, 408, 429, 5xx) or
// DEADLINE_EXCEEDED if another try may help; they name what was called, but
// neither its query nor a password in its URL.
absl::Status SendToHook(const Hook& hook, const HookCall& call);

// HMAC-SHA256 of `text`, in hexadecimal.
std::string HmacSha256Hex(absl::string_view secret, absl::string_view text);

// A URL as errors and logs have it: without user, query and fragment, where
// secrets are.
std::string PublicUrl(absl::string_view url);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_HOOKS_HOOK_SENDER_H_
