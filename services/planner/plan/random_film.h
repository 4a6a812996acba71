// A RandomFilm is a blueprint for tests: drawn at random from most of what the
// language has, and editable.

#ifndef KINORA_SERVICES_PLANNER_PLAN_RANDOM_FILM_H_
#define KINORA_SERVICES_PLANNER_PLAN_RANDOM_FILM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/random.h"

namespace kinora {

class RandomFilm {
 public:
  struct Options {
    // The lengths of lists that a node makes are sizes, too, and conditions
    // look at them.
    bool deciding = false;
    // Those lists may be empty.
    bool empty_lists = false;
    // There is a document with leaves, and another blueprint is used.
    bool parts = false;
  };
  RandomFilm(Random& random, const Options& options);

  std::string Yaml() const;

  void ChangeSetting() { nodes_[Draw(nodes_.size())].setting = Draw(2); }
  const std::string& AnyNode() { return nodes_[Draw(nodes_.size())].name; }

  // The input that chooses the take of a job that there always is; empty if the
  // node drawn has none.
  std::string AnyTake();

 private:
  // What can be read.
  struct Output {
    std::string name;
    std::vector<std::string> dimensions;
  };

  struct Node {
    std::string name;
    std::string producer;
    uint64_t setting = 0;
    std::string when;
    std::vector<std::string> over;
    std::vector<std::string> own;
    std::vector<std::string> dimensions;  // of its output
    std::vector<std::string> bindings;
  };

  uint64_t Draw(uint64_t bound) { return UniformBelow(random_, bound); }

  void AddNode(int number);
  void ReadItself(Node* node);
  std::string Read(const Node& node, const Output& earlier);

  Random& random_;
  const Options options_;
  std::vector<Node> nodes_;
  std::vector<Output> outputs_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_RANDOM_FILM_H_
