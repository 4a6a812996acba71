#include "clients/cli/difference_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "clients/cli/content_text.h"

namespace kinora {
namespace {

std::string DescribeProducer(const v1::ProducerIdentity& producer) {
  if (producer.name().empty()) return "nothing";
  return absl::StrCat(producer.name(), " version \"", producer.version(), "\"");
}

std::string DescribeSetting(const v1::KeyChange& setting) {
  if (setting.name().empty()) return "settings";
  return absl::StrCat(
      setting.name(), ": ",
      setting.old_text().empty() ? "nothing" : setting.old_text(), " -> ",
      setting.new_text().empty() ? "nothing" : setting.new_text());
}

}  // namespace

std::string ShortHash(const std::string& hash) {
  return hash.empty() ? "nothing" : hash.substr(0, 12);
}

std::string ValueChange(const v1::Content& before, const v1::Content& after,
                        bool had, bool has) {
  return absl::StrCat(had ? ShowValue(before) : "nothing", " -> ",
                      has ? ShowValue(after) : "nothing");
}

std::string DescribeDifference(const v1::Difference& difference) {
  if (difference.node().empty()) {
    return absl::StrFormat(
        "~ %s  %s  %s\n", difference.id(),
        ValueChange(difference.old_content(), difference.new_content(),
                    difference.has_old_content(), difference.has_new_content()),
        difference.reason().text());
  }
  const char mark = difference.old_hash().empty()   ? '+'
                    : difference.new_hash().empty() ? '-'
                                                    : '~';
  return absl::StrFormat(
      "%c %s  %s -> %s  %s%s\n", mark, difference.id(),
      ShortHash(difference.old_hash()), ShortHash(difference.new_hash()),
      difference.origin() == v1::VALUE_ORIGIN_REUSED ? "reused; " : "",
      difference.reason().text());
}

std::string DescribeNode(const v1::NodeDifference& node) {
  std::vector<std::string> changes;
  const std::string before = DescribeProducer(node.old_producer());
  const std::string after = DescribeProducer(node.new_producer());
  if (before != after) changes.push_back(absl::StrCat(before, " -> ", after));
  for (const v1::KeyChange& setting : node.settings()) {
    changes.push_back(DescribeSetting(setting));
  }
  return absl::StrFormat("~ node %s  %s\n", node.node(),
                         absl::StrJoin(changes, "; "));
}

std::string DescribeChange(const v1::KeyChange& change) {
  switch (change.part()) {
    case v1::KEY_PART_SETTING:
      return absl::StrCat("setting ", DescribeSetting(change));
    case v1::KEY_PART_SETTINGS:
      return "settings: which ones is not known any more";
    case v1::KEY_PART_SALT:
      if (change.old_text() == change.new_text()) return "";
      return absl::StrCat("salt \"", change.old_text(), "\" -> \"",
                          change.new_text(), "\"");
    case v1::KEY_PART_WIRING:
      return absl::StrCat(
          "reads as ", change.name(), ": ",
          change.old_source_id().empty() ? "nothing" : change.old_source_id(),
          " -> ",
          change.new_source_id().empty() ? "nothing" : change.new_source_id());
    case v1::KEY_PART_INPUT:
    case v1::KEY_PART_ARTEFACT:
      return absl::StrCat(
          "reads as ", change.name(), ": ", change.new_source_id(), "  ",
          ShortHash(change.old_hash()), " -> ", ShortHash(change.new_hash()));
    default:
      return "";  // the reason says it all
  }
}

}  // namespace kinora
