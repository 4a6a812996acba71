// Archives of copies taken apart and put together again, for tests of what a
// restoration refuses.

#ifndef KINORA_SERVICES_STORE_BACKUP_COPY_ARCHIVES_H_
#define KINORA_SERVICES_STORE_BACKUP_COPY_ARCHIVES_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

#include "common/digest.h"
#include "common/testing/status_matchers.h"
#include "services/store/backup/tar_reader.h"
#include "services/store/backup/tar_writer.h"

namespace kinora {

// Its name and its bytes.
using Member = std::pair<std::string, std::string>;

inline std::vector<Member> MembersOf(absl::string_view copy) {
  std::vector<Member> members;
  const auto read = [&]() -> absl::StatusOr<std::string> {
    const std::string piece(copy.substr(0, 9999));
    copy.remove_prefix(piece.size());
    return piece;
  };
  auto tar = TarReader::Start(read);
  EXPECT_OK(tar);
  for (;;) {
    const auto member = (*tar)->Next();
    EXPECT_OK(member);
    if (!member.ok() || !member->has_value()) return members;
    members.emplace_back((*member)->path, "");
    for (;;) {
      const auto piece = (*tar)->Read();
      EXPECT_OK(piece);
      if (!piece.ok() || piece->empty()) break;
      members.back().second.append(piece->data(), piece->size());
    }
  }
}

// An archive of the members, in their order. The list of hashes is made anew
// where there is one, so that nothing but the change itself is wrong.
inline std::string ArchiveOf(const std::vector<Member>& members) {
  std::string copy;
  const auto write = [&](absl::string_view bytes) {
    absl::StrAppend(&copy, bytes);
    return absl::OkStatus();
  };
  auto tar = TarWriter::Start(write, absl::FromUnixSeconds(1));
  std::string sums;
  for (const Member& member : members) {
    const std::string& bytes =
        member.first == "SHA256SUMS" ? sums : member.second;
    EXPECT_OK((*tar)->BeginMember(member.first, bytes.size()));
    EXPECT_OK((*tar)->Append(bytes));
    absl::StrAppend(&sums, Sha256Of(bytes).Hex(), "  ", member.first, "\n");
  }
  EXPECT_OK((*tar)->Finish());
  return copy;
}

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_COPY_ARCHIVES_H_
