#include "services/planner/blueprint/use_bindings.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/planner/blueprint/reference.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {
namespace {

// True if any value of one type is a value of the other, byte for byte.
bool Fits(InputType given, InputType wanted) {
  if (given == wanted || wanted == InputType::kFile) return true;
  switch (wanted) {
    case InputType::kNumber:
      return given == InputType::kInteger;
    case InputType::kJson:
      return given == InputType::kInteger || given == InputType::kNumber ||
             given == InputType::kBoolean;
    default:
      return false;
  }
}

// Of a JSON artefact it is known only when it is made whether it is a number.
bool Fits(absl::string_view mime_type, InputType wanted) {
  switch (wanted) {
    case InputType::kFile:
      return true;
    case InputType::kText:
      return absl::StartsWith(mime_type, "text/");
    default:
      return mime_type == "application/json";
  }
}

// Of where a binding stands.
class BindingError {
 public:
  BindingError(absl::string_view file,
               const std::vector<const YamlNode*>& documents)
      : file_(file), documents_(documents) {}

  absl::Status Of(const UseBinding& binding, int line,
                  absl::string_view what) const {
    return BlueprintError(file_, line,
                          absl::StrCat(ContextOf(documents_, line),
                                       ClipValue(binding.path), ": ", what));
  }

  absl::Status OfTypes(const UseBinding& binding, int line,
                       absl::string_view given) const {
    return Of(binding, line,
              absl::StrCat("Input:", ClipValue(binding.input), " of blueprint ",
                           ClipValue(binding.blueprint), " is of type ",
                           InputTypeName(binding.rule.type), ", but \"",
                           ClipValue(binding.spelled), "\" is ", given));
  }

  template <typename Declarations>
  absl::Status OfUnknown(const UseBinding& binding, int line,
                         absl::string_view kind, absl::string_view name,
                         const Declarations& known) const {
    std::vector<absl::string_view> names;
    for (const auto& declaration : known) names.push_back(declaration.name);
    return Of(binding, line,
              absl::StrCat("unknown ", kind, " \"", ClipValue(name), "\"",
                           DidYouMean(name, names)));
  }

 private:
  const absl::string_view file_;
  const std::vector<const YamlNode*>& documents_;
};

}  // namespace

const YamlNode& DocumentOf(const std::vector<const YamlNode*>& documents,
                           int line) {
  const YamlNode* found = documents[0];
  for (const YamlNode* document : documents) {
    if (document->line <= line) found = document;
  }
  return *found;
}

std::string ContextOf(const std::vector<const YamlNode*>& documents, int line) {
  const YamlNode& document = DocumentOf(documents, line);
  const YamlNode* name = document.Find("blueprint");
  if (&document == documents[0] || name == nullptr) return "";
  return absl::StrCat("blueprint ", ClipValue(name->scalar), ": ");
}

absl::Status CheckDeclaredType(absl::string_view file,
                               const std::vector<const YamlNode*>& documents,
                               const UseBinding& binding, int line,
                               InputType given) {
  if (Fits(given, binding.rule.type)) return absl::OkStatus();
  return BindingError(file, documents)
      .OfTypes(binding, line, absl::StrCat("of type ", InputTypeName(given)));
}

absl::Status CheckUseBindings(absl::string_view file,
                              const std::vector<const YamlNode*>& documents,
                              const std::vector<UseBinding>& bindings,
                              const Blueprint& whole) {
  if (bindings.empty()) return absl::OkStatus();
  const BindingError error(file, documents);
  absl::flat_hash_map<std::string, const OutputDeclaration*> outputs;
  absl::flat_hash_map<std::string, const InputDeclaration*> inputs;
  for (const OutputDeclaration& output : whole.outputs) {
    outputs[output.name] = &output;
  }
  for (const InputDeclaration& input : whole.inputs) {
    inputs[input.name] = &input;
  }
  for (const UseBinding& binding : bindings) {
    const int line = binding.reference->line;
    const absl::StatusOr<SpelledReference> read =
        ParseReference(binding.reference->scalar);
    if (!read.ok()) continue;  // a number, which may be a size
    if (read->is_input) {
      const auto input = inputs.find(read->name);
      if (input == inputs.end()) {
        return error.OfUnknown(binding, line, "input", read->name,
                               whole.inputs);
      }
      KINORA_RETURN_IF_ERROR(CheckDeclaredType(file, documents, binding, line,
                                               input->second->rule.type));
      continue;
    }
    const auto output = outputs.find(read->name);
    if (output == outputs.end()) {
      return error.OfUnknown(binding, line, "artefact", read->name,
                             whole.outputs);
    }
    const std::string& mime_type = output->second->mime_type;
    if (!Fits(mime_type, binding.rule.type)) {
      return error.OfTypes(binding, line, mime_type);
    }
  }
  return absl::OkStatus();
}

}  // namespace kinora
