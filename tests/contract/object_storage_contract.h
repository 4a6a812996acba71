// What every ObjectStorage must do. A driver's test includes this header and
// says
//
//   INSTANTIATE_TEST_SUITE_P(Memory, ObjectStorageContract,
//                            testing::Values(&MakeMemory));

#ifndef KINORA_TESTS_CONTRACT_OBJECT_STORAGE_CONTRACT_H_
#define KINORA_TESTS_CONTRACT_OBJECT_STORAGE_CONTRACT_H_

#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/files/file_system.h"
#include "common/files/file_url.h"
#include "common/testing/status_matchers.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Owns a storage and what it needs. Each test gets an empty one.
class ObjectStorageFixture {
 public:
  virtual ~ObjectStorageFixture() = default;
  virtual ObjectStorage& storage() = 0;
};

using ObjectStorageFactory = std::unique_ptr<ObjectStorageFixture> (*)();

class ObjectStorageContract
    : public testing::TestWithParam<ObjectStorageFactory> {
 protected:
  ObjectStorage& storage() { return fixture_->storage(); }

  // Writes "aa", "bb" in two pieces and commits them as `key`.
  absl::StatusOr<bool> Upload(absl::string_view key, absl::string_view bytes) {
    auto writer = storage().StartWrite("builds/m/blobs/");
    if (!writer.ok()) return writer.status();
    const size_t half = bytes.size() / 2;
    const absl::Status appended = (*writer)->Append(bytes.substr(0, half));
    if (!appended.ok()) return appended;
    const absl::Status rest = (*writer)->Append(bytes.substr(half));
    if (!rest.ok()) return rest;
    return (*writer)->CommitIfAbsent(key);
  }

  // Every entry below `prefix`, page by page; prefixes as they are.
  std::vector<std::string> ListAll(absl::string_view prefix, int page_size) {
    std::vector<std::string> all;
    std::string token;
    do {
      const auto page = storage().List(prefix, page_size, token);
      EXPECT_OK(page);
      if (!page.ok()) return all;
      const size_t entries = page->objects.size() + page->prefixes.size();
      EXPECT_LE(entries, static_cast<size_t>(page_size));
      for (const ObjectInfo& object : page->objects) all.push_back(object.key);
      for (const std::string& below : page->prefixes) all.push_back(below);
      token = page->next_token;
    } while (!token.empty());
    return all;
  }

 private:
  std::unique_ptr<ObjectStorageFixture> fixture_ = GetParam()();
};

// F: S0-20
TEST_P(ObjectStorageContract, ReadsWhatWasWritten) {
  const std::string bytes("\0\xff\n binary", 10);
  ASSERT_OK(storage().Write("builds/m/a.json", bytes));
  EXPECT_THAT(ReadObject(storage(), "builds/m/a.json"), IsOkAndHolds(bytes));
  ASSERT_OK_AND_ASSIGN(ObjectInfo info, storage().Stat("builds/m/a.json"));
  EXPECT_EQ(info.key, "builds/m/a.json");
  EXPECT_EQ(info.size_bytes, 10);
}

TEST_P(ObjectStorageContract, WriteReplacesTheObject) {
  ASSERT_OK(storage().Write("builds/m/a", "a longer text"));
  ASSERT_OK(storage().Write("builds/m/a", "new"));
  EXPECT_THAT(ReadObject(storage(), "builds/m/a"), IsOkAndHolds("new"));
}

TEST_P(ObjectStorageContract, ReadsRanges) {
  ASSERT_OK(storage().Write("builds/m/a", "0123456789"));
  EXPECT_THAT(storage().Read("builds/m/a", 3, 4), IsOkAndHolds("3456"));
  EXPECT_THAT(storage().Read("builds/m/a", 8, 100), IsOkAndHolds("89"));
  EXPECT_THAT(storage().Read("builds/m/a", 10, 5), IsOkAndHolds(""));
  EXPECT_THAT(storage().Read("builds/m/a", 0, 0), IsOkAndHolds(""));
  EXPECT_THAT(storage().Read("builds/m/a", 11, 1),
              StatusIs(absl::StatusCode::kOutOfRange,
                       testing::HasSubstr("builds/m/a")));
  EXPECT_THAT(storage().Read("builds/m/a", -1, 1),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::HasSubstr("offset")));
}

