#include "clients/cpp/import/revision_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "clients/cpp/import/film_folder.h"
#include "common/digest.h"
#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<RevisionFolder> ReadFilm() {
  return ReadRevisionFolder(PosixFileSystem(), FilmFolder());
}

// F: S1-20
TEST(RevisionFolderTest, HoldsWhatEachRevisionHad) {
  ASSERT_OK_AND_ASSIGN(const RevisionFolder folder, ReadFilm());
  ASSERT_EQ(folder.revisions.size(), 3U);
  const FolderRevision& second = folder.revisions[1];
  EXPECT_EQ(second.name, "rev-0002");
  EXPECT_EQ(second.inputs.at("Input:Topic").bytes, "the northern sea");
  EXPECT_EQ(second.inputs.at("Input:SegmentCount").bytes, "2");
  EXPECT_EQ(second.artefacts.at("Artifact:Image[segment=0]").hash,
            Sha256Of("pixels 0").Hex());
  EXPECT_EQ(second.artefacts.at("Artifact:Image[segment=0]").mime_type,
            "image/png");
  EXPECT_EQ(folder.revisions[2].artefacts.size(), 1U);
  EXPECT_THAT(folder.unused,
              ElementsAre("revisions/rev-0002/images/sketch.png"));
}

// F: S1-20
TEST(RevisionFolderTest, TimelinesNameArtefacts) {
  ASSERT_OK_AND_ASSIGN(const RevisionFolder folder, ReadFilm());
  EXPECT_EQ(folder.revisions[0].artefacts.at("Artifact:Timeline").bytes,
            R"({"clips":[{"start":0,"url":"Artifact:Image[segment=0]"},)"
            R"({"start":2.5,"url":"Artifact:Image[segment=1]"},)"
            R"({"start":0,"url":"https://example.com/music.mp3"}],)"
            R"("title":"the sea"})");
  EXPECT_THAT(folder.revisions[1].artefacts.at("Artifact:Timeline").bytes,
              HasSubstr(R"({"start":0,"url":"Artifact:Image[segment=0]"})"));
}

void Write(const std::string& path, absl::string_view text) {
  ASSERT_OK(PosixFileSystem().CreateDirectories(ParentPath(path)));
  ASSERT_OK(WriteFileAtomically(PosixFileSystem(), path, text));
}

// A folder with the film's first revision and some of the second.
void CopyFilm(const TempDir& dir) {
  for (const char* file :
       {"blueprint.yaml", "revisions/rev-0001/inputs.json",
        "revisions/rev-0001/artefacts.json", "revisions/rev-0001/timeline.json",
        "revisions/rev-0001/images/0.png", "revisions/rev-0001/images/1.png",
        "revisions/rev-0002/inputs.json",
        "revisions/rev-0002/images/sketch.png"}) {
    ASSERT_OK_AND_ASSIGN(
        const std::string bytes,
        ReadFile(PosixFileSystem(), JoinPath(FilmFolder(), file)));
    Write(dir.Sub(file), bytes);
  }
}

// F: S1-20
TEST(RevisionFolderTest, ArtefactsMayShareAFile) {
  TempDir dir;
  CopyFilm(dir);
  Write(dir.Sub("revisions/rev-0001/artefacts.json"),
        R"({"Image[segment=1]": "images/0.png", "Poster": "images/0.png",
            "Image[segment=0]": "images/0.png", "Still": "images/1.png",
            "Cut": "timeline.json", "Timeline": "timeline.json"})");
  ASSERT_OK_AND_ASSIGN(const RevisionFolder folder,
                       ReadRevisionFolder(PosixFileSystem(), dir.path()));
  const auto& artefacts = folder.revisions[0].artefacts;
  EXPECT_EQ(artefacts.at("Artifact:Poster").hash,
            artefacts.at("Artifact:Image[segment=1]").hash);
  EXPECT_THAT(artefacts.at("Artifact:Timeline").bytes,
              HasSubstr(R"("url":"Artifact:Image[segment=0]")"));
  EXPECT_EQ(artefacts.at("Artifact:Cut").bytes,
            artefacts.at("Artifact:Timeline").bytes);
}

