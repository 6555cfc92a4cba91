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
    with_model(
        [&](Context& c, Transformer& model) { expect_golden_training(c, model, golden_, kind, kKeyBiases); });
  }
}

INSTANTIATE_TEST_SUITE_P(All, TransformerGolden,
                         ::testing::Values(GoldenCase{"transformer_post_norm", DType::f32},
                                           GoldenCase{"transformer_pre_norm", DType::f32},
                                           GoldenCase{"transformer_options", DType::f32},
                                           GoldenCase{"transformer_post_norm", DType::bf16},
                                           GoldenCase{"transformer_pre_norm", DType::bf16},
                                           GoldenCase{"transformer_options", DType::bf16}),
                         [](const auto& info) {
                           return info.param.name + "_" + std::string(name_of(info.param.precision));
                         });

}  // namespace
}  // namespace heed::test
