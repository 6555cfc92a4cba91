// What every classifier promises, whatever it is: a text has the same bytes in any company, threads change
// nothing, a few texts are learned by heart, its attention is a distribution over words.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/levels.h"
#include "tests/support/models.h"
#include "tests/support/sentences.h"
#include "tests/support/training.h"

namespace heed::test {
namespace {

constexpr int32_t kWords = 90;

class ClassifierSuite : public ::testing::TestWithParam<SampleClassifier> {
 protected:
  // The bytes of each text's log-probabilities.
  static std::vector<std::string> log_probs(int threads, DType precision, const Classifier& model,
                                            const Sentences& texts) {
    Context c(threads, precision);
    c.arena.fill_with_nan(true);
    const Tensor all = model.log_probs(c, tokens(texts));
    std::vector<std::string> bytes;
    for (int64_t i = 0; i < all.rows(); ++i) {
      const float* row = all.row<float>(i);
      double sum = 0;
      for (int64_t k = 0; k < all.width(); ++k) sum += std::exp(row[k]);
      EXPECT_NEAR(sum, 1.0, 1e-5);  // a few roundings of f32
      bytes.emplace_back(reinterpret_cast<const char*>(row),
                         static_cast<size_t>(all.width()) * sizeof(float));
    }
    return bytes;
  }

  // The class of each text: a rule that has nothing to do with the texts.
  static std::vector<int32_t> classes_of(size_t texts) {
    std::vector<int32_t> classes;
    for (size_t i = 0; i < texts; ++i)
      classes.push_back(static_cast<int32_t>(i * i % static_cast<size_t>(GetParam().classes)));
    return classes;
  }