// F: S1-20
TEST(RevisionFolderTest, WhatDesktopsAndEditorsLeaveBehindIsIgnored) {
  TempDir dir;
  CopyFilm(dir);
  for (const char* file :
       {".DS_Store", "revisions/.DS_Store", "revisions/rev-0001/inputs.json~",
        "revisions/rev-0001/images/Thumbs.db", "revisions/.git/config",
        "revisions/README.txt"}) {
    Write(dir.Sub(file), "x");
  }
  ASSERT_OK_AND_ASSIGN(const RevisionFolder folder,
                       ReadRevisionFolder(PosixFileSystem(), dir.path()));
  EXPECT_EQ(folder.revisions.size(), 2U);
  EXPECT_THAT(folder.stray,
              ElementsAre(".DS_Store", "revisions/.DS_Store", "revisions/.git",
                          "revisions/rev-0001/images/Thumbs.db",
                          "revisions/rev-0001/inputs.json~"));
  EXPECT_THAT(folder.unused,
              ElementsAre("revisions/README.txt",
                          "revisions/rev-0002/images/sketch.png"));
}

// Values are put as `kinora input set` would put them, so that setting the same
// value later changes nothing.
TEST(RevisionFolderTest, InputsHaveTheTypesOfTheBlueprint) {
  TempDir dir;
  Write(dir.Sub("blueprint.yaml"), R"(blueprint: film
inputs:
  Topic: {type: text}
  Style: {type: json}
  Count: {type: integer}
  Prompt: {type: text, over: [segment]}
dimensions: {segment: {size: Input:Count}}
nodes:
  Script: {producer: script, inputs: {t: "Input:Topic"}, outputs: {Text: text/plain}}
outputs: [Text]
)");
  Write(dir.Sub("revisions/rev-0001/inputs.json"),
        R"({"Topic": "sea", "Style": "noir", "Count": 2.0,
            "Prompt[segment=1]": "dusk"})");
  ASSERT_OK_AND_ASSIGN(RevisionFolder folder,
                       ReadRevisionFolder(PosixFileSystem(), dir.path()));
  const auto& inputs = folder.revisions[0].inputs;
  EXPECT_EQ(inputs.at("Input:Topic").bytes, "sea");
  EXPECT_EQ(inputs.at("Input:Style").bytes, "\"noir\"");
  EXPECT_EQ(inputs.at("Input:Style").mime_type, "application/json");
  EXPECT_EQ(inputs.at("Input:Count").bytes, "2");
  // The size holds on from the revision before.
  Write(dir.Sub("revisions/rev-0002/inputs.json"),
        R"({"Prompt[segment=2]": "dawn"})");
  EXPECT_THAT(ReadRevisionFolder(PosixFileSystem(), dir.path()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("rev-0002/inputs.json"),
                             HasSubstr("Prompt[segment=2]"),
                             HasSubstr("last index is 1"))));
}

// One thing wrong in an otherwise good folder, and what is said of it.
struct Flaw {
  std::string file;
  std::string text;
  std::vector<std::string> said;
};

TEST(RevisionFolderTest, AFlawIsNamedWithItsFileAndValue) {
  const std::string first = "revisions/rev-0001/";
  const std::vector<Flaw> flaws = {
      {first + "inputs.json", "{\"Topic\": ", {"inputs.json"}},
      {first + "inputs.json", "[1]", {"inputs.json", "object"}},
      {first + "inputs.json", R"({"To pic": 1})", {"inputs.json", "To pic"}},
      {first + "inputs.json", R"({"Blueprint": "x"})", {"Blueprint"}},
      {first + "inputs.json",
       R"({"Topik": "x"})",
       {"inputs.json", "Input:Topik", "did you mean", "Topic"}},
      {first + "inputs.json",
       R"({"Topic": "x", "SegmentCount": "two"})",
       {"inputs.json", "SegmentCount", "integer", "two"}},
      {first + "inputs.json",
       R"({"SegmentCount": 21})",
       {"inputs.json", "SegmentCount", "at most 20", "21"}},
      {first + "inputs.json",
       R"({"Topic": "x", "Input:Topic": "y"})",
       {"inputs.json", "Input:Topic", "twice"}},
      {first + "inputs.json",
       R"({"Cover": {"file": "cover.png"}})",
       {"inputs.json", "cover.png", "no such file"}},
      {first + "artefacts.json",
       R"({"Image[segment=0]": "images/7.png"})",
       {"artefacts.json", "images/7.png"}},
      {first + "artefacts.json",
       R"({"Image[segment=0]": "../../../../etc/passwd"})",
       {"artefacts.json", "etc/passwd", "leads out"}},
      {first + "artefacts.json", R"({"Image[segment=0]": 3})", {"3", "path"}},
      {first + "artefacts.json",
       R"({"Input:Topic": "images/0.png"})",
       {"artefacts.json", "Input:Topic"}},
      {first + "artefacts.json",
       R"({"Poster": "images/0.png", "Artifact:Poster": "images/1.png"})",
       {"artefacts.json", "Artifact:Poster", "twice"}},
      {first + "timeline.json",
       R"(["../rev-0009/images/0.png"])",
       {"timeline.json", "rev-0009/images/0.png"}},
      {"revisions/rev-0002/timeline.json",
       R"(["images/sketch.png"])",
       {"timeline.json", "images/sketch.png", "no id"}},
      {"revisions/first/inputs.json", "{}", {"revisions", "first"}},
  };
  for (const Flaw& flaw : flaws) {
    SCOPED_TRACE(flaw.file + " " + flaw.text);
    TempDir dir;
    FileSystem& fs = PosixFileSystem();
    CopyFilm(dir);
    ASSERT_OK(ReadRevisionFolder(fs, dir.path()));
    Write(dir.Sub(flaw.file), flaw.text);
    const absl::Status status = ReadRevisionFolder(fs, dir.path()).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
    for (const std::string& said : flaw.said) {
      EXPECT_THAT(std::string(status.message()), HasSubstr(said));
    }
  }
}

