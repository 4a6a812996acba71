// The inputs hash: a job's signature. Two jobs of a movie with the same inputs
// hash are the same work; the second is never called.
//
// The key covers everything the producer is told that may change its output:
// producer and version, settings, the node and the job's point, which outputs
// are wanted, and the content of every input by slot. Run, attempt and times
// are not part of it.
//
// Form: SHA-256 over the tag "kinora-key-v1" and the fields below in this
// order, each as its length (8 bytes, big-endian) and its bytes; a list is its
// count as one field, then its elements. Slots are sorted by name, so the order
// in which a blueprint lists its inputs is of no account. The tag changes
// whenever this form does.

#ifndef KINORA_COMMON_INPUTS_HASH_H_
#define KINORA_COMMON_INPUTS_HASH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/digest.h"

namespace kinora {

// One input of a job.
struct KeySlot {
  // The binding's name; `name/3` for element 3 of a fan-in.
  std::string name;
  Digest content;
};

// What is hashed.
struct JobKey {
  std::string producer;          // the producer's name
  std::string producer_version;  // as its Describe gave it
  Digest settings;               // SHA-256 of the canonical settings
  std::string job_id;            // node and point: `Narration[segment=0]`
  uint32_t draw = 0;             // which take of the same work
  std::string salt;              // empty unless the blueprint sets one
  std::vector<std::string> artefact_ids;  // what is wanted, sorted
  std::vector<KeySlot> slots;             // in any order
};

Digest InputsHash(const JobKey& key);

// The slot of element `index` of a fan-in.
std::string FanInSlot(absl::string_view binding, size_t index);

// The slot that stands for a fan-in without elements; its content is the
// all-zero Digest. It keeps an empty list apart from an unbound name.
std::string EmptyFanInSlot(absl::string_view binding);

// The slot that stands for the groups of a fan-in in groups. A binding that is
// no fan-in and has no value has its name as its slot and the all-zero Digest
// as its content.
KeySlot GroupsSlot(absl::string_view binding,
                   absl::Span<const uint32_t> group_sizes);

}  // namespace kinora

#endif  // KINORA_COMMON_INPUTS_HASH_H_
