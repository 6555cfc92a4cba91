// Schedules at points that can be worked out by hand.
#include "heed/train/loss_schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/config_yaml.h"
#include "heed/base/error.h"

namespace heed {
namespace {

LossSchedule schedule_of(const std::string& yaml) {
  LossSchedule schedule;
  read_yaml(yaml, "test", schedule);
  return schedule;
}

TEST(LossSchedule, GuidedAttentionHalvesItsWeight) {
  const LossSchedule schedule =
      schedule_of("guided_attention: {weight: 8, width: 0.3, half_life: 100, layer: 2}\n");
  EXPECT_DOUBLE_EQ(schedule.guided_attention.at(1).weight, 8.0);
  EXPECT_DOUBLE_EQ(schedule.guided_attention.at(101).weight, 4.0);
  EXPECT_DOUBLE_EQ(schedule.guided_attention.at(301).weight, 1.0);
  EXPECT_DOUBLE_EQ(schedule.guided_attention.at(7).width, 0.3);
  EXPECT_EQ(schedule.guided_attention.at(7).layer, 2);
  EXPECT_DOUBLE_EQ(schedule_of("guided_attention: {weight: 8}\n").guided_attention.at(1000).weight, 8.0);
}

// Bengio et al. 2015, section 2.4.
TEST(LossSchedule, TeacherForcingFalls) {
  const auto at = [](const std::string& keys, int64_t update) {
    return schedule_of("scheduled_sampling: {" + keys + "}\n").scheduled_sampling.at(update).teacher_forcing;
  };
  EXPECT_EQ(at("schedule: none", 50), 1.0);
  EXPECT_DOUBLE_EQ(at("schedule: constant, teacher_forcing: 0.7", 50), 0.7);
  EXPECT_DOUBLE_EQ(at("schedule: linear, slope: 0.01", 30), 0.7);
  EXPECT_DOUBLE_EQ(at("schedule: linear, k: 1.2, slope: 0.01", 10), 1.0);
  EXPECT_DOUBLE_EQ(at("schedule: linear, slope: 0.01, teacher_forcing: 0.25", 90), 0.25);
  EXPECT_DOUBLE_EQ(at("schedule: exponential, k: 0.5", 3), 0.125);
  EXPECT_DOUBLE_EQ(at("schedule: exponential, k: 0.5, teacher_forcing: 0.2", 3), 0.2);
  EXPECT_DOUBLE_EQ(at("schedule: inverse_sigmoid, k: 100", 200), 100 / (100 + std::exp(2.0)));
  EXPECT_DOUBLE_EQ(at("schedule: inverse_sigmoid, k: 1", 100000), 0.0);
}

TEST(LossSchedule, KeysThatDoNotFitTogetherAreRefused) {
  for (const char* keys : {"schedule: exponential", "schedule: inverse_sigmoid, k: 0.5", "schedule: linear"})
    EXPECT_THROW(schedule_of(std::string("scheduled_sampling: {") + keys + "}\n").check(), InputError)
        << keys;
  for (const char* keys :
       {"", "scheduled_sampling: {schedule: constant, teacher_forcing: 0.3, sample: true}\n",
        "scheduled_sampling: {schedule: inverse_sigmoid, k: 20}\n", "guided_attention: {measure: 10}\n"})
    EXPECT_NO_THROW(schedule_of(keys).check()) << keys;
}

}  // namespace
}  // namespace heed