  // The loss of each of five texts in training.
  static std::vector<float> training_losses(const Classifier& model) {
    Context c(2);
    c.training = true;
    c.random_key = 1;
    const TokenField texts = tokens(random_sentences({7, 1, 30, 2, 12}, kWords, 3));
    const Tensor rows = model.loss(c, texts, classes_of(5), LossOptions{}).row_loss;
    return {rows.data<float>(), rows.data<float>() + rows.size()};
  }
};

TEST_P(ClassifierSuite, ATextHasTheSameBytesInAnyCompany) {
  const Sentences texts =
      random_sentences({7, 1, 30, 2, 12, 64, 3, 21, 5, 1, 40, 9, 9, 33, 6, 2, 17, 50}, kWords, 1);
  const auto model = GetParam().make(kWords);
  at_each_level_and_precision([&](DType precision) {
    std::vector<std::string> alone;
    for (const auto& text : texts) alone.push_back(log_probs(1, precision, *model, {text}).front());
    const int threads[] = {1, 2, 3, 7};
    for (size_t size = 2; size <= texts.size(); ++size) {
      Sentences some;
      std::vector<size_t> chosen;
      for (size_t i = 0; i < size; ++i) {
        chosen.push_back((i * 5 + size) % texts.size());
        some.push_back(texts[chosen.back()]);
      }
      const auto together = log_probs(threads[size % 4], precision, *model, some);
      for (size_t i = 0; i < size; ++i)
        ASSERT_TRUE(together[i] == alone[chosen[i]]) << "text " << chosen[i] << " in a batch of " << size;
    }
  });
}

// Rows enough for several chunks of weight gradients; the embeddings once looked up word by word, once row by
// row.
TEST_P(ClassifierSuite, GradientsHaveTheSameBytesWithAnyNumberOfThreads) {
  std::vector<int32_t> lengths(60);
  for (size_t i = 0; i < lengths.size(); ++i) lengths[i] = 1 + static_cast<int32_t>(i * 7 % 23);
  const TokenField texts = tokens(random_sentences(lengths, kWords, 3));
  ASSERT_GT(texts.layout.rows(), 512);
  const std::vector<int32_t> classes = classes_of(lengths.size());
  for (const char* embeddings : {"", "embedding_dropout: 0.2\n"}) {
    const auto model = GetParam().make(
        kWords, std::string("word_dropout: 0.2\nlayer_dropout: 0.2\noutput_dropout: 0.2\n") + embeddings);
    at_each_level_and_precision([&](DType precision) {
      const auto loss = [&](Context& c) { return model->loss(c, texts, classes, {.smoothing = 0.1}); };
      const std::string one = training_bytes(1, precision, *model, loss);
      for (const int threads : {2, 3, 7})
        ASSERT_TRUE(training_bytes(threads, precision, *model, loss) == one) << threads << " threads";
    });
  }
}

// Looking words up once each is the same function as looking up every row.
TEST_P(ClassifierSuite, ADropoutThatDropsNothingChangesNothing) {
  const std::vector<float> expected = training_losses(*GetParam().make(kWords));
  EXPECT_EQ(training_losses(*GetParam().make(kWords, "embedding_dropout: 1e-9\n")), expected);
}

// Whatever the pooling reads.
TEST_P(ClassifierSuite, EveryDropoutChangesTheLossInTraining) {
  const std::vector<float> without = training_losses(*GetParam().make(kWords, "output_dropout: 0\n"));
  for (const char* const key : {"word_dropout", "embedding_dropout", "layer_dropout", "output_dropout"}) {
    const std::string others = std::string(key) == "output_dropout" ? "" : "output_dropout: 0\n";
    EXPECT_NE(training_losses(*GetParam().make(kWords, others + key + ": 0.5\n")), without) << key;
  }
}

TEST_P(ClassifierSuite, LearnsAFewTextsByHeart) {
  const auto model = GetParam().make(kWords);
  const TokenField texts = tokens({{3, 4, 5, 0}, {6, 0}, {7, 8, 9, 10, 11, 0}, {0}, {5, 4, 3, 0}});
  const std::vector<int32_t> classes = classes_of(5);
  Context c(2);
  expect_learned_by_heart(c, *model, 300, 0.3f,
                          [&](Context& c) { return model->loss(c, texts, classes, LossOptions{}); });
}

TEST_P(ClassifierSuite, AttentionIsADistributionOverWords) {
  const auto model = GetParam().make(kWords);
  Context c(2);
  c.arena.fill_with_nan(true);
  const auto seen = model->attention(c, tokens({{3, 4, 5, 6, 0}, {7, 0}}));
  const std::vector<std::string> pooling = GetParam().config().rnn_classifier.pooling;
  const bool attends = std::find(pooling.begin(), pooling.end(), "attention") != pooling.end();
  ASSERT_EQ(seen.size(), attends ? 2u : 0u);
  for (size_t i = 0; i < seen.size(); ++i) {
    ASSERT_EQ(seen[i].size(), i == 0 ? 5 : 2);
    double sum = 0;
    for (int64_t s = 0; s < seen[i].size(); ++s) sum += seen[i].data<float>()[s];
    EXPECT_NEAR(sum, 1.0, 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(All, ClassifierSuite, ::testing::ValuesIn(sample_classifiers()),
                         [](const auto& info) { return info.param.name; });

TEST(RnnClassifierConfig, RefusesWhatDoesNotFit) {
  const auto message = [](const std::string& yaml, int64_t classes) -> std::string {
    try {
      RnnClassifierConfig config;
      read_yaml(yaml, "config.yaml", config);
      RnnClassifier(config, kWords, classes, 1);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message("pooling: [attention, mean]", 2), "accepted");
  EXPECT_NE(message("pooling: atention", 2).find("Did you mean attention?"), std::string::npos);
  EXPECT_NE(message("pooling: [mean, mean]", 2).find("mean stands there twice"), std::string::npos);
  EXPECT_NE(message("pooling: []", 2).find("at least one of"), std::string::npos);
  EXPECT_NE(message("output: sigmoid", 3).find("there are 3; set model.output: softmax"), std::string::npos);
}

}  // namespace
}  // namespace heed::test
