// A movie told by hand, for tests of what history says of it.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_TOLD_MOVIE_H_
#define KINORA_SERVICES_PLANNER_HISTORY_TOLD_MOVIE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/digest.h"
#include "common/testing/status_matchers.h"
#include "services/planner/history/explanation.h"

namespace kinora {

// Each revision is what the one before was and more.
class ToldMovie : public ::testing::Test, public ResultHistory {
 protected:
  void Pin(const std::string& yaml) {
    ASSERT_OK_AND_ASSIGN(Blueprint parsed, ParseBlueprint("film", yaml));
    blueprint_ = std::make_shared<const Blueprint>(std::move(parsed));
    Set("Input:Blueprint", yaml);
  }
  void Set(const std::string& id, const std::string& text) {
    *(*manifest_.mutable_inputs())[id].mutable_content() =
        InlineContent("text/plain", text);
    v1::Event& event = events_.emplace_back();
    event.set_sequence(static_cast<int64_t>(events_.size()));
    event.set_revision(Next());
    event.mutable_input()->set_input_id(id);
    event.mutable_input()->set_edited_by(v1::EDITED_BY_USER);
    *event.mutable_input()->mutable_content() =
        InlineContent("text/plain", text);
  }

  // Makes an artefact of what it reads: slot and source.
  v1::ArtefactEvent& Make(
      const std::string& id, const std::string& node, const std::string& value,
      const std::vector<std::pair<std::string, std::string>>& reads) {
    RevisionState state = Look();
    v1::Event& event = events_.emplace_back();
    event.set_sequence(static_cast<int64_t>(events_.size()));
    event.set_revision(Next());
    v1::ArtefactEvent& attempt = *event.mutable_artefact();
    attempt.set_artefact_id(id);
    attempt.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    *attempt.mutable_output() = InlineContent("text/plain", value);
    v1::ProducedBy& by = *attempt.mutable_produced_by();
    by.set_run_id("run-1");
    by.set_job_id(id.substr(id.find(':') + 1));
    by.set_node(node);
    by.mutable_producer()->set_name(node);
    by.mutable_producer()->set_version(versions_[node]);
    by.set_settings_hash(Sha256Of(state.SettingsOf(node)).Hex());
    std::string key = absl::StrCat(id, by.settings_hash(), versions_[node],
                                   state.SaltOf(node));
    for (const auto& [slot, source] : reads) {
      v1::Dependency& dependency = *attempt.add_dependencies();
      dependency.set_slot(slot);
      dependency.set_source_id(source);
      dependency.set_hash(state.HashOf(source));
      absl::StrAppend(&key, slot, dependency.hash());
    }
    attempt.set_inputs_hash(Sha256Of(key).Hex());
    v1::ManifestArtefact& artefact = (*manifest_.mutable_artefacts())[id];
    *artefact.mutable_content() = attempt.output();
    artefact.set_inputs_hash(attempt.inputs_hash());
    artefact.set_node(node);
    v1::ManifestNode& made = (*manifest_.mutable_nodes())[node];
    *made.mutable_producer() = by.producer();
    made.set_settings_hash(by.settings_hash());
    return attempt;
  }
  void MakeScript(const std::string& value) {
    Make("Artifact:Text", "Script", value, {{"story", "Input:Story"}});
  }
  void MakePicture(const std::string& value, int segment = 0) {
    Make(absl::StrCat("Artifact:Image[segment=", segment, "]"), "Picture",
         value, {{"mood", "Input:Mood"}, {"text", "Artifact:Text"}});
  }

  void Remove(const std::string& id) {
    manifest_.mutable_artefacts()->erase(id);
  }

  RevisionState Look() const {
    return {std::make_shared<const v1::Manifest>(manifest_), blueprint_};
  }
  RevisionState Commit() {
    manifest_.set_base_revision(manifest_.revision());
    manifest_.set_revision(Next());
    ++revision_;
    return Look();
  }
  std::string Next() const { return absl::StrCat("rev-000", revision_ + 1); }

  absl::StatusOr<std::vector<std::optional<v1::Event>>> Find(
      absl::Span<const ValueQuery> queries) override {
    std::vector<std::optional<v1::Event>> found(queries.size());
    for (size_t i = 0; i < queries.size(); ++i) {
      for (const v1::Event& event : events_) {
        if (forgotten_ >= event.sequence()) continue;
        const v1::Content& content = event.has_input()
                                         ? event.input().content()
                                         : event.artefact().output();
        if (event.input().input_id() != queries[i].id &&
            event.artefact().artefact_id() != queries[i].id) {
          continue;
        }
        if (ContentHash(content) == queries[i].hash &&
            event.revision() <= queries[i].revision) {
          found[i] = event;
        }
      }
    }
    return found;
  }

  // Ids with their reasons.
  std::vector<std::string> Why(const std::string& id,
                               const RevisionState& before,
                               const RevisionState& now) {
    DecidingReader values(blobs_.get());
    absl::StatusOr<v1::ExplainArtefactResponse> explained =
        Explain(id, before, now, *this, values);
    EXPECT_OK(explained);
    if (!explained.ok()) return {};
    explained_ = *explained;
    std::vector<std::string> lines;
    for (const v1::Cause& cause : explained->causes()) {
      lines.push_back(absl::StrCat(cause.depth(), " ", cause.id(), ": ",
                                   cause.reason().text()));
    }
    return lines;
  }

  std::map<std::string, std::string> versions_ = {{"Script", "1"},
                                                  {"Picture", "1"}};
  std::unique_ptr<BlobBytes> blobs_;  // null: all values are inline
  std::shared_ptr<const Blueprint> blueprint_;
  v1::Manifest manifest_;
  std::vector<v1::Event> events_;
  int64_t forgotten_ = 0;
  int revision_ = 0;
  v1::ExplainArtefactResponse explained_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_TOLD_MOVIE_H_