// Whoever reads there finds what the storage would give.
TEST_P(ObjectStorageContract, AUrlLeadsToTheObject) {
  const std::string key = "builds/m/blobs/7f/100%41-1._x";
  ASSERT_OK(storage().Write(key, "the bytes"));
  const std::string url = storage().UrlOf(key);
  EXPECT_EQ(storage().UrlOf("builds/none").empty(), url.empty());
  for (const char* malformed : {"", "/etc/passwd", "../a", "builds//a", "a/"}) {
    EXPECT_EQ(storage().UrlOf(malformed), "") << malformed;
  }
  if (!absl::StartsWith(url, "file:")) return;
  ASSERT_OK_AND_ASSIGN(const std::string path, PathOfFileUrl("url", url));
  EXPECT_THAT(ReadFile(PosixFileSystem(), path), IsOkAndHolds("the bytes"));
}

TEST_P(ObjectStorageContract, AMissingObjectIsNotFound) {
  ASSERT_OK(storage().Write("builds/m/a", "x"));
  for (const char* key : {"builds/m/b", "builds/other/a", "builds/m"}) {
    EXPECT_THAT(ReadObject(storage(), key),
                StatusIs(absl::StatusCode::kNotFound, testing::HasSubstr(key)));
    EXPECT_THAT(storage().Stat(key), StatusIs(absl::StatusCode::kNotFound));
    EXPECT_OK(storage().Delete(key));
  }
  EXPECT_THAT(ReadObject(storage(), "builds/m/a"), IsOkAndHolds("x"));
}

TEST_P(ObjectStorageContract, MalformedKeysAreRefused) {
  const std::string keys[] = {"",
                              "/a",
                              "a/",
                              "a//b",
                              "a/..",
                              "./a",
                              "a b",
                              "a~",
                              "a\\b",
                              "a\nb",
                              "\xc3\xa4",
                              std::string("a\0", 2),
                              std::string(256, 'a')};
  for (const std::string& key : keys) {
    const auto refused = StatusIs(absl::StatusCode::kInvalidArgument,
                                  testing::StartsWith("key"));
    EXPECT_THAT(ReadObject(storage(), key), refused);
    EXPECT_THAT(storage().Stat(key), refused);
    EXPECT_THAT(storage().Write(key, "x"), refused);
    EXPECT_THAT(storage().CompareAndSwap(key, std::nullopt, "x"), refused);
    EXPECT_THAT(storage().Delete(key), refused);
    EXPECT_THAT(Upload(key, "x"), refused);
  }
  EXPECT_OK(storage().Write("A.z_9%3A-/.hidden", "x"));
}

TEST_P(ObjectStorageContract, MalformedListingsAreRefused) {
  EXPECT_THAT(storage().List("builds", 10, ""),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::StartsWith("prefix")));
  EXPECT_THAT(storage().List("builds/../", 10, ""),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::StartsWith("prefix")));
  EXPECT_THAT(storage().List("builds/", 0, ""),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::StartsWith("page_size")));
}

TEST_P(ObjectStorageContract, CommitIfAbsentKeepsTheFirst) {
  EXPECT_THAT(Upload("builds/m/blobs/7f/7f3c", "first"), IsOkAndHolds(true));
  EXPECT_THAT(Upload("builds/m/blobs/7f/7f3c", "second"), IsOkAndHolds(false));
  EXPECT_THAT(ReadObject(storage(), "builds/m/blobs/7f/7f3c"),
              IsOkAndHolds("first"));
}

TEST_P(ObjectStorageContract, AnObjectIsNotSeenBeforeItsCommit) {
  ASSERT_OK_AND_ASSIGN(auto writer, storage().StartWrite("builds/m/blobs/"));
  ASSERT_OK(writer->Append("half"));
  EXPECT_THAT(ListAll("builds/m/blobs/", 10), testing::IsEmpty());
  writer.reset();
  EXPECT_THAT(ListAll("builds/m/blobs/", 10), testing::IsEmpty());
}

