// A movie of three segments for tests of scopes: a script, and for each segment
// a picture and a clip, which the film joins with music.

#ifndef KINORA_SERVICES_PLANNER_PLAN_SCOPED_FILM_H_
#define KINORA_SERVICES_PLANNER_PLAN_SCOPED_FILM_H_

#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "services/planner/plan/plan_world.h"

namespace kinora {

inline constexpr char kScopedFilm[] = R"(blueprint: film
inputs:
  Story: {type: text}
  Style: {type: text, default: "dark"}
  Tune: {type: text}
dimensions:
  segment: {size: 3}
nodes:
  Script:
    producer: script
    inputs: {story: "Input:Story"}
    outputs: {Text: {type: text/plain, over: [segment]}}
  Picture:
    producer: picture
    over: [segment]
    inputs: {text: "Text[segment]", style: "Input:Style"}
    outputs: {Image: image/png}
  Clip:
    producer: clip
    over: [segment]
    inputs: {image: "Image[segment]"}
    outputs: {Video: video/mp4}
  Music:
    producer: music
    inputs: {tune: "Input:Tune"}
    outputs: {Song: audio/wav}
  Film:
    producer: film
    inputs: {videos: {all: "Video[segment]"}, song: Song}
    outputs: {Film: video/mp4}
)";

class ScopedFilmTest : public ::testing::Test {
 protected:
  ScopedFilmTest() : world_(kScopedFilm) {
    world_.Set("Input:Story", "\"a cat\"");
    world_.Set("Input:Tune", "\"a waltz\"");
  }

  v1::PlanScope& scope() { return world_.scope; }
  std::string Refusal() {
    const absl::Status status = world_.TryPlan().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  }
  std::vector<std::string> Warnings() {
    absl::StatusOr<MadePlan> made = world_.TryPlan();
    return made.ok() ? made->warnings : std::vector<std::string>{"no plan"};
  }

  // Leaves segments before `index` alone.
  void From(uint32_t index) {
    v1::DimensionIndex& from = *scope().add_from_index();
    from.set_dimension("segment");
    from.set_index(index);
  }
  // As after a run, with another story and tune.
  void ChangeAll() {
    world_.Run();
    world_.Set("Input:Story", "\"a dog\"");
    world_.Set("Input:Tune", "\"a march\"");
  }
  std::vector<std::string> Forced(const v1::Plan& plan) {
    std::vector<std::string> forced;
    for (const v1::PlanLayer& layer : plan.layers()) {
      for (const v1::PlannedJob& job : layer.jobs()) {
        if (job.forced()) forced.push_back(job.job_id());
      }
    }
    return forced;
  }

  PlanWorld world_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_SCOPED_FILM_H_
