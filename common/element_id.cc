#include "common/element_id.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/digest.h"
#include "common/ids.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr absl::string_view kInputPrefix = "Input:";
constexpr absl::string_view kArtefactPrefix = "Artifact:";
constexpr size_t kMaxFileNameBytes = 200;

bool IsNameByte(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// Reads `Name[dimension=0]...` from the byte `at` of an id on.
class IdParser {
 public:
  IdParser(absl::string_view field, absl::string_view text, size_t at)
      : field_(field), text_(text), at_(at) {}

  absl::Status Parse(std::string* name, std::vector<DimensionIndex>* indices) {
    if (text_.size() > kMaxElementIdBytes) {
      return InvalidField(field_, text_,
                          absl::StrCat("must be at most ", kMaxElementIdBytes,
                                       " bytes, has ", text_.size()));
    }
    KINORA_RETURN_IF_ERROR(ParseName(name));
    while (at_ < text_.size()) {
      if (indices->size() == kMaxDimensionsPerId) {
        return Expected(
            absl::StrCat("at most ", kMaxDimensionsPerId, " dimensions"));
      }
      DimensionIndex index;
      KINORA_RETURN_IF_ERROR(ParseIndex(&index));
      for (const DimensionIndex& earlier : *indices) {
        if (earlier.dimension == index.dimension) {
          return InvalidField(
              field_, text_,
              absl::StrCat("names the dimension ", index.dimension, " twice"));
        }
      }
      indices->push_back(std::move(index));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Expected(absl::string_view what) const {
    return InvalidField(field_, text_,
                        absl::StrCat("expected ", what, " at byte ", at_));
  }

  absl::Status Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) {
      return Expected(absl::StrFormat("'%c'", c));
    }
    ++at_;
    return absl::OkStatus();
  }

  absl::Status ParseName(std::string* name) {
    const size_t start = at_;
    if (at_ == text_.size() || !absl::ascii_isalpha(text_[at_])) {
      return Expected("a name, which begins with a letter,");
    }
    while (at_ < text_.size() && IsNameByte(text_[at_])) ++at_;
    if (at_ - start > kMaxNameBytes) {
      at_ = start;
      return Expected(
          absl::StrCat("a name of at most ", kMaxNameBytes, " bytes"));
    }
    *name = std::string(text_.substr(start, at_ - start));
    return absl::OkStatus();
  }

  absl::Status ParseIndex(DimensionIndex* index) {
    KINORA_RETURN_IF_ERROR(Take('['));
    KINORA_RETURN_IF_ERROR(ParseName(&index->dimension));
    KINORA_RETURN_IF_ERROR(Take('='));
    const size_t start = at_;
    while (at_ < text_.size() && absl::ascii_isdigit(text_[at_])) ++at_;
    const absl::string_view digits = text_.substr(start, at_ - start);
    const bool canonical = digits == "0" || !absl::StartsWith(digits, "0");
    if (!canonical || !absl::SimpleAtoi(digits, &index->index)) {
      at_ = start;
      return Expected("a number without leading zeros, up to 4294967295,");
    }
    return Take(']');
  }

  const absl::string_view field_;
  const absl::string_view text_;
  size_t at_;
};

absl::StatusOr<ElementId> ParseAfterPrefix(absl::string_view text, size_t at,
                                           ElementId::Kind kind) {
  ElementId id;
  id.kind = kind;
  KINORA_RETURN_IF_ERROR(IdParser("id", text, at).Parse(&id.name, &id.indices));
  return id;
}

}  // namespace

absl::StatusOr<ElementId> ElementId::Parse(absl::string_view text) {
  if (absl::StartsWith(text, kInputPrefix)) {
    return ParseAfterPrefix(text, kInputPrefix.size(), Kind::kInput);
  }
  if (absl::StartsWith(text, kArtefactPrefix)) {
    return ParseAfterPrefix(text, kArtefactPrefix.size(), Kind::kArtefact);
  }
  return InvalidField("id", text,
                      "expected \"Input:\" or \"Artifact:\" at byte 0");
}

absl::StatusOr<ElementId> ElementId::Parse(absl::string_view text,
                                           Kind default_kind) {
  if (text.find(':') != absl::string_view::npos) return Parse(text);
  return ParseAfterPrefix(text, 0, default_kind);
}

std::string ElementId::ToString() const {
  std::string text =
      absl::StrCat(kind == Kind::kInput ? kInputPrefix : kArtefactPrefix, name);
  AppendIndices(indices, &text);
  return text;
}

absl::StatusOr<JobId> JobId::Parse(absl::string_view text) {
  JobId id;
  KINORA_RETURN_IF_ERROR(
      IdParser("job_id", text, 0).Parse(&id.producer, &id.indices));
  return id;
}

std::string JobId::ToString() const {
  std::string text = producer;
  AppendIndices(indices, &text);
  return text;
}

void AppendIndices(const std::vector<DimensionIndex>& indices,
                   std::string* out) {
  for (const DimensionIndex& index : indices) {
    absl::StrAppend(out, "[", index.dimension, "=", index.index, "]");
  }
}

std::string FileNameOfId(absl::string_view id) {
  std::string name;
  for (const char c : id) {
    const bool plain = absl::ascii_isalnum(c) || c == '_' || c == '-' ||
                       (c == '.' && !name.empty());
    if (plain) {
      name += c;
    } else {
      absl::StrAppendFormat(&name, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  if (name.size() <= kMaxFileNameBytes) return name;
  return absl::StrCat("sha256-", Sha256Of(id).Hex());
}

}  // namespace kinora
