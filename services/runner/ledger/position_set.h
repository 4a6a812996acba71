// A PositionSet is a set of small numbers that knows its largest.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_POSITION_SET_H_
#define KINORA_SERVICES_RUNNER_LEDGER_POSITION_SET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace kinora {

// A tree of bits with 64 children a node: each method takes one step a level,
// which is three for a quarter of a million positions, and allocates nothing
// but for a position larger than all before. Copyable; not thread-safe.
class PositionSet {
 public:
  void Add(size_t position);
  void Remove(size_t position);

  // Nothing if the set is empty.
  std::optional<size_t> Last() const;

 private:
  // Bit i of a level stands for word i of the level before it, and is set if
  // that word is not 0. The last level has one word.
  std::vector<std::vector<uint64_t>> levels_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_POSITION_SET_H_