TEST_P(ObjectStorageContract, CompareAndSwapMovesOnlyFromWhatIsExpected) {
  const auto lost =
      StatusIs(absl::StatusCode::kAborted, testing::HasSubstr("builds/m/cur"));
  EXPECT_THAT(storage().CompareAndSwap("builds/m/cur", "x", "1"), lost);
  EXPECT_OK(storage().CompareAndSwap("builds/m/cur", std::nullopt, "1"));
  EXPECT_THAT(storage().CompareAndSwap("builds/m/cur", std::nullopt, "2"),
              lost);
  EXPECT_THAT(storage().CompareAndSwap("builds/m/cur", "", "2"), lost);
  EXPECT_OK(storage().CompareAndSwap("builds/m/cur", "1", "2"));
  EXPECT_THAT(storage().CompareAndSwap("builds/m/cur", "1", "3"), lost);
  EXPECT_THAT(ReadObject(storage(), "builds/m/cur"), IsOkAndHolds("2"));
}

TEST_P(ObjectStorageContract, ListsPageByPage) {
  for (const char* key : {"b/m/a", "b/m/a-b", "b/m/d/x", "b/m/d/y", "b/m/e",
                          "b/m/f/g/h", "b/n/a"}) {
    ASSERT_OK(storage().Write(key, key));
  }
  for (int page_size = 1; page_size <= 6; ++page_size) {
    EXPECT_THAT(ListAll("b/m/", page_size),
                testing::UnorderedElementsAre("b/m/a", "b/m/a-b", "b/m/d/",
                                              "b/m/e", "b/m/f/"));
  }
  EXPECT_THAT(ListAll("b/none/", 10), testing::IsEmpty());
  ASSERT_OK_AND_ASSIGN(ObjectPage page, storage().List("b/m/", 10, ""));
  ASSERT_EQ(page.objects.size(), 3u);
  EXPECT_EQ(page.objects[1].key, "b/m/a-b");
  EXPECT_EQ(page.objects[1].size_bytes, 7);
}

