// The Transformer word by word: what search relies on, whatever the batch does meanwhile.
#include <gtest/gtest.h>

#include "heed/models/transformer.h"
#include "tests/support/levels.h"
#include "tests/support/sentences.h"
#include "tests/support/tolerance.h"

namespace heed::test {
namespace {

TransformerConfig small() {
  TransformerConfig config;
  config.width = 16;
  config.heads = 4;
  config.feed_forward = 24;
  config.encoder_layers = config.decoder_layers = 2;
  config.dropout = 0.0;
  return config;
}

// Learned positions end: decoding on is refused, not read from beyond the table.
TEST(TransformerDecoding, PastTheLearnedPositionsIsRefused) {
  TransformerConfig config = small();
  config.positions = Positions::learned;
  config.max_positions = 6;
  Context c(1);
  const Transformer model(config, 12, 12, 1);
  const auto decoder = model.step_decoder();
  const auto state = decoder->make_state();
  decoder->start(c, *state, tokens({{3, 0}}));
  const std::vector<int32_t> next = {4};
  for (int step = 0; step < 5; ++step) decoder->append(c, *state, next);
  EXPECT_THROW(decoder->append(c, *state, next), InputError);
}

constexpr int32_t kWords = 30;

// A search that goes by no score: it starts sentences at given steps, and before each further word exchanges,
// copies and drops hypotheses by a fixed rule. What each hypothesis has written is kept beside it, and must
// have the log-probabilities that teacher forcing gives for it.
class Wandering {
 public:
  Wandering(const Transformer& model, DType precision)
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
    for (const int32_t parent : parents) selected.push_back(hypotheses_.at(parent));
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
        ASSERT_NEAR(step[i * kWords + word], expected[word],
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

  const Transformer& model_;
  Context c_;
  std::unique_ptr<StepDecoder> decoder_;
  std::unique_ptr<DecoderState> state_;
  std::vector<Hypothesis> hypotheses_;
};

TEST(TransformerDecoding, StepEqualsSequenceWhateverIsSelectedAndWhoeverJoins) {
  for (const bool learned : {false, true}) {
    TransformerConfig config = small();
    config.pre_norm = learned;
    config.positions = learned ? Positions::learned : Positions::sinusoidal;
    const Transformer model(config, kWords, kWords, 1);
    on_each_level([&] {
      for (const DType precision : {DType::f32, DType::bf16}) {
        SCOPED_TRACE(name_of(precision));
        Wandering search(model, precision);
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
      }
    });
  }
}

// Decoded alone, among others, and among others who joined before it with hypotheses reordered, by any number
// of threads: the same bytes.
TEST(TransformerDecoding, AHypothesisHasTheSameBytesInAnyCompany) {
  const Transformer model(small(), kWords, kWords, 1);
  const auto decoder = model.step_decoder();
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
      std::vector<int32_t> next(static_cast<size_t>(state->rows()), word);
      decoder->append(c, *state, next);
    }
    return seen;
  };

  on_each_level([&] {
    for (const DType precision : {DType::f32, DType::bf16}) {
      SCOPED_TRACE(name_of(precision));
      Context one(1, precision);
      const std::vector<float> alone = decode(one, false);
      for (const int threads : {1, 2, 3, 7}) {
        Context c(threads, precision);
        ASSERT_EQ(decode(c, true), alone) << threads << " threads";
      }
    }
  });
}

TEST(TransformerDecoding, AnEmptyStateTakesNewSentences) {
  const Transformer model(small(), kWords, kWords, 1);
  Wandering search(model, DType::f32);
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

// Long enough that forgotten rows are cleared out of the caches while others are in use.
TEST(TransformerDecoding, ForgottenRowsLeaveTheCachesUnseen) {
  TransformerConfig config = small();
  config.encoder_layers = config.decoder_layers = 1;
  const Transformer model(config, kWords, kWords, 1);
  Wandering search(model, DType::f32);
  for (uint64_t round = 0; round < 12; ++round) {
    search.start(random_sentences(std::vector<int32_t>(40, 25), kWords, round));
    for (uint64_t step = 0; step < 25; ++step) search.append(100 * round + step);
    const auto last = static_cast<int32_t>(search.rows() - 1);
    search.select({last, 0, last, last - 7, 0});
    search.expect_as_teacher_forced();
  }
}

}  // namespace
}  // namespace heed::test
