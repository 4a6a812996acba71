// A movie with something of everything, for tests of what looks at whole
// movies: several revisions, each by a run with a plan, a record and a ledger;
// inputs; inline texts with readable copies, large texts, images.

#ifndef KINORA_SERVICES_STORE_TESTING_MOVIE_STORY_H_
#define KINORA_SERVICES_STORE_TESTING_MOVIE_STORY_H_

#include <string>

#include "services/store/store.h"

namespace kinora {

// `run-01KDV3N3C0000000000000000N` for the number N, 1 to 9.
std::string StoryRunId(int number);

// Makes the movie `film` and `revisions` revisions of it, at most 9. The lease
// is released at the end. Fails the test on an error.
void TellMovieStory(Store store, int revisions);

// One more revision, made by the run of that number.
void TellRevision(Store store, int number);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_TESTING_MOVIE_STORY_H_