TEST(RevisionFolderTest, EverythingThatIsWrongIsToldAtOnce) {
  TempDir dir;
  CopyFilm(dir);
  const std::string first = "revisions/rev-0001/";
  Write(dir.Sub(first + "inputs.json"),
        R"({"Topik": "x", "SegmentCount": "two", "To pic": 1,
            "Cover": {"file": "cover.png"}, "Topic": "the sea"})");
  Write(dir.Sub(first + "artefacts.json"),
        R"({"Image[segment=0]": "images/0.png", "Poster": 3,
            "Image[segment=1]": "images/7.png"})");
  // What names images/1.png here is a consequence of what is said above.
  Write(dir.Sub(first + "timeline.json"),
        R"(["images/0.png", "images/1.png", "./images/9.png"])");
  Write(dir.Sub("revisions/rev-0002/inputs.json"), "[1]");
  Write(dir.Sub("revisions/second/inputs.json"), "{}");
  const absl::Status wrong =
      ReadRevisionFolder(PosixFileSystem(), dir.path()).status();
  ASSERT_THAT(wrong, StatusIs(absl::StatusCode::kInvalidArgument));
  const std::vector<std::string> lines =
      absl::StrSplit(std::string(wrong.message()), '\n');
  EXPECT_THAT(
      lines, ElementsAre(HasSubstr(" has 9 problems:"), HasSubstr("\"second\""),
                         HasSubstr("To pic"), HasSubstr("cover.png"),
                         HasSubstr("SegmentCount"), HasSubstr("Topik"),
                         HasSubstr("Poster"), HasSubstr("images/7.png"),
                         HasSubstr("./images/9.png"),
                         AllOf(HasSubstr("rev-0002"), HasSubstr("object"))));
}

TEST(RevisionFolderTest, OfManyProblemsTheFirstAreToldAndTheRestCounted) {
  TempDir dir;
  CopyFilm(dir);
  std::string artefacts;
  for (int n = 0; n < 33; ++n) {
    absl::StrAppend(&artefacts, n == 0 ? "{" : ",", "\"Still[n=", n, "]\": \"",
                    n, ".png\"");
  }
  Write(dir.Sub("revisions/rev-0001/artefacts.json"), artefacts + "}");
  const absl::Status wrong =
      ReadRevisionFolder(PosixFileSystem(), dir.path()).status();
  const std::vector<std::string> lines =
      absl::StrSplit(std::string(wrong.message()), '\n');
  ASSERT_EQ(lines.size(), 22U) << wrong;
  EXPECT_THAT(lines.front(), HasSubstr("33 problems"));
  EXPECT_EQ(lines.back(), "  and 13 more");
}

void Link(const std::string& path, const std::string& target) {
  ASSERT_EQ(symlink(target.c_str(), path.c_str()), 0) << path;
}

