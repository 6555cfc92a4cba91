// The recurrent encoder-decoders against PyTorch: tests/fixtures/models/make_rnn.py wrote what is compared
// here.
#include <gtest/gtest.h>

#include "heed/base/config_yaml.h"
#include "heed/models/rnn_seq2seq.h"
#include "tests/support/golden.h"
#include "tests/support/levels.h"

namespace heed::test {
namespace {

// A constant added to all scores changes no softmax, and a bias of the keys adds nearly that: its gradient is
// a thousandth of the others', which in bf16 is rounding, and Adam's steps follow it.
const std::vector<WithoutGradient> kKeyBiasInBf16 = {{"attention.keys.bias", 0, 1}};

struct GoldenCase {
  std::string name;
  DType precision;
};

class RnnGolden : public ::testing::TestWithParam<GoldenCase> {
 protected:
  // Calls f(context, model) at every level, memory that nobody wrote being NaN.
  template <class F>
  void with_model(F&& f) {
    RnnConfig config;
    read_yaml(golden_.metadata("config"), GetParam().name, config);
    const int64_t target_words = golden_.rows("weight/target.embedding");
    const int64_t source_words =
        config.tying == Tying::all ? target_words : golden_.rows("weight/source.embedding");
    on_each_level([&] {
      Context c(2, GetParam().precision);
      c.arena.fill_with_nan(true);
      RnnSeq2Seq model(config, source_words, target_words, 1);
      golden_.load_weights(model.parameters());
      if (!HasFatalFailure()) f(c, model);
    });
  }

  const GoldenFile golden_{GetParam().name};
};

TEST_P(RnnGolden, LogProbabilities) {
  with_model([&](Context& c, RnnSeq2Seq& model) { expect_golden_forward(c, model, golden_); });
}

TEST_P(RnnGolden, LossAndEveryGradient) {
  with_model([&](Context& c, RnnSeq2Seq& model) { expect_golden_gradients(c, model, golden_); });
}

TEST_P(RnnGolden, TenStepsOfAdam) {
  std::vector<std::string> kinds = {"adam"};
  if (golden_.has_metadata("clip")) kinds.push_back("adam_clipped");
  for (const std::string& kind : kinds) {
    with_model([&](Context& c, RnnSeq2Seq& model) {
      expect_golden_training(c, model, golden_, kind,
                             c.precision == DType::bf16 ? kKeyBiasInBf16 : std::vector<WithoutGradient>());
    });
  }
}

std::vector<GoldenCase> all_cases() {
  std::vector<GoldenCase> cases;
  for (const char* name : {"rnn_plain",
                           "rnn_plain_lstm",
                           "rnn_luong_dot",
                           "rnn_luong_scaled_dot",
                           "rnn_luong_bilinear",
                           "rnn_luong_additive",
                           "rnn_luong_input_feeding",
                           "rnn_bahdanau",
                           "rnn_conditional",
                           "rnn_conditional_lstm",
                           "rnn_bahdanau_layer_norm",
                           "rnn_luong_layer_norm",
                           "rnn_luong_local_m",
                           "rnn_luong_local_p",
                           "rnn_luong_local_p_feeding",
                           "rnn_guided",
                           "rnn_guided_dot",
                           "rnn_bahdanau_lstm",
                           "rnn_before_dot",
                           "rnn_before_scaled_dot",
                           "rnn_before_bilinear",
                           "rnn_conditional_dot",
                           "rnn_conditional_scaled_dot",
                           "rnn_conditional_bilinear",
                           "rnn_feeding_dot",
                           "rnn_feeding_scaled_dot",
                           "rnn_feeding_additive",
                           "rnn_feeding_layer_norm"}) {
    for (const DType precision : {DType::f32, DType::bf16}) cases.push_back({name, precision});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, RnnGolden, ::testing::ValuesIn(all_cases()), [](const auto& info) {
  return info.param.name + "_" + std::string(name_of(info.param.precision));
});

}  // namespace
}  // namespace heed::test
