// What a model does in a step of training and nowhere else, through the step that every training loop is made
// of.
#include <gtest/gtest.h>

#include "heed/train/step.h"
#include "heed/train/translation.h"
#include "tests/support/bytes.h"
#include "tests/support/models.h"
#include "tests/support/sentences.h"

namespace heed::test {
namespace {

constexpr int32_t kWords = 60;

// A model, what it learns and one batch of it.
struct Lesson {
  explicit Lesson(const std::string& more)
      : model(make_encoder_decoder(
            SampleModel{"transformer", "width: 24\nheads: 3\nfeed_forward: 32\nlayers: 2\n"}.config(more),
            kWords, kWords, 1)),
        objective(*model, LossOptions{}) {}

  double loss_of_step(uint64_t random_key) {
    return loss_and_gradients(c, objective, model->parameters(), batch, 1, random_key).loss;
  }
  std::vector<float> gradients_of_step(uint64_t random_key) {
    std::vector<float> all;
    for (const Tensor& gradient :
         loss_and_gradients(c, objective, model->parameters(), batch, 1, random_key).gradients)
      all.insert(all.end(), gradient.data<float>(), gradient.data<float>() + gradient.size());
    return all;
  }
  // Not of a step.
  double loss() { return objective.loss(c, batch, 1).sum.value.item(); }
  std::vector<float> statistics() const {
    std::vector<float> all;
    for (const Buffer& buffer : model->parameters().buffers())
      all.insert(all.end(), buffer.value.data<float>(), buffer.value.data<float>() + buffer.value.size());
    return all;
  }

  Context c{2};
  const std::unique_ptr<EncoderDecoder> model;
  const TranslationObjective objective;
  const Batch batch = pairs_with_themselves(random_sentences({5, 1, 9}, kWords, 1));
};

TEST(TrainingStep, DropsOutByItsRandomKeyAndLeavesTheContextAsItWas) {
  Lesson lesson("dropout: 0.5\n");
  const double before = lesson.loss(), step = lesson.loss_of_step(5);
  EXPECT_NE(step, before);
  EXPECT_NE(step, lesson.loss_of_step(6));
  EXPECT_EQ(step, lesson.loss_of_step(5));
  EXPECT_EQ(lesson.loss(), before);
  EXPECT_FALSE(lesson.c.training);
  EXPECT_FALSE(lesson.c.recording());
}

TEST(TrainingStep, DropsNothingWhereNothingIsToBeDropped) {
  Lesson lesson("dropout: 0\n");
  EXPECT_EQ(lesson.loss_of_step(5), lesson.loss_of_step(6));
}

// Fails when half of the backward pass is done.
class Failing final : public Objective {
 public:
  explicit Failing(const Objective& objective) : objective_(objective) {}
  BatchLoss loss(Context& c, const Batch& batch, int64_t update) const override {
    Var start(Tensor::zeros({1}));
    c.tape->record(start, [](Context&, const Tensor&) { fail("out of memory"); });
    BatchLoss loss = objective_.loss(c, batch, update);
    Var sum(loss.sum.value);
    c.tape->record(sum, [start, of_loss = loss.sum](Context& c, const Tensor& d) {
      start.gradient->add(c, d);
      of_loss.gradient->add(c, d);
    });
    return {sum, loss.count};
  }
  std::string fingerprint() const override { return objective_.fingerprint(); }

 private:
  const Objective& objective_;
};

TEST(TrainingStep, LeavesNothingWhereItFails) {
  Lesson lesson("dropout: 0\n"), other("dropout: 0\n");
  const Failing failing(lesson.objective);
  EXPECT_THROW(loss_and_gradients(lesson.c, failing, lesson.model->parameters(), lesson.batch, 1, 5), Error);
  EXPECT_FALSE(lesson.c.training);
  EXPECT_FALSE(lesson.c.recording());
  EXPECT_TRUE(same_bytes(lesson.gradients_of_step(5), other.gradients_of_step(5)));
}

TEST(TrainingStep, MovesTheStatisticsOfBatchNorm) {
  Lesson lesson("dropout: 0\nnormalisation: batch\n");
  const std::vector<float> before = lesson.statistics();
  ASSERT_FALSE(before.empty());
  lesson.loss();
  EXPECT_TRUE(same_bytes(lesson.statistics(), before));
  lesson.loss_of_step(5);
  EXPECT_FALSE(same_bytes(lesson.statistics(), before));
}

}  // namespace
}  // namespace heed::test
