#include "clients/cli/scope_flags.h"

#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {

std::vector<FlagSpec> WithScopeFlags(std::vector<FlagSpec> others) {
  std::vector<FlagSpec> flags = {
      {"only", "ARTEFACT", "only this and what it is made from"},
      {"regenerate", "ARTEFACT", "make this anew though it is clean"},
      {"with-lineage", "", "and all that it is made from"},
      {"pin", "ARTEFACT", "keep this though it is dirty"},
      {"up-to-layer", "N", "stop after layer N, counted from 1"},
      {"from", "DIMENSION=N", "leave jobs before index N alone"},
  };
  flags.insert(flags.end(), others.begin(), others.end());
  return flags;
}

absl::StatusOr<std::optional<v1::PlanScope>> ScopeOf(const Args& args) {
  v1::PlanScope scope;
  for (std::string& id : args.GetAll("only")) scope.add_only(std::move(id));
  for (std::string& id : args.GetAll("regenerate")) {
    scope.add_regenerate(std::move(id));
  }
  scope.set_with_lineage(args.Has("with-lineage"));
  for (std::string& id : args.GetAll("pin")) scope.add_pin(std::move(id));
  if (const std::optional<std::string> layer = args.Get("up-to-layer")) {
    uint32_t number = 0;
    if (!absl::SimpleAtoi(*layer, &number) || number == 0) {
      return InvalidField("--up-to-layer", *layer, "must be a number from 1");
    }
    scope.set_up_to_layer(number);
  }
  for (const std::string& from : args.GetAll("from")) {
    const size_t at = from.find('=');
    v1::DimensionIndex& index = *scope.add_from_index();
    index.set_dimension(from.substr(0, at));
    uint32_t number = 0;
    if (at == std::string::npos || at == 0 ||
        !absl::SimpleAtoi(from.substr(at + 1), &number)) {
      return InvalidField("--from", from, "must be DIMENSION=N");
    }
    index.set_index(number);
  }
  if (scope.ByteSizeLong() == 0) return std::nullopt;
  return scope;
}

}  // namespace kinora