// Whatever the text of a path says: what it leads to is taken.
TEST(RevisionFolderTest, LinksThatLeadOutOrToNoFileAreRefused) {
  const std::string first = "revisions/rev-0001/";
  FileSystem& fs = PosixFileSystem();
  TempDir outside;
  ASSERT_OK_AND_ASSIGN(const std::string elsewhere,
                       fs.RealPath(outside.path()));
  Write(outside.Sub("secret.png"), "x");
  Write(outside.Sub("inputs.json"), "{}");
  struct Case {
    std::string link, target, document, said;
  };
  const std::vector<Case> cases = {
      {first + "p.png", elsewhere + "/secret.png", R"({"Poster": "p.png"})",
       "p.png"},
      {first + "out", elsewhere, R"({"Poster": "out/secret.png"})",
       "out/secret.png"},
      {first + "p.png", "images/pipe", R"({"Poster": "p.png"})", "p.png"},
      {first + "p.png", "/dev/null", R"({"Poster": "p.png"})", "p.png"},
      {"revisions/rev-0003", elsewhere, "", "rev-0003/inputs.json"},
  };
  for (const Case& refused : cases) {
    SCOPED_TRACE(refused.link + " " + refused.target);
    TempDir dir;
    CopyFilm(dir);
    ASSERT_EQ(mkfifo(dir.Sub(first + "images/pipe").c_str(), 0600), 0);
    Link(dir.Sub(refused.link), refused.target);
    if (!refused.document.empty()) {
      Write(dir.Sub(first + "artefacts.json"), refused.document);
    }
    EXPECT_THAT(ReadRevisionFolder(fs, dir.path()),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(refused.said), HasSubstr("leads to "),
                               HasSubstr(refused.target))));
  }
}

TEST(RevisionFolderTest, LinksWithinTheFolderAreFollowed) {
  const std::string first = "revisions/rev-0001/";
  TempDir dir;
  CopyFilm(dir);
  Link(dir.Sub(first + "poster.png"), "images/0.png");
  Link(dir.Sub(first + "pictures"), "images");
  Link(dir.Sub(first + "circle"), ".");
  Link(dir.Sub(first + "broken"), "nowhere");
  Write(dir.Sub(first + "artefacts.json"),
        R"({"Image[segment=0]": "images/0.png", "Poster": "poster.png",
            "Image[segment=1]": "images/1.png", "Still": "pictures/1.png"})");
  ASSERT_OK_AND_ASSIGN(const RevisionFolder folder,
                       ReadRevisionFolder(PosixFileSystem(), dir.path()));
  const auto& artefacts = folder.revisions[0].artefacts;
  EXPECT_EQ(artefacts.at("Artifact:Poster").hash,
            artefacts.at("Artifact:Image[segment=0]").hash);
  EXPECT_EQ(artefacts.at("Artifact:Still").hash,
            artefacts.at("Artifact:Image[segment=1]").hash);
  EXPECT_THAT(folder.unused,
              ElementsAre(first + "broken", first + "circle",
                          "revisions/rev-0002/images/sketch.png"));
}

TEST(RevisionFolderTest, TextThatIsNotUtf8IsRefused) {
  const std::string first = "revisions/rev-0001/";
  FileSystem& fs = PosixFileSystem();
  TempDir dir;
  CopyFilm(dir);
  Write(dir.Sub(first + "latin.txt"), "caf\xe9");
  Write(dir.Sub(first + "bytes"), "\xff\xfe");
  const std::string images =
      R"({"Image[segment=0]": "images/0.png", "Image[segment=1]": "images/1.png")";
  Write(dir.Sub(first + "artefacts.json"),
        images + R"(, "Poem": "latin.txt"})");
  EXPECT_THAT(
      ReadRevisionFolder(fs, dir.path()),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("artefacts.json"), HasSubstr("Artifact:Poem"),
                     HasSubstr("latin.txt"), HasSubstr("must be UTF-8 text"))));
  // A name that promises no text: then it is none. And a character may lie
  // across what is read at a time.
  Write(dir.Sub(first + "long.txt"),
        std::string((1 << 20) - 1, 'x') + "\xc3\xa9");
  Write(dir.Sub(first + "artefacts.json"),
        images + R"(, "Poem": "bytes", "Novel": "long.txt"})");
  ASSERT_OK_AND_ASSIGN(const RevisionFolder folder,
                       ReadRevisionFolder(fs, dir.path()));
  EXPECT_EQ(folder.revisions[0].artefacts.at("Artifact:Poem").mime_type,
            "application/octet-stream");
  // But the blueprint says that this input is text.
  Write(dir.Sub(first + "inputs.json"), R"({"Topic": {"file": "bytes"}})");
  EXPECT_THAT(
      ReadRevisionFolder(fs, dir.path()),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("inputs.json"), HasSubstr("Input:Topic"),
                     HasSubstr("bytes"), HasSubstr("must be UTF-8 text"))));
}

}  // namespace
}  // namespace kinora
