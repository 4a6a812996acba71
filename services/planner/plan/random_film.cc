#include "services/planner/plan/random_film.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace kinora {
namespace {

// Sizes of a and b are at least 1, so that a constant index 0 exists; so is
// that of d, unless lists may be empty. c and e are nested, and may be empty
// anyway.
constexpr char kHead[] = R"(blueprint: random
inputs:
  A: {type: integer, default: 2}
  B: {type: integer, default: 1}
  Text: {type: text, default: x}
  Each: {type: text, over: [a], default: y}
  C: {type: integer, over: [a], default: 1}
  On: {type: boolean, over: [a], default: true}
  AllOn: {type: boolean, default: true}
dimensions:
  a: {size: Input:A}
  b: {size: Input:B}
  c: {within: a, size: "Input:C[a]"}
)";

constexpr char kDecidingDimensions[] = R"(  d: {size: List}
  e: {within: d, size: "Inner[d]"}
)";

constexpr char kDecidingNodes[] = R"(  Lister:
    producer: p0
    inputs: {text: Input:Text, b: Input:B}
    outputs: {List: application/json}
  Innermost:
    producer: p1
    over: [d]
    inputs: {list: List, a: Input:A}
    outputs: {Inner: application/json}
)";

constexpr char kPartNodes[] = R"(  Director:
    producer: p0
    over: [a]
    inputs: {text: Input:Text, each: "Input:Each[a]"}
    outputs:
      Doc:
        type: application/json
        leaves:
          Mood: {at: /mood, type: text/plain}
          Part: {at: "/parts/{b}", over: [b]}
  Scene: {use: scene, over: [a], inputs: {text: "Mood[a]"}}
)";

constexpr char kUsed[] = R"(---
blueprint: scene
inputs:
  text: {type: text}
  style: {type: text, default: plain}
nodes:
  Shot:
    producer: p1
    inputs: {text: Input:text, style: Input:style}
    outputs: {Shot: text/plain}
  Cut: {producer: p0, inputs: {shot: Shot}, outputs: {Cut: text/plain}}
)";

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

RandomFilm::RandomFilm(Random& random, const Options& options)
    : random_(random), options_(options) {
  if (options_.parts) {
    outputs_ = {{"Mood", {"a"}},
                {"Part", {"a", "b"}},
                {"Doc", {"a"}},
                {"Scene_Cut", {"a"}}};
  }
  const int count = 2 + static_cast<int>(Draw(5));
  for (int n = 0; n < count; ++n) AddNode(n);
}

std::string RandomFilm::Yaml() const {
  std::string yaml = kHead;
  if (options_.deciding) yaml += kDecidingDimensions;
  yaml += "nodes:\n";
  if (options_.deciding) yaml += kDecidingNodes;
  if (options_.parts) yaml += kPartNodes;
  for (const Node& node : nodes_) {
    absl::StrAppend(
        &yaml, "  ", node.name, ":\n    producer: ", node.producer,
        "\n    settings: {s: ", node.setting, "}\n", node.when, "    over: [",
        absl::StrJoin(node.over, ", "), "]\n    inputs: {",
        absl::StrJoin(node.bindings, ", "), "}\n    outputs: {O", node.name,
        ": {type: text/plain, over: [", absl::StrJoin(node.own, ", "), "]}}\n");
  }
  if (options_.parts) yaml += kUsed;
  return yaml;
}

std::string RandomFilm::AnyTake() {
  const Node& node = nodes_[Draw(nodes_.size())];
  std::string id = absl::StrCat("Input:Take_", node.name);
  for (const std::string& dimension : node.over) {
    absl::StrAppend(&id, "[", dimension, "=0]");
  }
  return Has(node.over, "c") ? "" : id;
}

void RandomFilm::AddNode(int number) {
  Node node;
  node.name = absl::StrCat("N", number);
  node.producer = absl::StrCat("p", Draw(2));
  std::vector<std::string> dimensions = {"a", "b", "c"};
  if (options_.deciding) dimensions.insert(dimensions.end(), {"d", "e"});
  for (const std::string& dimension : dimensions) {
    // c is nested in a, e in d.
    const bool nested = dimension == "c" || dimension == "e";
    const std::string outer = dimension == "c" ? "a" : "d";
    if (nested && !Has(node.dimensions, outer)) continue;
    switch (nested && !Has(node.over, outer) ? 1 + Draw(2) : Draw(3)) {
      case 0:
        node.over.push_back(dimension);
        node.dimensions.push_back(dimension);
        break;
      case 1:
        node.own.push_back(dimension);
        node.dimensions.push_back(dimension);
        break;
      default:
        break;
    }
  }
  if (Draw(2) == 0) node.bindings.push_back("text: \"Input:Text\"");
  const bool over_a = Has(node.over, "a");
  if (over_a) node.bindings.push_back("each: \"Input:Each[a]\"");
  if (Draw(4) == 0) {
    node.when = over_a && Draw(2) == 0 ? "    when: \"Input:On[a]\"\n"
                                       : "    when: Input:AllOn\n";
  }
  if (options_.deciding && Draw(3) == 0) {
    node.when = Has(node.over, "d") && Draw(2) == 0
                    ? "    when: {value: \"Inner[d]\", is: [0, 1]}\n"
                    : "    when: {value: List, is_not: [0]}\n";
  }
  for (const Output& earlier : outputs_) {
    if (Draw(2) == 0) node.bindings.push_back(Read(node, earlier));
  }
  if (over_a && Draw(3) == 0) ReadItself(&node);
  outputs_.push_back({absl::StrCat("O", node.name), node.dimensions});
  nodes_.push_back(std::move(node));
}

// What it made itself one index before.
void RandomFilm::ReadItself(Node* node) {
  std::string itself = absl::StrCat("O", node->name, "[a-1]");
  bool all = false;
  for (size_t i = 1; i < node->dimensions.size(); ++i) {
    absl::StrAppend(&itself, "[", node->dimensions[i], "]");
    all = all || Has(node->own, node->dimensions[i]);
  }
  node->bindings.push_back(absl::StrCat("itself: {", all ? "all" : "from",
                                        ": \"", itself,
                                        all ? "\"}" : "\", else: Input:Text}"));
}

// How `node` reads what stands before it: each index its own, constant or all
// of them.
std::string RandomFilm::Read(const Node& node, const Output& earlier) {
  std::string reference = earlier.name;
  bool all = false;
  std::string group;
  for (const std::string& dimension : earlier.dimensions) {
    const bool own = Has(node.over, dimension);
    const bool may_lack_it = options_.empty_lists && dimension == "d";
    if (Draw(3) == 0 && !may_lack_it) {
      reference += "[0]";
    } else {
      const bool before = own && Draw(4) == 0;
      absl::StrAppend(&reference, "[", dimension, before ? "-1]" : "]");
      all = all || !own;
      if (!own && Draw(3) == 0) group = absl::StrCat(", group: ", dimension);
    }
  }
  return all ? absl::StrCat("r", earlier.name, ": {all: \"", reference, "\"",
                            group, "}")
             : absl::StrCat("r", earlier.name, ": \"", reference, "\"");
}

}  // namespace kinora
