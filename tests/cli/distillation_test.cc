// Knowledge distillation: what a training with teachers minimises, from the models' probabilities by hand,
// and which teachers it refuses.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "heed/train/saved_model.h"
#include "heed/train/teachers.h"
#include "heed/train/translation.h"
#include "tests/support/bytes.h"
#include "tests/support/sentences.h"
#include "tests/support/toy_models.h"

namespace heed::test {
namespace {

class Distillation : public ToyModels {
 protected:
  std::string taught_by(const std::string& folders) const {
    return "train.distillation.teachers=[" + folders + "]";
  }
};

TEST_F(Distillation, LearnsTheMeanOfTheTeachersBesideTheTarget) {
  train_model("rnn", "type: rnn, width: 16, embedding: 12", {"train.updates=10"});
  train("transformer", {"train.updates=20"});
  train("taught", {"train.updates=10", "train.seed=2"});
  const SavedModel first(task_.path("rnn"), 1), second(task_.path("transformer"), 1),
      model(task_.path("taught"), 1);
  const ModelText& text = model.text();
  const Batch batch = pairs_with_themselves({{3, 4, 7, 0}, {5, 0}});
  const TokenField& target = batch.field("target");

  Context c(1);
  c.training = true;  // teachers do not drop out
  auto teachers =
      std::make_unique<Teachers>(Words{task_.path("rnn"), task_.path("transformer")}, text, DataConfig());
  const Tensor taught = teachers->probabilities(c, batch);
  c.training = false;
  const auto log_probs = [&](const SavedModel& of) {
    return of.encoder_decoder().log_probs(c, batch.field("source"), target);
  };
  const Tensor one = log_probs(first), other = log_probs(second), own = log_probs(model);
  const int64_t words = own.width();
  constexpr double kSmoothing = 0.1, kShare = 0.7;
  double expected = 0.0;
  for (int64_t r = 0; r < target.layout.rows(); ++r) {
    const float* p = own.row<float>(r);
    expected -= (1 - kShare) * (1 - kSmoothing) * p[target.ids[static_cast<size_t>(r)]];
    for (int64_t w = 0; w < words; ++w) {
      const double mean = 0.5 * (std::exp(one.row<float>(r)[w]) + std::exp(other.row<float>(r)[w]));
      EXPECT_NEAR(taught.row<float>(r)[w], mean, 1e-6);  // f32
      expected -= ((1 - kShare) * kSmoothing / static_cast<double>(words) + kShare * mean) * p[w];
    }
  }
  LossSchedule schedule;
  schedule.distillation.weight = kShare;
  const TranslationObjective objective(model.encoder_decoder(), {.smoothing = kSmoothing}, schedule,
                                       std::move(teachers));
  EXPECT_NEAR(objective.loss(c, batch, 1).sum.value.item(), expected, 1e-5 * expected);  // sums of f32
}

// Where there is room for what they say of the whole corpus, and to the bytes what they would say again.
TEST_F(Distillation, TeachersAreAskedOnceAboutASentence) {
  train_model("rnn", "type: rnn, width: 16, embedding: 12", {"train.updates=10"});
  train("transformer", {"train.updates=20"});
  const Words folders = {task_.path("rnn"), task_.path("transformer")};
  const SavedModel model(task_.path("transformer"), 1);
  Corpus corpus;
  corpus.columns = {{"source"}, {"target"}};
  corpus.numbers = {7, 2, 9};
  const std::vector<std::vector<int32_t>> sentences = {{3, 4, 7, 0}, {5, 0}, {8, 6, 0}};
  for (const std::vector<int32_t>& sentence : sentences)
    for (Column& column : corpus.columns) column.add(sentence);
  const auto batch_of = [&](std::vector<uint32_t> indices) { return make_batch(corpus, indices); };

  Teachers forgetful(folders, model.text(), DataConfig()), teachers(folders, model.text(), DataConfig(), 9);
  Profile profile;
  Context c(1);
  c.profile = &profile;
  // In the second batch one sentence is new, in the later ones none.
  for (const std::vector<uint32_t>& indices :
       std::vector<std::vector<uint32_t>>{{0, 1}, {2, 1}, {1, 2, 0}, {2}}) {
    const Batch batch = batch_of(indices);
    const auto bytes_of = [](const Tensor& p) {
      return std::vector<float>(p.data<float>(), p.data<float>() + p.size());
    };
    const size_t asked = profile.entries().empty() ? 0 : profile.entries().at("linear").calls;
    const std::vector<float> kept = bytes_of(teachers.probabilities(c, batch));
    const size_t then = profile.entries().at("linear").calls;
    EXPECT_TRUE(same_bytes(kept, bytes_of(forgetful.probabilities(c, batch))));
    EXPECT_EQ(then > asked, indices.size() == 2) << indices.size();
  }
}

// More text counts words in another order, and so numbers them otherwise: a word is what it says.
TEST_F(Distillation, ATeacherMayNumberItsWordsOtherwise) {
  std::string source = read_file(task_.path("source")), target = read_file(task_.path("target"));
  for (int i = 0; i < 200; ++i) source += "l k\n", target += "k l\n";
  write_file(task_.path("more-source"), source);
  write_file(task_.path("more-target"), target);
  train("teacher", {"data.train.source=more-source", "data.train.target=more-target", "train.updates=10"});
  train("taught", {"train.updates=1"});
  const SavedModel teacher(task_.path("teacher"), 1), model(task_.path("taught"), 1);
  const Vocabulary &words = model.text().target->vocabulary(), &others = teacher.text().target->vocabulary();
  ASSERT_NE(words.serialised(), others.serialised());

  const std::vector<int32_t> sentence = {3, 4, 7, 0};
  std::vector<int32_t> renumbered;
  for (const int32_t id : sentence) renumbered.push_back(id == 0 ? 0 : others.id(words.word(id)));
  Context c(1);
  const Tensor taught = Teachers({task_.path("teacher")}, model.text(), DataConfig())
                            .probabilities(c, pairs_with_themselves({sentence}));
  const Batch batch = pairs_with_themselves({renumbered});
  const Tensor expected =
      teacher.encoder_decoder().log_probs(c, batch.field("source"), batch.field("target"));
  for (int64_t r = 0; r < taught.rows(); ++r)
    for (int32_t w = 3; w < words.size(); ++w)
      EXPECT_EQ(taught.row<float>(r)[w], std::exp(expected.row<float>(r)[others.id(words.word(w))]))
          << words.word(w);
}

TEST_F(Distillation, GoesOnToTheSameBytes) {
  train("teacher", {"train.updates=20"});
  const std::string taught = taught_by("teacher");
  const Result whole = run_heed(task_.train("whole", {taught}));
  ASSERT_EQ(whole.code, 0) << whole.errors;
  EXPECT_NE(whole.errors.find("taught by " + task_.path("teacher")), std::string::npos) << whole.errors;
  train("stopped", {taught, "train.updates=30"}, {"--threads", "2"});
  train("stopped", {taught}, {"--resume", "--threads", "1"});
  EXPECT_EQ(read_file(task_.path("whole/model.safetensors")),
            read_file(task_.path("stopped/model.safetensors")));
  train("plain");
  EXPECT_NE(read_file(task_.path("whole/model.safetensors")),
            read_file(task_.path("plain/model.safetensors")));
}

TEST_F(Distillation, KnowsItsTeachersByWhatIsInThem) {
  train("teacher", {"train.updates=20"});
  train("other", {"train.updates=21"});
  train("whole", {taught_by("teacher")});
  train("stopped", {taught_by("teacher"), "train.updates=30"});
  expect_refused(run_heed(task_.train("stopped", {taught_by("other")}, {"--resume"})),
                 {"the teachers are not what this training began with"});
  std::filesystem::rename(task_.path("teacher"), task_.path("moved"));
  train("stopped", {taught_by("moved")}, {"--resume"});
  EXPECT_EQ(read_file(task_.path("whole/model.safetensors")),
            read_file(task_.path("stopped/model.safetensors")));
}

TEST_F(Distillation, RefusesOtherTeachers) {
  train("fewer", {"train.updates=1", "text.vocabulary=9"});
  train_classifier("classifier", {"train.updates=1"});
  train("short", {"train.updates=1", "model.positions=learned", "model.max_positions=40",
                  "data.max_source_length=40", "data.max_target_length=40"});
  const std::pair<Words, Words> mistakes[] = {
      {{taught_by("fewer")}, {"train.distillation.teachers", "/fewer", "other words", "source"}},
      {{taught_by("classifier")}, {"/classifier", "classif"}},
      {{taught_by("nowhere")}, {"/nowhere"}},
      {{taught_by("short")}, {"/short has only 40 positions", "data.max_source_length is 512"}},
      {{taught_by("fewer"), "train.r_drop=1"}, {"train.r_drop", "train.distillation"}},
      {{"train.distillation.weight=0.5"}, {"train.distillation.weight", "teachers"}},
  };
  for (const auto& [set, expected] : mistakes) {
    expect_refused(run_heed(task_.train("out", set)), expected);
    EXPECT_FALSE(folder_exists(task_.path("out")));
  }
}

}  // namespace
}  // namespace heed::test
