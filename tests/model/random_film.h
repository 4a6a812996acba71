// Small films drawn at random: blueprints of one to three stages with fan-out
// and fan-in, sometimes over as many segments as a list has.

#ifndef KINORA_TESTS_MODEL_RANDOM_FILM_H_
#define KINORA_TESTS_MODEL_RANDOM_FILM_H_

#include <string>

#include "common/random.h"

namespace kinora {

// The blueprint of one. Its producers are those of ModelProducers, its inputs
// have defaults.
std::string RandomFilm(Random& random);

// The same every time, with a bit of everything: some 20 jobs.
std::string FixedFilm();

// The same every time: one script, 33 chains of six jobs, a title that somebody
// is asked for, and a fan-in, 201 jobs. Those of the second stage are free, all
// others cost kPriceMicros; those of the third fail at first.
std::string LongFilm();

}  // namespace kinora

#endif  // KINORA_TESTS_MODEL_RANDOM_FILM_H_
