#include "services/planner/blueprint/yaml_tree.h"

#include <exception>
#include <sstream>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "common/error_reason.h"
#include "common/status.h"
#include "common/utf8.h"

namespace kinora {
namespace {

constexpr int kMaxDepth = 64;
constexpr int kMaxNodes = 100000;
constexpr int kMaxJsonValues = 100000;

// True for what JSON's grammar calls a number.
bool IsJsonNumber(absl::string_view text, bool* is_integer) {
  size_t at = 0;
  auto digits = [&] {
    size_t from = at;
    while (at < text.size() && absl::ascii_isdigit(text[at])) ++at;
    return at - from;
  };
  *is_integer = true;
  if (at < text.size() && text[at] == '-') ++at;
  size_t first = at;
  size_t count = digits();
  if (count == 0 || (count > 1 && text[first] == '0')) return false;
  if (at < text.size() && text[at] == '.') {
    *is_integer = false;
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    *is_integer = false;
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

absl::StatusOr<JsonValue> ScalarToJson(const YamlNode& node) {
  const std::string& text = node.scalar;
  if (!node.plain) return JsonValue(text);
  if (text == "true") return JsonValue(true);
  if (text == "false") return JsonValue(false);
  bool is_integer = false;
  if (!IsJsonNumber(text, &is_integer)) return JsonValue(text);
  absl::StatusOr<JsonValue> number = ParseJson(text, {.exact_integers = true});
  if (!number.ok() || (is_integer && !number->integer_value().has_value())) {
    return absl::InvalidArgumentError(
        absl::StrCat("the number ", ClipValue(text),
                     " is not exact in JSON; put it in quotes"));
  }
  return number;
}

absl::StatusOr<JsonValue> ToJsonCounted(const YamlNode& node, int depth,
                                        int* budget) {
  if (--*budget < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than ", kMaxJsonValues, " values"));
  }
  if (depth > kMaxDepth) {
    return absl::InvalidArgumentError(
        absl::StrCat("nested more than ", kMaxDepth, " levels deep"));
  }
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return JsonValue();
    case YamlNode::Kind::kScalar:
      return ScalarToJson(node);
    case YamlNode::Kind::kList: {
      JsonArray array;
      for (const YamlNode* item : node.items) {
        KINORA_ASSIGN_OR_RETURN(JsonValue value,
                                ToJsonCounted(*item, depth + 1, budget));
        array.push_back(std::move(value));
      }
      return JsonValue(std::move(array));
    }
    case YamlNode::Kind::kMap: {
      JsonObject object;
      for (const YamlEntry& entry : node.entries) {
        KINORA_ASSIGN_OR_RETURN(JsonValue value,
                                ToJsonCounted(*entry.value, depth + 1, budget));
        object.Add(entry.key, std::move(value));
      }
      return JsonValue(std::move(object));
    }
  }
  return absl::InternalError("YamlNode of no kind");
}

// True if the line, counted from 0, begins with a tab, or with spaces and one.
// The library calls that an illegal map value.
bool IsIndentedByTab(absl::string_view text, int line) {
  size_t start = 0;
  for (; line > 0 && start != absl::string_view::npos; --line) {
    start = text.find('\n', start);
    if (start != absl::string_view::npos) ++start;
  }
  if (start == absl::string_view::npos) return false;
  const size_t first = text.find_first_not_of(' ', start);
  return first != absl::string_view::npos && text[first] == '\t';
}

}  // namespace

// Takes yaml-cpp's events. It cannot return an error to the parser, so it keeps
// the first one and ignores the rest of the document.
class YamlTreeBuilder : public YAML::EventHandler {
 public:
  YamlTreeBuilder(absl::string_view file, YamlTree* tree, absl::Status* status)
      : file_(file), tree_(*tree), status_(*status) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode* node = NewNode(mark, YamlNode::Kind::kNull);
    if (node == nullptr) return;
    anchors_[anchor] = node;
    Add(mark, node);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (!status_.ok()) return;
    auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      return Fail(mark, "an alias within its own anchor");
    }
    Add(mark, found->second);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor, const std::string& value) override {
    if (!CheckTag(mark, tag)) return;
    YamlNode* node = NewNode(mark, YamlNode::Kind::kScalar);
    if (node == nullptr) return;
    node->plain = tag == "?";
    node->scalar = value;
    anchors_[anchor] = node;
    Add(mark, node);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    if (CheckTag(mark, tag)) Open(mark, YamlNode::Kind::kList, anchor);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag,
                  YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    if (CheckTag(mark, tag)) Open(mark, YamlNode::Kind::kMap, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  // A list or map that is not closed yet.
  struct Frame {
    YamlNode* node;
    YAML::anchor_t anchor;
    bool has_key = false;
    absl::flat_hash_map<std::string, int> key_lines;
  };

  void Fail(const YAML::Mark& mark, absl::string_view what) {
    if (status_.ok()) status_ = BlueprintError(file_, mark.line + 1, what);
  }

  bool CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return status_.ok();
    Fail(mark, absl::StrCat("tags such as \"", ClipValue(tag),
                            "\" are not supported"));
    return false;
  }

  YamlNode* NewNode(const YAML::Mark& mark, YamlNode::Kind kind) {
    if (!status_.ok()) return nullptr;
    if (tree_.nodes_.size() >= kMaxNodes) {
      Fail(mark, absl::StrCat("more than ", kMaxNodes, " values"));
      return nullptr;
    }
    YamlNode& node = tree_.nodes_.emplace_back();
    node.kind = kind;
    node.line = mark.line + 1;
    return &node;
  }

  void Open(const YAML::Mark& mark, YamlNode::Kind kind,
            YAML::anchor_t anchor) {
    YamlNode* node = NewNode(mark, kind);
    if (node == nullptr) return;
    if (frames_.size() >= kMaxDepth) {
      return Fail(mark,
                  absl::StrCat("nested more than ", kMaxDepth, " levels deep"));
    }
    if (!frames_.empty() && frames_.back().node->kind == YamlNode::Kind::kMap &&
        !frames_.back().has_key) {
      return Fail(mark, "a list or map cannot be a key");
    }
    Frame frame;
    frame.node = node;
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }

  void Close() {
    if (!status_.ok()) return;
    YamlNode* node = frames_.back().node;
    anchors_[frames_.back().anchor] = node;
    frames_.pop_back();
    YAML::Mark mark;
    mark.line = node->line - 1;
    Add(mark, node);
  }

  void Add(const YAML::Mark& mark, const YamlNode* node) {
    if (frames_.empty()) {
      if (node->kind != YamlNode::Kind::kNull) {
        tree_.documents_.push_back(node);
      }
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node->kind == YamlNode::Kind::kList) {
      frame.node->items.push_back(node);
      return;
    }
    if (frame.has_key) {
      frame.node->entries.back().value = node;
      frame.has_key = false;
      return;
    }
    AddKey(mark, frame, node);
  }

  void AddKey(const YAML::Mark& mark, Frame& frame, const YamlNode* node) {
    if (node->kind != YamlNode::Kind::kScalar) {
      return Fail(mark, absl::StrCat("a key is a text, not ",
                                     YamlKindName(node->kind)));
    }
    const std::string& key = node->scalar;
    if (key == "<<" && node->plain) {
      return Fail(mark, "merge keys (\"<<\") are not supported");
    }
    int line = mark.line + 1;
    auto [earlier, inserted] = frame.key_lines.emplace(key, line);
    if (!inserted) {
      return Fail(mark, absl::StrCat("key \"", ClipValue(key),
                                     "\" is given twice, first in line ",
                                     earlier->second));
    }
    YamlEntry entry;
    entry.key = key;
    entry.line = line;
    frame.node->entries.push_back(std::move(entry));
    frame.has_key = true;
  }

  const absl::string_view file_;
  YamlTree& tree_;
  absl::Status& status_;
  std::vector<Frame> frames_;
  absl::flat_hash_map<YAML::anchor_t, const YamlNode*> anchors_;
};

const YamlNode* YamlNode::Find(absl::string_view key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return entry.value;
  }
  return nullptr;
}

