#include "tests/bench/cpp/note_requests.h"

#include "absl/strings/str_cat.h"

#include "common/random.h"
#include "tests/bench/cpp/bench.h"

namespace kinora {
namespace {

// Fills the line up to 300 bytes.
constexpr size_t kTextBytes = 24;

std::string MovieId(int log) { return absl::StrCat("bench-", log); }

}  // namespace

v1::LogName InputsOf(int log) {
  v1::LogName name;
  name.set_movie_id(MovieId(log));
  name.set_kind(v1::LOG_KIND_INPUTS);
  return name;
}

void MakeMovies(Store store, int logs) {
  for (int log = 0; log < logs; ++log) {
    v1::CreateMovieRequest request;
    request.set_movie_id(MovieId(log));
    request.set_blueprint("name: bench\n");
    const absl::Status status = store.movies.Create(request).status();
    if (!absl::IsAlreadyExists(status)) Must(status);
  }
}

NoteRequests::NoteRequests(int log, int events)
    : id_(absl::StrCat(absl::Hex(SystemRandom().Next()), "-")) {
  *request_.mutable_log() = InputsOf(log);
  for (int i = 0; i < events; ++i) {
    v1::Event& event = *request_.add_events();
    event.set_revision("rev-0001");
    v1::InputEvent& input = *event.mutable_input();
    input.set_input_id("Input:Note");
    input.set_edited_by(v1::EDITED_BY_USER);
    input.mutable_content()->mutable_inline_()->set_mime_type("text/plain");
  }
}

const v1::AppendEventsRequest& NoteRequests::Next() {
  for (v1::Event& event : *request_.mutable_events()) {
    std::string& text = *event.mutable_input()
                             ->mutable_content()
                             ->mutable_inline_()
                             ->mutable_data();
    text = absl::StrCat("note ", ++number_, " ");
    text.resize(kTextBytes, '.');
  }
  request_.set_request_id(absl::StrCat(id_, number_));
  return request_;
}

}  // namespace kinora
