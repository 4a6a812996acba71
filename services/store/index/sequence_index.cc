#include "services/store/index/sequence_index.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/status.h"
#include "common/telemetry/log.h"

namespace kinora {
namespace {

constexpr absl::string_view kSuffix = ".index";
constexpr int kListPage = 1000;

// Of the pages kept in memory: 4 MiB.
constexpr size_t kMaxPages = 1024;

}  // namespace

uint64_t IndexHash(absl::string_view key) {
  // FNV-1a, and the finish of MurmurHash3, so that all bits are even.
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

std::string SequenceIndex::KeyOf(int64_t first, int64_t last) const {
  return absl::StrCat(prefix_, name_,
                      absl::StrFormat("-%019d-%019d", first, last), kSuffix);
}

int64_t SequenceIndex::saved_through() const {
  return tables_.empty() ? 0 : tables_.back().table.info().last_sequence;
}

absl::StatusOr<std::vector<IndexTableInfo>> SequenceIndex::ListTables() {
  std::vector<IndexTableInfo> found;
  const std::string start = absl::StrCat(prefix_, name_, "-");
  std::string token;
  do {
    KINORA_ASSIGN_OR_RETURN(ObjectPage page,
                            storage_.List(prefix_, kListPage, token));
    for (const ObjectInfo& object : page.objects) {
      absl::string_view name = object.key;
      if (!absl::StartsWith(name, start) || !absl::EndsWith(name, kSuffix)) {
        continue;
      }
      name = name.substr(start.size());
      IndexTableInfo info;
      const size_t dash = name.find('-');
      if (dash == absl::string_view::npos) continue;
      absl::string_view last = name.substr(dash + 1);
      last.remove_suffix(kSuffix.size());
      if (absl::SimpleAtoi(name.substr(0, dash), &info.first_sequence) &&
          absl::SimpleAtoi(last, &info.last_sequence)) {
        found.push_back(info);
      }
    }
    token = page.next_token;
  } while (!token.empty());
  // Of those with one beginning the longest first: it was merged of the others.
  std::sort(found.begin(), found.end(),
            [](const IndexTableInfo& a, const IndexTableInfo& b) {
              return a.first_sequence != b.first_sequence
                         ? a.first_sequence < b.first_sequence
                         : a.last_sequence > b.last_sequence;
            });
  return found;
}

absl::Status SequenceIndex::Open(
    int64_t oldest,
    absl::FunctionRef<absl::StatusOr<bool>(int64_t sequence,
                                           absl::string_view line_crc)>
        fits) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<IndexTableInfo> found,
                          ListTables());
  tables_.clear();  // of a call before that failed
  for (const IndexTableInfo& info : found) {
    const std::string key = KeyOf(info.first_sequence, info.last_sequence);
    absl::Status taken = absl::DataLossError("does not follow the one before");
    if (tables_.empty() ? info.first_sequence <= oldest
                        : info.first_sequence == saved_through() + 1) {
      taken = AddTable(key);
    }
    if (taken.ok()) continue;
    if (!absl::IsDataLoss(taken) && !absl::IsNotFound(taken)) return taken;
    // A part of a merged one, or damaged: in either case of no more use.
    KINORA_RETURN_IF_ERROR(storage_.Delete(key));
  }
  through_ = saved_through();
  if (tables_.empty()) return absl::OkStatus();
  line_crc_ = tables_.back().table.info().line_crc;
  KINORA_ASSIGN_OR_RETURN(const bool fit, fits(through_, line_crc_));
  if (!fit) return DropFrom(0, absl::DataLossError("it is of another log"));
  for (const Table& table : tables_) {
    if (table.table.info().version == kIndexVersion) continue;
    return DropFrom(0, absl::DataLossError("it is of an older version"));
  }
  return absl::OkStatus();
}

absl::Status SequenceIndex::AddTable(absl::string_view key) {
  KINORA_ASSIGN_OR_RETURN(IndexTable table, IndexTable::Open(storage_, key));
  tables_.push_back({.table = std::move(table), .id = next_id_++});
  return absl::OkStatus();
}