absl::string_view YamlKindName(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a text";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "?";
}

absl::Status BlueprintError(absl::string_view file, int line,
                            absl::string_view what) {
  std::string place = file.empty() ? absl::StrCat("line ", line)
                                   : absl::StrCat(file, ":", line);
  return WithReason(absl::InvalidArgumentError(absl::StrCat(place, ": ", what)),
                    "BLUEPRINT_INVALID",
                    {{"field", "blueprint"}, {"line", absl::StrCat(line)}});
}

absl::StatusOr<std::unique_ptr<YamlTree>> YamlTree::Parse(
    absl::string_view file, absl::string_view text) {
  size_t valid = ValidUtf8Prefix(text);
  size_t nul = text.find('\0');
  if (nul != absl::string_view::npos && nul < valid) valid = nul;
  if (valid < text.size()) {
    int line = 1;
    for (char c : text.substr(0, valid)) line += c == '\n';
    return BlueprintError(file, line, "not UTF-8 text");
  }
  auto tree = std::make_unique<YamlTree>();
  absl::Status status;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    bool more = true;
    while (more) {
      // Anchors are a document's own.
      YamlTreeBuilder builder(file, tree.get(), &status);
      more = parser.HandleNextDocument(builder);
      KINORA_RETURN_IF_ERROR(status);
    }
    if (tree->documents_.empty()) {
      return BlueprintError(file, 1, "the blueprint is empty");
    }
  } catch (const YAML::Exception& e) {
    // The builder's error comes first in the text, so it is the better one.
    KINORA_RETURN_IF_ERROR(status);
    return BlueprintError(
        file, e.mark.line + 1,
        absl::StrCat("not YAML: ", IsIndentedByTab(text, e.mark.line)
                                       ? "indentation is by spaces, not tabs"
                                       : ClipValue(e.msg)));
  } catch (const std::exception& e) {
    return BlueprintError(file, 1,
                          absl::StrCat("not YAML: ", ClipValue(e.what())));
  }
  return tree;
}

absl::StatusOr<JsonValue> ToJson(const YamlNode& node) {
  int budget = kMaxJsonValues;
  return ToJsonCounted(node, 0, &budget);
}

}  // namespace kinora
