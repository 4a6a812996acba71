#include "clients/cli/recovery_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RecoveryTextTest, SaysNothingOfARunThatGoesOn) {
  v1::RunSnapshot run;
  EXPECT_THAT(RecoveryLines(run), IsEmpty());
  run.mutable_recovery()->set_state(v1::RUN_RECOVERY_STATE_NONE);
  run.mutable_recovery()->set_message("it goes on");
  EXPECT_THAT(RecoveryLines(run), IsEmpty());
}

TEST(RecoveryTextTest, SaysWhatToDo) {
  v1::RunSnapshot run;
  run.mutable_record()->set_run_id("run-1");
  v1::RunRecovery& recovery = *run.mutable_recovery();
  recovery.set_state(v1::RUN_RECOVERY_STATE_AVAILABLE);
  recovery.set_message("resuming it starts a new run");
  recovery.set_known_limit("its producers must answer");
  recovery.set_resume_ready(true);
  EXPECT_THAT(RecoveryLines(run),
              ElementsAre("recovery: resuming it starts a new run",
                          "    kinora runs resume run-1",
                          "    not known before: its producers must answer"));
}

TEST(RecoveryTextTest, NamesAllThatIsInTheWay) {
  v1::RunSnapshot run;
  v1::RunRecovery& recovery = *run.mutable_recovery();
  recovery.set_state(v1::RUN_RECOVERY_STATE_REFUSED);
  v1::RunRefusal* refusal = recovery.add_refusals();
  refusal->set_reason("RUN_ACTIVE");
  refusal->set_message("run run-2 is active");
  recovery.add_refusals()->set_message("its caller decides");
  EXPECT_THAT(RecoveryLines(run),
              ElementsAre("refused: run run-2 is active (RUN_ACTIVE)",
                          "refused: its caller decides"));
  recovery.set_state(v1::RUN_RECOVERY_STATE_QUARANTINED);
  recovery.mutable_refusals()->RemoveLast();
  recovery.mutable_refusals(0)->set_reason("DATA_CORRUPT");
  recovery.mutable_refusals(0)->set_message("ledger.log, line 7");
  EXPECT_THAT(RecoveryLines(run),
              ElementsAre("damaged: ledger.log, line 7 (DATA_CORRUPT)"));
  recovery.mutable_refusals(0)->clear_reason();
  EXPECT_THAT(RecoveryLines(run),
              ElementsAre("unreadable: ledger.log, line 7"));
}

}  // namespace
}  // namespace kinora
