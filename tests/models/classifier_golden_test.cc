// The recurrent classifiers against PyTorch: tests/fixtures/models/make_rnn_classifier.py wrote what is
// compared here.
#include <gtest/gtest.h>

#include "heed/base/config_yaml.h"
#include "heed/models/rnn_classifier.h"
#include "tests/support/golden.h"
#include "tests/support/levels.h"

namespace heed::test {
namespace {

struct GoldenCase {
  std::string name;
  DType precision;
};

class ClassifierGolden : public ::testing::TestWithParam<GoldenCase> {
 protected:
  // Calls f(context, model) at every level, memory that nobody wrote being NaN.
  template <class F>
  void with_model(F&& f) {
    RnnClassifierConfig config;
    read_yaml(golden_.metadata("config"), GetParam().name, config);
    const auto classes =
        static_cast<int64_t>(golden_.values("log_probs").size()) / golden_.rows("target.ids");
    on_each_level([&] {
      Context c(2, GetParam().precision);
      c.arena.fill_with_nan(true);
      RnnClassifier model(config, golden_.rows("weight/embedding"), classes, 1);
      golden_.load_weights(model.parameters());
      if (!HasFatalFailure()) f(c, model);
    });
  }

  const GoldenFile golden_{GetParam().name};
};

TEST_P(ClassifierGolden, LogProbabilities) {
  with_model([&](Context& c, RnnClassifier& model) {
    expect_golden_forward(c, model.log_probs(c, golden_.tokens("source")), golden_);
  });
}

TEST_P(ClassifierGolden, LossAndEveryGradient) {
  with_model([&](Context& c, RnnClassifier& model) { expect_golden_gradients(c, model, golden_); });
}

TEST_P(ClassifierGolden, TenStepsOfAdam) {
  std::vector<std::string> kinds = {"adam"};
  if (golden_.has_metadata("clip")) kinds.push_back("adam_clipped");
  for (const std::string& kind : kinds) {
    with_model(
        [&](Context& c, RnnClassifier& model) { expect_golden_training(c, model, golden_, kind, {}); });
  }
}

std::vector<GoldenCase> all_cases() {
  std::vector<GoldenCase> cases;
  for (const char* name : {"rnn_classifier_attention", "rnn_classifier_lstm", "rnn_classifier_pooling"}) {
    for (const DType precision : {DType::f32, DType::bf16}) cases.push_back({name, precision});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, ClassifierGolden, ::testing::ValuesIn(all_cases()), [](const auto& info) {
  return info.param.name + "_" + std::string(name_of(info.param.precision));
});

}  // namespace
}  // namespace heed::test
