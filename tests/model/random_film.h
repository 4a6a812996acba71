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

}  // namespace kinora

#endif  // KINORA_TESTS_MODEL_RANDOM_FILM_H_
