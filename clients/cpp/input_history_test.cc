#include "clients/cpp/input_history.h"

#include <optional>
#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

constexpr char kTopic[] = "Input:Topic";

class InputHistoryTest : public CoreFixture {
 protected:
  InputHistoryTest() { MakeFilm(store()); }

  void Set(const std::string& text, const std::string& id = kTopic) {
    ASSERT_OK(store().events.Append(InputEdit(id, text)));
  }
  // What the input is afterwards: its text, "(not set)" or the error.
  std::string Undo(std::optional<int64_t> to = std::nullopt) {
    const absl::StatusOr<v1::Event> event =
        UndoInput(store(), "film", kTopic, to);
    return event.ok() ? Now() : std::string(event.status().message());
  }
  std::string Now() {
    v1::ListInputsRequest request;
    request.set_movie_id("film");
    const auto inputs = store().events.ListInputs(request);
    EXPECT_OK(inputs);
    for (const v1::Event& event : inputs->inputs()) {
      if (event.input().input_id() != kTopic) continue;
      return event.input().content().inline_().data();
    }
    return "(not set)";
  }
};

TEST_F(InputHistoryTest, UndoGoesBackStepByStep) {
  EXPECT_EQ(Undo(), "Input:Topic was never set");
  Set("sea");
  Set("harbour", "Input:Place");
  Set("ship");
  Set("ship");  // no change, so no step of its own
  EXPECT_EQ(Undo(), "sea");
  EXPECT_EQ(Undo(), "(not set)");
  EXPECT_EQ(Undo(), "Input:Topic is not set") << "nothing was before that";
  // Not being set was an undo as well; it is taken back by setting.
  Set("whale");
  Set("ice");
  EXPECT_EQ(Undo(), "whale");
  EXPECT_EQ(Undo(), "(not set)");
  EXPECT_EQ(Undo(), "Input:Topic is not set");
}

TEST_F(InputHistoryTest, UnknownInputsAreSaidToBeNearToKnownOnes) {
  Set("sea", "Input:Topic[segment=1]");
  EXPECT_EQ(Undo(),
            "Input:Topic was never set; did you mean "
            "\"Input:Topic[segment=1]\"?");
  ASSERT_OK_AND_ASSIGN(const std::string why,
                       NeverSet(store(), "film", "Input:Tpoic[segment=1]"));
  EXPECT_THAT(why, HasSubstr("did you mean \"Input:Topic[segment=1]\"?"));
}

TEST_F(InputHistoryTest, UndoIsAnEventOfItsOwn) {
  Set("sea");
  Set("ship");
  ASSERT_EQ(Undo(), "sea");
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::Event> history,
                       ReadInputHistory(store(), "film", kTopic));
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[2].input().restored_sequence(), history[0].sequence());
  EXPECT_EQ(history[2].input().edited_by(), v1::EDITED_BY_USER);
  // Any edit can be gone back to, also one that was taken back.
  EXPECT_EQ(Undo(history[1].sequence()), "ship");
  EXPECT_EQ(Undo(), "sea");
  EXPECT_THAT(Undo(77), HasSubstr("has no event 77"));
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::Event> all,
                       ReadInputHistory(store(), "film", ""));
  EXPECT_EQ(all[0].input().input_id(), "Input:Blueprint");
  EXPECT_EQ(all.size(), 6u);
}

}  // namespace
}  // namespace kinora
