// The Transformer against PyTorch: tests/fixtures/models/make_transformer.py wrote what is compared here.
#include <gtest/gtest.h>

#include "heed/base/config_yaml.h"
#include "heed/models/transformer.h"
#include "tests/support/golden.h"
#include "tests/support/levels.h"

namespace heed::test {
namespace {

// Keys enter a softmax over keys: a constant added to all of them changes nothing.
const std::vector<WithoutGradient> kKeyBiases = {{".queries_keys_values.bias", 1, 3},
                                                 {".cross.keys_values.bias", 0, 2}};

// With BatchNorm whatever adds the same to every row of a column is taken away again, also what comes by way
// of values whose weights add up to one.
const std::vector<WithoutGradient> kWithBatchNorm = {{".queries_keys_values.bias", 1, 3},
                                                     {".queries_keys_values.bias", 2, 3},
                                                     {".cross.keys_values.bias", 0, 1},
                                                     {".output.bias", 0, 1},
                                                     {".outer.bias", 0, 1},
                                                     {"encoder.0.feed_forward.norm.bias", 0, 1}};

struct GoldenCase {
  std::string name;
  DType precision;
};

class TransformerGolden : public ::testing::TestWithParam<GoldenCase> {
 protected:
  // Calls f(context, model) at every level, memory that nobody wrote being NaN.
  template <class F>
  void with_model(F&& f) {
    TransformerConfig config;
    read_yaml(golden_.metadata("config"), GetParam().name, config);
    const int64_t target_words = golden_.rows("weight/target.embedding");
    const int64_t source_words =
        config.tying == Tying::all ? target_words : golden_.rows("weight/source.embedding");
    on_each_level([&] {
      Context c(2, GetParam().precision);
      c.arena.fill_with_nan(true);
      // Training or not differ here in BatchNorm alone: nothing is dropped.
      c.training = config.normalisation == Normalisation::batch;
      Transformer model(config, source_words, target_words, 1);
      golden_.load_weights(model.parameters());
      if (!HasFatalFailure()) f(c, model);
    });
  }

  const GoldenFile golden_{GetParam().name};
};

TEST_P(TransformerGolden, LogProbabilities) {
  with_model([&](Context& c, Transformer& model) { expect_golden_forward(c, model, golden_); });
}

TEST_P(TransformerGolden, LossAndEveryGradient) {
  with_model([&](Context& c, Transformer& model) { expect_golden_gradients(c, model, golden_); });
}

TEST_P(TransformerGolden, TenStepsOfAdam) {
  std::vector<std::string> kinds = {"adam"};
  if (golden_.has_metadata("clip")) kinds.push_back("adam_clipped");
  for (const std::string& kind : kinds) {
    with_model([&](Context& c, Transformer& model) {
      const bool batch_norm = !model.parameters().buffers().empty();
      expect_golden_training(c, model, golden_, kind, batch_norm ? kWithBatchNorm : kKeyBiases);
    });
  }
}

class BatchNormGolden : public TransformerGolden {};

// What one pass of training leaves in them, and what they make of the batch afterwards.
TEST_P(BatchNormGolden, RunningStatistics) {
  with_model([&](Context& c, Transformer& model) {
    ASSERT_FALSE(model.parameters().buffers().empty());
    const TokenField source = golden_.tokens("source"), target = golden_.tokens("target");
    model.log_probs(c, source, target);
    const Tolerance allowed = tolerance(Quantity::log_probs, c.precision);
    for (const Buffer& buffer : model.parameters().buffers())
      expect_near_norm(buffer.name, span_of(buffer.value), golden_.values("running/" + buffer.name), allowed);
    c.training = false;
    for (int pass = 0; pass < 2; ++pass)  // the second shows that the first moved nothing
      expect_near_norm("log-probabilities", span_of(model.log_probs(c, source, target)),
                       golden_.values("inference.log_probs"), allowed);
  });
}

std::vector<GoldenCase> cases_of(const std::vector<std::string>& names) {
  std::vector<GoldenCase> cases;
  for (const std::string& name : names)
    for (const DType precision : {DType::f32, DType::bf16}) cases.push_back({name, precision});
  return cases;
}

std::string name_of_case(const ::testing::TestParamInfo<GoldenCase>& info) {
  return info.param.name + "_" + std::string(name_of(info.param.precision));
}

INSTANTIATE_TEST_SUITE_P(All, TransformerGolden,
                         ::testing::ValuesIn(cases_of({"transformer_post_norm", "transformer_pre_norm",
                                                       "transformer_options", "transformer_guided",
                                                       "transformer_convolution", "transformer_batch_norm"})),
                         name_of_case);
INSTANTIATE_TEST_SUITE_P(All, BatchNormGolden, ::testing::ValuesIn(cases_of({"transformer_batch_norm"})),
                         name_of_case);

}  // namespace
}  // namespace heed::test
