// What every model promises, whatever it is: steps equal sequences, a sentence has the same bytes in any
// company, threads change nothing, a few pairs are learned by heart, its attention sums to one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "tests/support/levels.h"
#include "tests/support/models.h"
#include "tests/support/sentences.h"
#include "tests/support/tolerance.h"
#include "tests/support/training.h"

namespace heed::test {
namespace {

constexpr int32_t kWords = 90;

class ModelSuite : public ::testing::TestWithParam<SampleModel> {};

// A search that goes by no score: it starts sentences at given steps, and before each further word exchanges,
// copies and drops hypotheses by a fixed rule. What each hypothesis has written is kept beside it, and must
// have the log-probabilities that teacher forcing gives for it.
class Wandering {
 public:
  Wandering(const EncoderDecoder& model, DType precision)
      : model_(model), c_(2, precision), decoder_(model.step_decoder()), state_(decoder_->make_state()) {
    c_.arena.fill_with_nan(true);
  }

  void start(const Sentences& sources) {
    decoder_->start(c_, *state_, tokens(sources));
    for (const auto& source : sources) hypotheses_.push_back({source, {}});
  }

  void select(const std::vector<int32_t>& parents) {
    decoder_->select(*state_, parents);
    std::vector<Hypothesis> selected;
    for (const int32_t parent : parents) selected.push_back(hypotheses_.at(static_cast<size_t>(parent)));
    hypotheses_ = std::move(selected);
  }

  void append(uint64_t seed) {
    std::vector<int32_t> next;
    for (Hypothesis& hypothesis : hypotheses_) {
      next.push_back(3 + static_cast<int32_t>(uniform_below(seed, next.size(), kWords - 3)));
      hypothesis.target.push_back(next.back());
    }
    decoder_->append(c_, *state_, next);
  }

  // Teacher forcing needs the word that comes next; which one does not matter to the row before it.
  void expect_as_teacher_forced() {
    ASSERT_EQ(state_->rows(), static_cast<int64_t>(hypotheses_.size()));
    const std::vector<float> step = decoder_->log_probs(c_, *state_);
    for (size_t i = 0; i < hypotheses_.size(); ++i) {
      std::vector<int32_t> target = hypotheses_[i].target;
      target.push_back(kEndToken);
      const Tensor whole = model_.log_probs(c_, tokens({hypotheses_[i].source}), tokens({target}));
      const float* expected = whole.row<float>(whole.rows() - 1);
      for (int64_t word = 0; word < kWords; ++word) {
        ASSERT_NEAR(step[i * kWords + static_cast<size_t>(word)], expected[word],
                    tolerance(Quantity::step_by_step, c_.precision).relative)
            << "hypothesis " << i << ", word " << word << " after " << hypotheses_[i].target.size();
      }
    }
  }

  int64_t rows() const { return static_cast<int64_t>(hypotheses_.size()); }

 private:
  struct Hypothesis {
    std::vector<int32_t> source, target;
  };