TEST_P(ObjectStorageContract, ADeletedObjectIsGone) {
  ASSERT_OK(storage().Write("b/m/a", "1"));
  ASSERT_OK(storage().Write("b/m/b", "2"));
  ASSERT_OK(storage().Delete("b/m/a"));
  EXPECT_THAT(storage().Stat("b/m/a"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ListAll("b/m/", 10), testing::ElementsAre("b/m/b"));
  EXPECT_THAT(Upload("b/m/a", "again"), IsOkAndHolds(true));
}

TEST_P(ObjectStorageContract, DeletesManyAndThoseThatAreNotThere) {
  std::vector<std::string> keys;
  for (int i = 0; i < 20; ++i) {
    keys.push_back(absl::StrCat("b/", i % 3, "/", i));
    if (i == 7) continue;
    ASSERT_OK(storage().Write(keys.back(), "x"));
  }
  ASSERT_OK(storage().Write("b/0/kept", "x"));
  ASSERT_OK(storage().DeleteAll(keys));
  EXPECT_THAT(ListAll("b/0/", 10), testing::ElementsAre("b/0/kept"));
  EXPECT_THAT(ListAll("b/1/", 10), testing::IsEmpty());
  EXPECT_THAT(storage().DeleteAll({"b//x"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(ObjectStorageContract, AReaderKeepsTheBytesOfAnObjectThatIsGone) {
  ASSERT_OK(storage().Write("b/x", "0123456789"));
  ASSERT_OK_AND_ASSIGN(const auto reader, storage().OpenRead("b/x"));
  EXPECT_EQ(reader->size_bytes(), 10);
  ASSERT_OK(storage().Delete("b/x"));
  ASSERT_OK(storage().Write("b/x", "new"));
  std::string bytes(4, ' ');
  EXPECT_THAT(reader->ReadAt(3, absl::MakeSpan(bytes)), IsOkAndHolds(4u));
  EXPECT_EQ(bytes, "3456");
  EXPECT_THAT(reader->ReadAt(8, absl::MakeSpan(bytes)), IsOkAndHolds(2u));
  EXPECT_THAT(reader->ReadAt(11, absl::MakeSpan(bytes)), IsOkAndHolds(0u));
  EXPECT_THAT(storage().OpenRead("b/y").status(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(ObjectStorageContract, RenewMakesAnObjectYoungAndLeavesItsBytes) {
  ASSERT_OK(storage().Write("b/x", "bytes"));
  ASSERT_OK_AND_ASSIGN(const ObjectInfo before, storage().Stat("b/x"));
  ASSERT_OK(storage().Renew("b/x"));
  ASSERT_OK_AND_ASSIGN(const ObjectInfo after, storage().Stat("b/x"));
  EXPECT_GE(after.create_time, before.create_time);
  EXPECT_THAT(ReadObject(storage(), "b/x"), IsOkAndHolds("bytes"));
  EXPECT_THAT(storage().Renew("b/y"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(ObjectStorageContract, CreatesManyEachAlone) {
  for (const int count : {2, 30}) {
    const std::string prefix = absl::StrCat("b/m", count, "/");
    ASSERT_OK(storage().Write(prefix + "0/old", "old"));
    std::vector<std::string> bytes;
    std::vector<NewObject> objects(count);
    for (int i = 0; i < count; ++i) bytes.push_back(absl::StrCat("bytes ", i));
    for (int i = 0; i < count; ++i) {
      objects[i].key = absl::StrCat(prefix, i % 5, "/", i);
      objects[i].bytes = bytes[i];
    }
    objects[0].key = prefix + "0/old";
    objects.push_back({.key = "b//x", .bytes = "never"});
    objects.push_back({.key = objects[1].key, .bytes = "late"});
    storage().CreateAll(absl::MakeSpan(objects));
    EXPECT_THAT(objects[0].created, IsOkAndHolds(false));
    EXPECT_THAT(ReadObject(storage(), objects[0].key), IsOkAndHolds("old"));
    for (int i = 1; i < count; ++i) {
      EXPECT_THAT(objects[i].created, IsOkAndHolds(true));
      EXPECT_THAT(ReadObject(storage(), objects[i].key),
                  IsOkAndHolds(bytes[i]));
    }
    EXPECT_THAT(objects[count].created,
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(objects[count + 1].created, IsOkAndHolds(false));
  }
}

TEST_P(ObjectStorageContract, OfManyUploadsOfOneKeyOneIsNew) {
  std::atomic<int> created = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, &created] {
      const auto is_new = Upload("builds/m/blobs/aa/aa1", "the bytes");
      EXPECT_OK(is_new);
      if (is_new.ok() && *is_new) ++created;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(created, 1);
  EXPECT_THAT(ReadObject(storage(), "builds/m/blobs/aa/aa1"),
              IsOkAndHolds("the bytes"));
}

// Threads count up one number by compare-and-swap; none of the steps is lost.
TEST_P(ObjectStorageContract, CompareAndSwapLosesNoUpdate) {
  constexpr int kThreads = 4, kSteps = 8;
  ASSERT_OK(storage().Write("b/counter", "0"));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      for (int step = 0; step < kSteps;) {
        const auto now = ReadObject(storage(), "b/counter");
        ASSERT_OK(now);
        const absl::Status swapped = storage().CompareAndSwap(
            "b/counter", *now, absl::StrCat(std::stoi(*now) + 1));
        if (swapped.ok()) {
          ++step;
        } else {
          ASSERT_THAT(swapped, StatusIs(absl::StatusCode::kAborted));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(ReadObject(storage(), "b/counter"),
              IsOkAndHolds(absl::StrCat(kThreads * kSteps)));
}

// F: S1-57
// Readers see one of the values that were written, whole.
TEST_P(ObjectStorageContract, AReaderNeverSeesAMixture) {
  const std::string a(20000, 'a'), b(30000, 'b');
  ASSERT_OK(storage().Write("b/x", a));
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const auto seen = ReadObject(storage(), "b/x");
      ASSERT_OK(seen);
      ASSERT_TRUE(*seen == a || *seen == b);
    }
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_OK(storage().Write("b/x", i % 2 == 0 ? b : a));
  }
  done = true;
  reader.join();
}

}  // namespace kinora

#endif  // KINORA_TESTS_CONTRACT_OBJECT_STORAGE_CONTRACT_H_