absl::Status SequenceIndex::DropFrom(size_t at, const absl::Status& reason) {
  LogWarning("an index is made anew from the log",
             {{"index", tables_[at].table.key()}, {"reason", reason}});
  while (tables_.size() > at) {
    KINORA_RETURN_IF_ERROR(storage_.Delete(tables_.back().table.key()));
    tables_.pop_back();
  }
  through_ = saved_through();
  line_crc_ = tables_.empty() ? "" : tables_.back().table.info().line_crc;
  tail_first_ = 0;
  tail_.clear();
  latest_.clear();
  pages_.clear();
  return absl::OkStatus();
}

void SequenceIndex::Add(uint64_t hash, int64_t sequence) {
  const auto at = static_cast<int64_t>(tail_.size());
  const auto entry = latest_.try_emplace(hash, -1).first;
  tail_.push_back(
      {.entry = {.hash = hash, .sequence = sequence}, .before = entry->second});
  entry->second = at;
}

void SequenceIndex::Advance(int64_t first, int64_t sequence,
                            absl::string_view line_crc) {
  if (tail_first_ == 0) tail_first_ = first;
  through_ = sequence;
  line_crc_ = std::string(line_crc);
}

absl::Status SequenceIndex::Visit(
    uint64_t hash, int64_t through,
    absl::FunctionRef<absl::StatusOr<bool>(int64_t sequence)> visit) {
  const auto found = latest_.find(hash);
  int64_t at = found == latest_.end() ? -1 : found->second;
  for (; at >= 0; at = tail_[at].before) {
    const int64_t sequence = tail_[at].entry.sequence;
    if (sequence > through) continue;
    KINORA_ASSIGN_OR_RETURN(const bool more, visit(sequence));
    if (!more) return absl::OkStatus();
  }
  const IndexEntry wanted{.hash = hash, .sequence = through};
  for (size_t i = tables_.size(); i-- > 0;) {
    bool more = true;
    absl::Status visited;
    const absl::Status read =
        VisitTable(tables_[i], wanted, visit, &more, &visited);
    KINORA_RETURN_IF_ERROR(visited);
    if (absl::IsDataLoss(read) || absl::IsNotFound(read)) {
      KINORA_RETURN_IF_ERROR(DropFrom(i, read));
      return absl::AbortedError(read.message());
    }
    KINORA_RETURN_IF_ERROR(read);
    if (!more) break;
  }
  return absl::OkStatus();
}

