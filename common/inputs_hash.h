// The inputs hash: a job's signature. Two jobs of a movie with the same inputs
// hash are the same work; the second is never called.
//
// The key covers everything the producer is told that may change its output:
// producer and version, settings, the outputs with their media types, the node
// and the job's point, which artefacts are wanted, and the content of every
// input by binding. Run, attempt, times and limits are not part of it.
//
// Form: two SHA-256, each over a tag and then fields. A field is a letter, the
// length of its bytes (8 bytes, big-endian) and its bytes, so that no two keys
// run together. What all jobs of a node share is hashed once:
//
//   "kinora-node-v1"  p producer  v version  s settings (32 bytes)  x salt
//                     of each output, sorted by name: o name  m media type
//   "kinora-key-v1"   n hash of the node (32 bytes)  j job id  d draw (decimal)
//                     of each artefact, sorted: a id
//                     of each binding, sorted by name:
//                       b name
//                       f "" for one value, "list" for a fan-in, or "groups"
//                         and the size of each group, each after a space
//                       c the content hashes in order, 32 bytes each: none
//                         for an absent value or an empty list
//
// Sorted, so the order in which a blueprint lists inputs and outputs is of no
// account; the order of a fan-in's elements is. A tag changes whenever its form
// does.

#ifndef KINORA_COMMON_INPUTS_HASH_H_
#define KINORA_COMMON_INPUTS_HASH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/digest.h"

namespace kinora {

// One output of a node.
struct KeyOutput {
  std::string name;
  std::string mime_type;
};

// What the jobs of a node have in common.
struct NodeKey {
  std::string producer;            // the producer's name
  std::string producer_version;    // as its Describe gave it
  Digest settings;                 // SHA-256 of the canonical settings
  std::string salt;                // empty unless the blueprint sets one
  std::vector<KeyOutput> outputs;  // in any order
};

Digest NodeHash(const NodeKey& key);

// What a job reads under one name.
struct KeyBinding {
  std::string name;
  bool is_list = false;     // a fan-in
  bool is_grouped = false;  // a fan-in in groups of `group_sizes`
  std::vector<uint32_t> group_sizes;
  std::vector<Digest> contents;  // in the order of the elements
};

// What is hashed for one job.
struct JobKey {
  NodeKey node;
  std::string job_id;                     // `Narration[segment=0]`
  uint32_t draw = 0;                      // which take of the same work
  std::vector<std::string> artefact_ids;  // what is wanted, in any order
  std::vector<KeyBinding> bindings;       // in any order
};

Digest InputsHash(const JobKey& key);

// An InputsHasher computes the same for many jobs, one after another, without
// an allocation for each. Not thread-safe.
//
//   hasher.Start(node_hash, job_id, draw);
//   hasher.AddArtefact(id);            // of each, sorted
//   hasher.AddBinding(name, shape, n); // of each, sorted by name,
//   hasher.AddContent(hash);           //   and then of each of its n elements
//   Digest key = hasher.Finish();
class InputsHasher {
 public:
  void Start(const Digest& node_hash, absl::string_view job_id, uint32_t draw);
  void AddArtefact(absl::string_view id) { AddField('a', id); }
  // `shape` is kOneShape, kListShape or GroupedShape().
  void AddBinding(absl::string_view name, absl::string_view shape,
                  uint64_t contents);
  void AddContent(const Digest& content);
  Digest Finish();

 private:
  // The place of the next `bytes` bytes.
  char* Room(size_t bytes);
  void AddHead(char letter, uint64_t length);
  void AddField(char letter, absl::string_view bytes);

  std::string buffer_;  // the first size_ bytes are not hashed yet
  size_t size_ = 0;
  bool begun_ = false;  // hash_ has the beginning of a key
  Sha256 hash_;
};

inline constexpr absl::string_view kOneShape = "";
inline constexpr absl::string_view kListShape = "list";
std::string GroupedShape(absl::Span<const uint32_t> group_sizes);

// The name of element `index` of a fan-in where dependencies are listed.
std::string FanInSlot(absl::string_view binding, size_t index);

// The name that stands there for a fan-in without elements.
std::string EmptyFanInSlot(absl::string_view binding);

}  // namespace kinora

#endif  // KINORA_COMMON_INPUTS_HASH_H_
