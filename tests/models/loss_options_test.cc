// What guided attention, R-Drop and scheduled sampling make of a model's loss, from what else the model says
// of itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "heed/ops/guide.h"
#include "tests/support/models.h"
#include "tests/support/sentences.h"
#include "tests/support/tolerance.h"

namespace heed::test {
namespace {

constexpr int32_t kWords = 60;

const SampleModel kTransformer = {"transformer",
                                  "type: transformer\nwidth: 24\nheads: 3\nfeed_forward: 32\nlayers: 2\n"};
const SampleModel kBahdanau = {"bahdanau", "type: rnn\nembedding: 20\nwidth: 24\nattend: before\n"};
const SampleModel kFeeding = {"luong_input_feeding",
                              "type: rnn\nembedding: 20\nwidth: 24\nattention: bilinear\nattend: after\n"
                              "input_feeding: true\ncell: lstm\nlayers: 2\n"};
const SampleModel kPlain = {"plain", "type: rnn\nembedding: 20\nwidth: 24\nattention: none\n"};

class Losses : public ::testing::TestWithParam<SampleModel> {
 protected:
  const TokenField source_ = tokens(random_sentences({5, 1, 9}, kWords, 1));
  const TokenField target_ = tokens(random_sentences({4, 7, 2}, kWords, 2));
};

double loss_of(const EncoderDecoder& model, const TokenField& source, const TokenField& target,
               const GuidedAttentionOptions& guided) {
  Context c(2);
  LossOptions options;
  options.guided_attention = guided;
  return model.loss(c, source, target, options).sum.value.item();
}

// By the definition, from the weights that `heed attend` shows.
TEST_P(Losses, GuidedAttentionAddsTheMeanDistanceFromTheDiagonal) {
  const auto model = GetParam().make(kWords);
  const double plain = loss_of(*model, source_, target_, {});
  for (const int64_t layer : {0, 1}) {
    const GuidedAttentionOptions guided{.weight = 2.0, .width = 0.3, .layer = layer};
    double expected = 0.0;
    for (int64_t b = 0; b < source_.layout.sentences(); ++b) {
      const auto sentence = [&](const TokenField& field) {
        return tokens({{field.ids.begin() + field.layout.begin(b), field.ids.begin() + field.layout.end(b)}});
      };
      Context c(1);
      std::vector<double> means;  // of each layer and head over its T x N weights
      for (const AttentionWeights& seen : model->attention(c, sentence(source_), sentence(target_))) {
        if (seen.kind != AttentionKind::source || (layer > 0 && seen.layer + 1 != layer)) continue;
        const int64_t queries = seen.weights.shape()[1], keys = seen.weights.shape()[2];
        for (int64_t head = 0; head < seen.weights.shape()[0]; ++head) {
          double sum = 0.0;
          for (int64_t t = 0; t < queries; ++t) {
            for (int64_t n = 0; n < keys; ++n) {
              const double apart = static_cast<double>(n) / static_cast<double>(keys) -
                                   static_cast<double>(t) / static_cast<double>(queries);
              sum += seen.weights.row<float>(head * queries + t)[n] *
                     (1.0 - std::exp(-apart * apart / (2 * guided.width * guided.width)));
            }
          }
          means.push_back(sum / static_cast<double>(queries * keys));
        }
      }
      double mean = 0.0;
      for (const double m : means) mean += m / static_cast<double>(means.size());
      expected += mean * target_.layout.length(b);
    }
    // The difference of two losses of f32, one of them computed step by step.
    EXPECT_NEAR(loss_of(*model, source_, target_, guided) - plain, guided.weight * expected, 1e-5 * plain);
    EXPECT_GT(guided.weight * expected, 1e-3 * plain);
  }
}

INSTANTIATE_TEST_SUITE_P(OfAttention, Losses, ::testing::Values(kTransformer, kBahdanau, kFeeding),
                         [](const auto& info) { return info.param.name; });

// Guided, the decoder goes from step to step instead of over all rows at once; each row drops the same.
TEST(GuidedAttention, DropoutDropsTheSameStepByStep) {
  const auto model = kBahdanau.make(kWords,
                                    "layers: 3\nembedding_dropout: 0.3\nlayer_dropout: 0.5\n"
                                    "context_dropout: 0.3\noutput_dropout: 0.3\n");
  const TokenField source = tokens(random_sentences({5, 1, 9}, kWords, 1));
  const TokenField target = tokens(random_sentences({4, 7, 2}, kWords, 2));
  Context c(2);
  c.training = true;
  LossOptions options;
  const double at_once = model->loss(c, source, target, options).sum.value.item();
  options.guided_attention.weight = 1e-9;
  const double by_steps = model->loss(c, source, target, options).sum.value.item();
  EXPECT_NEAR(by_steps, at_once, 1e-5 * at_once);  // sums of f32 in another order
  c.training = false;
  EXPECT_NE(model->loss(c, source, target, LossOptions{}).sum.value.item(), at_once);
}

TEST(GuidedAttention, LayersAndHeadsAverage) {
  const auto model = kTransformer.make(kWords);
  const TokenField source = tokens(random_sentences({5, 9}, kWords, 1));
  const TokenField target = tokens(random_sentences({6, 3}, kWords, 2));
  const double plain = loss_of(*model, source, target, {});
  double sum = 0.0;
  for (int64_t layer = 1; layer <= 2; ++layer)
    for (int64_t head = 1; head <= 3; ++head)
      sum += loss_of(*model, source, target, {.weight = 1.0, .layer = layer, .head = head}) - plain;
  EXPECT_NEAR(loss_of(*model, source, target, {.weight = 1.0}) - plain, sum / 6, 1e-6 * plain);
}

TEST(GuidedAttention, LayersAndHeadsThatAreNotThereAreRefused) {
  const TokenField sentence = tokens({{3, 4, 0}});
  EXPECT_THROW(loss_of(*kTransformer.make(kWords), sentence, sentence, {.weight = 1.0, .layer = 3}),
               InputError);
  EXPECT_THROW(loss_of(*kTransformer.make(kWords), sentence, sentence, {.weight = 1.0, .head = 4}),
               InputError);
  EXPECT_THROW(loss_of(*kPlain.make(kWords), sentence, sentence, {.weight = 1.0}), InputError);
  EXPECT_NO_THROW(loss_of(*kPlain.make(kWords), sentence, sentence, {}));
}

// The loss of a batch in training, read twice under alpha or, where that is 0, once; `loss` is
// loss(c, options).
template <class Loss>
double r_drop_loss_of(double alpha, const Loss& loss) {
  Context c(2);
  c.training = true;
  c.random_key = 5;
  LossOptions options;
  options.smoothing = 0.1;
  options.r_drop = alpha;
  const double sum = loss(c, options).sum.value.item();
  EXPECT_EQ(c.random_key, 5u);  // is the caller's again
  return sum;
}

// Two passes that drop the same are nowhere apart, and alpha then makes no difference.
template <class Loss>
void expect_reads_twice(const Loss& dropping, const Loss& whole) {
  const double weak = r_drop_loss_of(1.0, dropping), strong = r_drop_loss_of(10.0, dropping);
  EXPECT_GT(strong, weak);
  EXPECT_NE(weak, r_drop_loss_of(0.0, dropping));

  const double once = r_drop_loss_of(0.0, whole), twice = r_drop_loss_of(1.0, whole);
  EXPECT_EQ(r_drop_loss_of(10.0, whole), twice);
  // R-Drop makes its log-probabilities first and the loss of them, cross-entropy both at once.
  EXPECT_NEAR(twice, 2 * once, tolerance(Quantity::loss, DType::f32).relative * 2 * once);
}

class RDrop : public ::testing::TestWithParam<SampleModel> {};

TEST_P(RDrop, PassesDropOutElsewhere) {
  const bool rnn = GetParam().name != "transformer";
  const TokenField source = tokens(random_sentences({5, 1, 9}, kWords, 1));
  const TokenField target = tokens(random_sentences({4, 7, 2}, kWords, 2));
  const auto loss_with = [&](const std::string& probability) {
    std::shared_ptr<const EncoderDecoder> model =
        GetParam().make(kWords, std::string(rnn ? "output_" : "") + "dropout: " + probability + "\n");
    return [&, model](Context& c, const LossOptions& options) {
      return model->loss(c, source, target, options);
    };
  };
  expect_reads_twice(loss_with("0.3"), loss_with("0"));
}

INSTANTIATE_TEST_SUITE_P(OfModels, RDrop, ::testing::Values(kTransformer, kBahdanau, kFeeding, kPlain),
                         [](const auto& info) { return info.param.name; });

TEST(RDropOfClassifiers, PassesDropOutElsewhere) {
  const SampleClassifier sample = {"classifier", "type: rnn_classifier\nembedding: 20\nwidth: 24\n", 3};
  const TokenField texts = tokens(random_sentences({5, 1, 9}, kWords, 1));
  const std::vector<int32_t> classes = {2, 0, 1};
  const auto loss_with = [&](const std::string& probability) {
    std::shared_ptr<const Classifier> model = sample.make(kWords, "output_dropout: " + probability + "\n");
    return [&, model](Context& c, const LossOptions& options) {
      return model->loss(c, texts, classes, options);
    };
  };
  expect_reads_twice(loss_with("0.3"), loss_with("0"));
}

// The rows' log-probabilities of their targets under scheduled sampling.
std::vector<float> sampled_log_probs(const EncoderDecoder& model, const TokenField& source,
                                     const TokenField& target, const ScheduledSampling& sampling,
                                     uint64_t random_key = 5, int threads = 1) {
  Context c(threads);
  c.arena.fill_with_nan(true);
  c.training = true;
  c.random_key = random_key;
  Tape tape;
  const Mode recording(c, &tape, c.training);
  LossOptions options;
  options.scheduled_sampling = sampling;
  const Tensor log_prob = model.loss(c, source, target, options).log_prob;
  return {log_prob.data<float>(), log_prob.data<float>() + log_prob.size()};
}

class SampledInputs : public ::testing::TestWithParam<SampleModel> {};

TEST_P(SampledInputs, OnlyGoldTokensIsTeacherForcing) {
  const auto model = GetParam().make(
      kWords, GetParam().name == "transformer" ? "dropout: 0.2\n" : "embedding_dropout: 0.2\n");
  const TokenField source = tokens(random_sentences({5, 1, 9}, kWords, 1));
  const TokenField target = tokens(random_sentences({4, 7, 2}, kWords, 2));
  EXPECT_EQ(sampled_log_probs(*model, source, target, {.teacher_forcing = 1.0}),
            sampled_log_probs(*model, source, target, {}));
  EXPECT_NE(sampled_log_probs(*model, source, target, {.teacher_forcing = 0.5}),
            sampled_log_probs(*model, source, target, {}));
}

// A sentence reads the same words in any company, and with any number of threads; another update, others.
TEST_P(SampledInputs, AreAFunctionOfTheSentenceAndTheUpdate) {
  const auto model = GetParam().make(kWords);
  const Sentences sources = random_sentences({5, 1, 9, 30}, kWords, 1);
  const Sentences targets = random_sentences({4, 17, 2, 25}, kWords, 2);
  const auto field = [](const Sentences& sentences, const std::vector<size_t>& chosen) {
    TokenField field;
    std::vector<int32_t> lengths;
    std::vector<uint64_t> numbers;
    for (const size_t i : chosen) {
      field.ids.insert(field.ids.end(), sentences[i].begin(), sentences[i].end());
      lengths.push_back(static_cast<int32_t>(sentences[i].size()));
      numbers.push_back(100 + i);
    }
    field.layout = Layout::of_lengths(lengths, numbers);
    return field;
  };
  for (const bool sample : {false, true}) {
    const ScheduledSampling sampling{.teacher_forcing = 0.4, .sample = sample};
    const auto all = [&](const std::vector<size_t>& chosen, uint64_t key, int threads) {
      return sampled_log_probs(*model, field(sources, chosen), field(targets, chosen), sampling, key,
                               threads);
    };
    const std::vector<float> together = all({2, 0, 3, 1}, 5, 3);
    std::vector<float> alone;
    for (const size_t i : {2, 0, 3, 1}) {
      const std::vector<float> one = all({i}, 5, 1);
      alone.insert(alone.end(), one.begin(), one.end());
    }
    EXPECT_EQ(together, alone);
    EXPECT_NE(all({2, 0, 3, 1}, 6, 1), together);
  }
}

TEST_P(SampledInputs, DrawnOnesDifferFromTheBest) {
  const auto model = GetParam().make(kWords);
  const TokenField source = tokens(random_sentences({9}, kWords, 1));
  const TokenField target = tokens(random_sentences({20}, kWords, 2));
  EXPECT_NE(sampled_log_probs(*model, source, target, {.teacher_forcing = 0.0, .sample = true}),
            sampled_log_probs(*model, source, target, {.teacher_forcing = 0.0, .sample = false}));
}

INSTANTIATE_TEST_SUITE_P(OfModels, SampledInputs,
                         ::testing::Values(kTransformer, kBahdanau, kFeeding, kPlain),
                         [](const auto& info) { return info.param.name; });

class TrueSteps : public ::testing::TestWithParam<SampleModel> {};

// Without any gold token a recurrent decoder reads what it would write itself: the step decoder's arg max.
TEST_P(TrueSteps, ReadWhatTheModelWouldWrite) {
  const auto model = GetParam().make(kWords);
  const TokenField source = tokens(random_sentences({6}, kWords, 3));
  const TokenField target = tokens(random_sentences({12}, kWords, 4));
  Context c(1);
  const auto decoder = model->step_decoder();
  const auto state = decoder->make_state();
  decoder->start(c, *state, source);
  const std::vector<float> got = sampled_log_probs(*model, source, target, {.teacher_forcing = 0.0});
  for (size_t t = 0; t < target.ids.size(); ++t) {
    const std::vector<float> all = decoder->log_probs(c, *state);
    EXPECT_NEAR(got[t], all[static_cast<size_t>(target.ids[t])],
                tolerance(Quantity::step_by_step, DType::f32).relative)
        << "row " << t;
    const auto best = std::max_element(all.begin(), all.end()) - all.begin();
    decoder->append(c, *state, std::vector<int32_t>{static_cast<int32_t>(best)});
  }
}

INSTANTIATE_TEST_SUITE_P(OfRecurrent, TrueSteps, ::testing::Values(kBahdanau, kFeeding, kPlain),
                         [](const auto& info) { return info.param.name; });

// Without any gold token the second pass reads the first one's arg max, which has read the gold prefix.
TEST(TwoPasses, TheSecondReadsWhatTheFirstPredicts) {
  const auto model = kTransformer.make(kWords, "dropout: 0\n");
  const TokenField source = tokens(random_sentences({6}, kWords, 3));
  const TokenField target = tokens(random_sentences({12}, kWords, 4));
  Context c(1);
  const Tensor first = model->log_probs(c, source, target).keep();
  TokenField predicted = target;  // shifted by the model it becomes the second pass's input
  for (int64_t row = 0; row < first.rows(); ++row)
    predicted.ids[static_cast<size_t>(row)] = static_cast<int32_t>(
        std::max_element(first.row<float>(row), first.row<float>(row) + kWords) - first.row<float>(row));
  const Tensor second = model->log_probs(c, source, predicted).keep();
  const std::vector<float> got = sampled_log_probs(*model, source, target, {.teacher_forcing = 0.0});
  for (int64_t row = 0; row < second.rows(); ++row)
    EXPECT_NEAR(got[static_cast<size_t>(row)], second.row<float>(row)[target.ids[static_cast<size_t>(row)]],
                tolerance(Quantity::step_by_step, DType::f32).relative);
}

// Of 20000 rows a share of 0.3 +- 0.013 (four standard deviations) reads gold tokens; of a sentence's first
// rows all do.
TEST(InputChoice, GoldTokensHaveTheirProbability) {
  Context c(1);
  c.random_key = 3;
  const Layout layout = Layout::of_lengths(std::vector<int32_t>(200, 101));
  const InputChoice choice(c, {.teacher_forcing = 0.3}, layout);
  int predicted = 0;
  for (int32_t row = 0; row < layout.rows(); ++row) {
    if (layout.positions()[static_cast<size_t>(row)] == 0)
      EXPECT_FALSE(choice.is_predicted(row));
    else
      predicted += choice.is_predicted(row) ? 1 : 0;
  }
  EXPECT_NEAR(predicted / 20000.0, 0.7, 0.013);
}

// More rows than distributions are made for at a time, each all but sure of a word of its own (the others
// have a probability of 31 e^-30 together): the drawn one is the best one.
TEST(InputChoice, EachRowPredictsForItself) {
  constexpr int64_t kRows = 150, kChoices = 32;
  Tensor identity = Tensor::zeros({kChoices, kChoices}), states = Tensor::zeros({kRows, kChoices});
  for (int64_t i = 0; i < kChoices; ++i) identity.row<float>(i)[i] = 30.0f;
  std::vector<int32_t> rows, expected;
  for (int32_t row = 0; row < kRows; ++row) {
    rows.push_back(row);
    expected.push_back(row * 7 % 31);
    states.row<float>(row)[expected.back()] = 1.0f;
  }
  const Parameter weight("weight", identity);
  const Layout layout = Layout::of_lengths(std::vector<int32_t>{60, 90});
  for (const bool sample : {false, true}) {
    Context c(2);
    c.random_key = 9;
    const InputChoice choice(c, {.teacher_forcing = 0.0, .sample = sample}, layout);
    EXPECT_EQ(choice.predict(c, states, rows, weight, nullptr), expected) << sample;
  }
}

// Words are drawn with the model's probabilities: 4000 draws from a distribution set by the bias alone.
TEST(InputChoice, DrawsFollowTheDistribution) {
  const double shares[] = {0.5, 0.1, 0.4};
  const Parameter weight("weight", Tensor::zeros({3, 4}));
  Tensor logits = Tensor::empty({3});
  for (int i = 0; i < 3; ++i) logits.data<float>()[i] = static_cast<float>(std::log(shares[i]));
  const Parameter bias("bias", logits);
  Context c(2);
  c.random_key = 9;
  const Layout layout = Layout::of_lengths(std::vector<int32_t>(40, 100));
  const InputChoice choice(c, {.teacher_forcing = 0.0, .sample = true}, layout);
  std::vector<int32_t> rows(4000);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int32_t>(i);
  double counts[3] = {};
  for (const int32_t word : choice.predict(c, Tensor::zeros({4000, 4}), rows, weight, &bias))
    counts[word] += 1;
  // Four standard deviations of sqrt(p (1 - p) / 4000).
  for (int i = 0; i < 3; ++i)
    EXPECT_NEAR(counts[i] / 4000, shares[i], 4 * std::sqrt(shares[i] * (1 - shares[i]) / 4000));
}

}  // namespace
}  // namespace heed::test