absl::Status SequenceIndex::VisitTable(
    const Table& table, const IndexEntry& wanted,
    absl::FunctionRef<absl::StatusOr<bool>(int64_t sequence)> visit, bool* more,
    absl::Status* visited) {
  if (table.table.info().first_sequence > wanted.sequence) {
    return absl::OkStatus();
  }
  KINORA_ASSIGN_OR_RETURN(uint64_t number, LowerBoundPage(table, wanted));
  for (; number < table.table.info().pages(); ++number) {
    KINORA_ASSIGN_OR_RETURN(const Page page, PageOf(table, number));
    auto entry = std::lower_bound(page->begin(), page->end(), wanted);
    for (; entry != page->end(); ++entry) {
      if (entry->hash != wanted.hash) return absl::OkStatus();
      const absl::StatusOr<bool> answer = visit(entry->sequence);
      *visited = answer.status();
      *more = answer.ok() && *answer;
      if (!*more) return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

// The first page that ends at or after `wanted`. Hashes are even, so it is
// about where its share of all hashes says.
absl::StatusOr<uint64_t> SequenceIndex::LowerBoundPage(
    const Table& table, const IndexEntry& wanted) {
  uint64_t low = 0, high = table.table.info().pages();
  auto guess =
      static_cast<uint64_t>(static_cast<double>(wanted.hash) /
                            18446744073709551616.0 * static_cast<double>(high));
  for (int looks = 0; low < high; ++looks) {
    if (looks > 3) guess = low + (high - low) / 2;
    guess = std::min(std::max(guess, low), high - 1);
    KINORA_ASSIGN_OR_RETURN(const Page page, PageOf(table, guess));
    if (page->back() < wanted) {
      low = ++guess;
    } else {
      high = guess;
      if (guess > 0) --guess;
    }
  }
  return low;
}

absl::StatusOr<SequenceIndex::Page> SequenceIndex::PageOf(const Table& table,
                                                          uint64_t page) {
  const auto known = pages_.find({table.id, page});
  if (known != pages_.end()) return known->second;
  KINORA_ASSIGN_OR_RETURN(std::vector<IndexEntry> entries,
                          table.table.ReadPage(page));
  if (pages_.size() >= kMaxPages) pages_.clear();
  Page kept =
      std::make_shared<const std::vector<IndexEntry>>(std::move(entries));
  pages_[{table.id, page}] = kept;
  return kept;
}

absl::Status SequenceIndex::Save() {
  if (tail_first_ == 0) return absl::OkStatus();
  std::vector<IndexEntry> entries;
  entries.reserve(tail_.size());
  for (const TailEntry& entry : tail_) entries.push_back(entry.entry);
  std::sort(entries.begin(), entries.end());
  const IndexTableInfo info = {.first_sequence = tail_first_,
                               .last_sequence = through_,
                               .entries = entries.size(),
                               .line_crc = line_crc_};
  KINORA_ASSIGN_OR_RETURN(IndexTableWriter writer,
                          IndexTableWriter::Start(storage_, prefix_, info));
  for (const IndexEntry& entry : entries) {
    KINORA_RETURN_IF_ERROR(writer.Add(entry));
  }
  const std::string key = KeyOf(info.first_sequence, info.last_sequence);
  KINORA_RETURN_IF_ERROR(writer.Finish(key));
  KINORA_RETURN_IF_ERROR(AddTable(key));
  tail_first_ = 0;
  tail_.clear();
  latest_.clear();
  while (tables_.size() > 1 &&
         tables_[tables_.size() - 2].table.info().entries <=
             2 * tables_.back().table.info().entries) {
    const absl::Status merged = MergeLastTwo();
    if (absl::IsDataLoss(merged) || absl::IsNotFound(merged)) {
      KINORA_RETURN_IF_ERROR(DropFrom(tables_.size() - 2, merged));
      return absl::AbortedError(merged.message());
    }
    KINORA_RETURN_IF_ERROR(merged);
  }
  return absl::OkStatus();
}

absl::Status SequenceIndex::MergeLastTwo() {
  const IndexTable& older = tables_[tables_.size() - 2].table;
  const IndexTable& newer = tables_.back().table;
  IndexTableInfo info = newer.info();
  info.first_sequence = older.info().first_sequence;
  info.entries += older.info().entries;
  KINORA_ASSIGN_OR_RETURN(IndexTableWriter writer,
                          IndexTableWriter::Start(storage_, prefix_, info));
  struct Source {
    const IndexTable& table;
    uint64_t next_page = 0;
    std::vector<IndexEntry> entries;
    size_t at = 0;

    // False at the end.
    absl::StatusOr<bool> Fill() {
      if (at < entries.size()) return true;
      if (next_page == table.info().pages()) return false;
      KINORA_ASSIGN_OR_RETURN(entries, table.ReadPage(next_page++));
      at = 0;
      return true;
    }
  };
  Source a{.table = older}, b{.table = newer};
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(const bool more_a, a.Fill());
    KINORA_ASSIGN_OR_RETURN(const bool more_b, b.Fill());
    if (!more_a && !more_b) break;
    Source& next =
        !more_b || (more_a && a.entries[a.at] < b.entries[b.at]) ? a : b;
    KINORA_RETURN_IF_ERROR(writer.Add(next.entries[next.at++]));
  }
  const std::string key = KeyOf(info.first_sequence, info.last_sequence);
  const std::vector<std::string> parts = {older.key(), newer.key()};
  KINORA_RETURN_IF_ERROR(writer.Finish(key));
  KINORA_ASSIGN_OR_RETURN(IndexTable merged, IndexTable::Open(storage_, key));
  tables_.pop_back();
  tables_.back() = {.table = std::move(merged), .id = next_id_++};
  for (const std::string& part : parts) {
    KINORA_RETURN_IF_ERROR(storage_.Delete(part));
  }
  return absl::OkStatus();
}

}  // namespace kinora