  const EncoderDecoder& model_;
  Context c_;
  std::unique_ptr<StepDecoder> decoder_;
  std::unique_ptr<DecoderState> state_;
  std::vector<Hypothesis> hypotheses_;
};

TEST_P(ModelSuite, StepEqualsSequenceWhateverIsSelectedAndWhoeverJoins) {
  const auto model = GetParam().make(kWords);
  at_each_level_and_precision([&](DType precision) {
    Wandering search(*model, precision);
    search.start(random_sentences({4, 1, 9}, kWords, 1));
    search.expect_as_teacher_forced();
    search.append(1);
    search.select({2, 0, 2, 1, 1});  // repeated parents, another order
    search.expect_as_teacher_forced();
    search.append(2);
    search.start(random_sentences({6, 2}, kWords, 2));  // join while others are at their third word
    search.expect_as_teacher_forced();
    search.append(3);
    search.select({6, 4, 3, 0});  // some sentences are done
    search.append(4);
    search.start(random_sentences({5}, kWords, 3));
    search.select({4, 3, 3, 2, 1, 0});
    search.append(5);
    search.expect_as_teacher_forced();
  });
}

TEST_P(ModelSuite, AnEmptyStateTakesNewSentences) {
  const auto model = GetParam().make(kWords);
  Wandering search(*model, DType::f32);
  search.start({});
  search.append(1);
  search.start(random_sentences({3, 2}, kWords, 1));
  search.append(2);
  search.select({});
  search.append(3);
  search.expect_as_teacher_forced();
  search.start(random_sentences({2}, kWords, 2));
  search.append(4);
  search.expect_as_teacher_forced();
}

// Decoded alone, among others, and among others who joined before it with hypotheses reordered, by any number
// of threads: the same bytes.
TEST_P(ModelSuite, AHypothesisHasTheSameBytesInAnyCompany) {
  const auto model = GetParam().make(kWords);
  const auto decoder = model->step_decoder();
  const std::vector<int32_t> source = {7, 9, 4, 0}, words = {5, 8, 11, 3};
  const Sentences others = random_sentences({12, 3, 1, 6}, kWords, 1);

  // The log-probabilities of the sentence, which is the last hypothesis, after each word.
  const auto decode = [&](Context& c, bool in_company) {
    c.arena.fill_with_nan(true);
    const auto state = decoder->make_state();
    if (in_company) {
      decoder->start(c, *state, tokens(others));
      decoder->append(c, *state, std::vector<int32_t>{3, 4, 5, 6});
      decoder->select(*state, std::vector<int32_t>{3, 1, 1, 0});
    }
    decoder->start(c, *state, tokens({source}));
    std::vector<float> seen;
    for (const int32_t word : words) {
      const std::vector<float> all = decoder->log_probs(c, *state);
      seen.insert(seen.end(), all.end() - kWords, all.end());
      const std::vector<int32_t> next(static_cast<size_t>(state->rows()), word);
      decoder->append(c, *state, next);
    }
    return seen;
  };

  at_each_level_and_precision([&](DType precision) {
    Context one(1, precision);
    const std::vector<float> alone = decode(one, false);
    for (const int threads : {1, 2, 3, 7}) {
      Context c(threads, precision);
      ASSERT_EQ(decode(c, true), alone) << threads << " threads";
    }
  });
}

// Long enough that forgotten rows are cleared out of the caches while others are in use.
TEST_P(ModelSuite, ForgottenRowsLeaveTheCachesUnseen) {
  const auto model = GetParam().make(kWords);
  Wandering search(*model, DType::f32);
  for (uint64_t round = 0; round < 12; ++round) {
    search.start(random_sentences(std::vector<int32_t>(40, 25), kWords, round));
    for (uint64_t step = 0; step < 25; ++step) search.append(100 * round + step);
    const auto last = static_cast<int32_t>(search.rows() - 1);
    search.select({last, 0, last, last - 7, 0});
    search.expect_as_teacher_forced();
  }
}

// The bytes of each sentence's log-probabilities.
std::vector<std::string> log_probs(int threads, DType precision, const EncoderDecoder& model,
                                   const Sentences& sources, const Sentences& targets) {
  Context c(threads, precision);
  c.arena.fill_with_nan(true);
  const TokenField source = tokens(sources), target = tokens(targets);
  const Tensor all = model.log_probs(c, source, target);
  std::vector<std::string> sentences;
  for (int64_t i = 0; i < target.layout.sentences(); ++i) {
    const auto* begin = reinterpret_cast<const char*>(all.row<float>(target.layout.begin(i)));
    sentences.emplace_back(begin, static_cast<size_t>(target.layout.length(i)) * kWords * sizeof(float));
    EXPECT_TRUE(std::all_of(all.row<float>(target.layout.begin(i)), all.row<float>(target.layout.end(i)),
                            [](float x) { return x <= 0.0f; }));
  }
  return sentences;
}

TEST_P(ModelSuite, ASentenceHasTheSameBytesInAnyCompany) {
  const Sentences sources = random_sentences({7, 1, 30, 2, 12, 64, 3}, kWords, 1);
  const Sentences targets = random_sentences({5, 9, 1, 33, 16, 2, 65}, kWords, 2);
  const auto model = GetParam().make(kWords);
  at_each_level_and_precision([&](DType precision) {
    std::vector<std::string> alone;
    for (size_t i = 0; i < sources.size(); ++i)
      alone.push_back(log_probs(1, precision, *model, {sources[i]}, {targets[i]}).front());
    // Batches of rotated order and growing size, with different numbers of threads.
    const int threads[] = {1, 2, 3, 7};
    for (size_t size = 2; size <= sources.size(); ++size) {
      Sentences some_sources, some_targets;
      std::vector<size_t> chosen;
      for (size_t i = 0; i < size; ++i) {
        chosen.push_back((i * 3 + size) % sources.size());
        some_sources.push_back(sources[chosen.back()]);
        some_targets.push_back(targets[chosen.back()]);
      }
      const auto together = log_probs(threads[size % 4], precision, *model, some_sources, some_targets);
      for (size_t i = 0; i < size; ++i)
        ASSERT_TRUE(together[i] == alone[chosen[i]]) << "sentence " << chosen[i] << " in a batch of " << size;
    }
  });
}

// A server's threads share one model, each with a context of its own; what is made when first needed, packed
// weights and positions, is made while others wait. (ThreadSanitizer sees more here than the bytes tell.)
TEST_P(ModelSuite, ThreadsMayShareAModel) {
  const Sentences sources = random_sentences({7, 1, 30}, kWords, 1),
                  targets = random_sentences({5, 9, 1}, kWords, 2);
  const auto alone = log_probs(1, DType::f32, *GetParam().make(kWords), sources, targets);
  const auto model = GetParam().make(kWords);
  std::vector<std::string> shared[3];
  {
    std::vector<std::jthread> threads;
    for (auto& mine : shared)
      threads.emplace_back([&] { mine = log_probs(1, DType::f32, *model, sources, targets); });
  }
  for (const auto& mine : shared) EXPECT_TRUE(mine == alone);
}

// Rows enough for several chunks of weight gradients.
TEST_P(ModelSuite, GradientsHaveTheSameBytesWithAnyNumberOfThreads) {
  std::vector<int32_t> lengths(60);
  for (size_t i = 0; i < lengths.size(); ++i) lengths[i] = 1 + static_cast<int32_t>(i * 7 % 23);
  const TokenField source = tokens(random_sentences(lengths, kWords, 3));
  std::reverse(lengths.begin(), lengths.end());
  const TokenField target = tokens(random_sentences(lengths, kWords, 4));
  ASSERT_GT(target.layout.rows(), 512);
  const bool rnn = GetParam().config().type == ModelType::rnn;
  const auto model =
      GetParam().make(kWords, rnn ? "embedding_dropout: 0.2\nlayer_dropout: 0.2\ncontext_dropout: 0.2\n"
                                    "output_dropout: 0.2\n"
                                  : "dropout: 0.2\nattention_dropout: 0.2\nactivation_dropout: 0.2\n");
  at_each_level_and_precision([&](DType precision) {
    const auto loss = [&](Context& c) { return model->loss(c, source, target, {.smoothing = 0.1}); };
    const std::string one = training_bytes(1, precision, *model, loss);
    for (const int threads : {2, 3, 7})
      ASSERT_TRUE(training_bytes(threads, precision, *model, loss) == one) << threads << " threads";
  });
}

// The loss of each row of a small batch.
std::vector<float> row_losses(const EncoderDecoder& model, bool training) {
  const TokenField source = tokens(random_sentences({7, 1, 12}, kWords, 5)),
                   target = tokens(random_sentences({5, 9, 2}, kWords, 6));
  Context c(2);
  c.training = training;
  c.random_key = 1;
  const Tensor rows = model.loss(c, source, target, LossOptions{}).row_loss;
  std::vector<float> losses(rows.data<float>(), rows.data<float>() + rows.size());
  EXPECT_TRUE(std::all_of(losses.begin(), losses.end(), [](float x) { return std::isfinite(x); }));
  return losses;
}

// Whichever of both stacks has layers to drop out between.
TEST_P(ModelSuite, EveryDropoutChangesTheLossInTrainingOnly) {
  const bool rnn = GetParam().config().type == ModelType::rnn;
  using Words = std::vector<std::string>;
  const std::string nothing = rnn ? "" : "dropout: 0\n";
  for (const std::string& layers :
       rnn ? Words{"encoder_layers: 2\ndecoder_layers: 1\n", "encoder_layers: 1\ndecoder_layers: 2\n"}
           : Words{""}) {
    const auto whole = GetParam().make(kWords, layers + nothing);
    // Training moves what BatchNorm reads outside of it.
    const std::vector<float> outside = row_losses(*whole, false), training = row_losses(*whole, true);
    for (const std::string& key :
         rnn ? Words{"embedding_dropout", "layer_dropout", "context_dropout", "output_dropout"}
             : Words{"dropout", "attention_dropout", "activation_dropout"}) {
      SCOPED_TRACE(layers + key);
      const auto dropping =
          GetParam().make(kWords, layers + (key == "dropout" ? "" : nothing) + key + ": 0.5\n");
      EXPECT_EQ(row_losses(*dropping, false), outside);
      EXPECT_NE(row_losses(*dropping, true), training);
    }
  }
}

// A word's vector gets no gradient where it was dropped, which nothing else leads to. Every word stands there
// once.
TEST_P(ModelSuite, EachEmbeddingDropsOut) {
  const bool rnn = GetParam().config().type == ModelType::rnn;
  const std::vector<int32_t> read = {3, 4, 5, 6, 7, kEndToken}, written = {8, 9, 10, 11, kEndToken};
  const TokenField source = tokens({read}), target = tokens({written});
  const auto zeros_of = [&](const std::string& probability, const char* name,
                            const std::vector<int32_t>& words) {
    const auto model = GetParam().make(
        kWords, "tying: none\n" + std::string(rnn ? "embedding_" : "") + "dropout: " + probability + "\n");
    Context c(2);
    c.training = true;
    c.random_key = 1;
    Tape tape;
    const Mode recording(c, &tape, c.training);
    const OutputLoss loss = model->loss(c, source, target, LossOptions{});
    tape.backward(c, loss.sum);
    const Tensor gradient = model->parameters().find(name)->gradient().take(c);
    int64_t zeros = 0;
    for (const int32_t word : words)
      zeros += std::count(gradient.row<float>(word), gradient.row<float>(word) + gradient.width(), 0.0f);
    return zeros;
  };
  const std::vector<int32_t> shifted = {kBeginToken, 8, 9, 10, 11};
  for (const auto& [name, words] :
       {std::pair("source.embedding", read), std::pair("target.embedding", shifted)}) {
    EXPECT_EQ(zeros_of("0", name, words), 0) << name;
    EXPECT_GT(zeros_of("0.5", name, words), 0) << name;
  }
}

TEST_P(ModelSuite, LearnsAFewPairsByHeart) {
  const bool rnn = GetParam().config().type == ModelType::rnn;
  const auto model = GetParam().make(kWords, rnn ? "" : "dropout: 0\n");
  const TokenField source = tokens({{3, 4, 5, 0}, {6, 0}, {7, 8, 9, 10, 11, 0}});
  const TokenField target = tokens({{5, 4, 0}, {6, 9, 10, 3, 0}, {11, 0}});
  Context c(2);
  c.training = true;
  expect_learned_by_heart(c, *model, 150, 0.03f,
                          [&](Context& c) { return model->loss(c, source, target, LossOptions{}); });
}

// One row of weights a target word, one column a source word, each row a distribution.
TEST_P(ModelSuite, AttentionIsADistributionOverSourceWords) {
  const auto model = GetParam().make(kWords);
  Context c(2);
  c.arena.fill_with_nan(true);
  const ModelConfig config = GetParam().config();
  const bool rnn = config.type == ModelType::rnn;
  const bool attends = !rnn || config.rnn.attention != RnnAttention::none;
  // Luong et al. 2015, eq. 10 weakens what is far from the centre and does not scale it up again.
  const bool fades = rnn && config.rnn.window == Window::local_p;
  const bool monotonic = rnn && config.rnn.monotonic;
  const auto seen = model->attention(c, tokens({{3, 4, 5, 6, 0}}), tokens({{5, 4, 0}}));
  bool of_source = false;
  for (const AttentionWeights& attention : seen) {
    if (attention.kind != AttentionKind::source) continue;
    of_source = true;
    ASSERT_EQ(attention.weights.shape()[1], 3);
    ASSERT_EQ(attention.weights.shape()[2], 5);
    for (int64_t row = 0; row < attention.weights.rows(); ++row) {
      double sum = 0;
      for (int64_t s = 0; s < 5; ++s) sum += attention.weights.row<float>(row)[s];
      if (fades) {
        EXPECT_TRUE(sum > 0.0 && sum <= 1.0 + 1e-6) << sum;
      } else if (!monotonic || sum != 0.0) {  // monotonic attention may find nothing
        EXPECT_NEAR(sum, 1.0, 1e-6);
      }
    }
  }
  EXPECT_EQ(of_source, attends);
}

// What is drawn in training makes choices sure; outside of it the choices themselves are made.
TEST(MonotonicNoise, ChangesTheLossInTrainingOnly) {
  int monotonic = 0;
  for (const SampleModel& sample : sample_models()) {
    const ModelConfig config = sample.config();
    if (config.type != ModelType::rnn || !config.rnn.monotonic) continue;
    ++monotonic;
    SCOPED_TRACE(sample.name);
    const auto silent = sample.make(kWords, "monotonic_noise: 0\n"),
               noisy = sample.make(kWords, "monotonic_noise: 1\n");
    EXPECT_EQ(row_losses(*noisy, false), row_losses(*silent, false));
    EXPECT_NE(row_losses(*noisy, true), row_losses(*silent, true));
  }
  EXPECT_GT(monotonic, 0);
}

// Two weights of one name would start alike, two dropouts drop alike.
TEST(ParameterStore, ANameIsTakenOnce) {
  ParameterStore store(1);
  store.add("a", {2}, Initial::constant(0.0));
  EXPECT_THROW(store.add("a", {2}, Initial::constant(0.0)), Error);
  EXPECT_THROW(store.add_buffer("a", {2}, 0.0f), Error);
  EXPECT_EQ(store.dropout_site("a", 0.5).site, DropoutSite("a", 0.5).site);
  EXPECT_THROW(store.dropout_site("a", 0.5), Error);
  store.dropout_site("b", 0.5);
}

// Of a single row the bias that a sub-layer adds last gets no gradient where what it gives was dropped.
// (Under BatchNorm, which takes the mean out, it gets none at all.)
TEST(Transformers, EachSublayerDropsOut) {
  int models = 0;
  for (const SampleModel& sample : sample_models()) {
    const ModelConfig config = sample.config();
    if (config.type != ModelType::transformer || config.transformer.normalisation == Normalisation::batch)
      continue;
    ++models;
    const TokenField one = tokens({{kEndToken}});
    for (const bool drops : {false, true}) {
      const auto model = sample.make(kWords, drops ? "dropout: 0.5\n" : "dropout: 0\n");
      Context c(2);
      c.random_key = 1;
      Tape tape;
      const AsInTraining mode(c, &tape);
      tape.backward(c, model->loss(c, one, one, LossOptions{}).sum);
      int sublayers = 0;
      for (const auto& parameter : model->parameters().all()) {
        const std::string& name = parameter->name();
        if (!name.ends_with(".output.bias") && !name.ends_with(".outer.bias")) continue;
        const Tensor gradient = parameter->gradient().take(c);
        const auto zeros = std::count(gradient.data<float>(), gradient.data<float>() + gradient.size(), 0.0f);
        EXPECT_EQ(zeros > 0, drops) << sample.name << ", " << name;
        ++sublayers;
      }
      EXPECT_EQ(sublayers, 2 * 2 + 2 * 3);  // two layers, of two in the encoder and three in the decoder
    }
  }
  EXPECT_EQ(models, 4);
}

INSTANTIATE_TEST_SUITE_P(All, ModelSuite, ::testing::ValuesIn(sample_models()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace heed::test
