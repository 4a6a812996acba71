// What differs, in words: of revisions (`kinora diff`), of runs (`kinora runs
// diff`), of keys (`kinora explain`).

#ifndef KINORA_CLIENTS_CLI_DIFFERENCE_TEXT_H_
#define KINORA_CLIENTS_CLI_DIFFERENCE_TEXT_H_

#include <string>

#include "kinora/v1/planner.pb.h"
#include "kinora/v1/types.pb.h"

namespace kinora {

// The beginning of a hash; "nothing" for none.
std::string ShortHash(const std::string& hash);

// `"a cat" -> "a dog"`, or the hashes of what cannot be shown.
std::string ValueChange(const v1::Content& before, const v1::Content& after,
                        bool had, bool has);

// One line each, with its end.
std::string DescribeDifference(const v1::Difference& difference);
std::string DescribeNode(const v1::NodeDifference& node);

// A component of a key; empty where there is nothing to say but that it
// differs.
std::string DescribeChange(const v1::KeyChange& change);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_DIFFERENCE_TEXT_H_
