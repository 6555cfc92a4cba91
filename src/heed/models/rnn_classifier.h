// A recurrent network that reads a text both ways and says its class from all of its states, weighted by
// attention (Yang et al. 2016, "Hierarchical Attention Networks for Document Classification", one level of
// it).
//
// Letters: B texts, R rows (tokens in the batch), U different words among them, E embedding width, H width of
// a state, M width of what a word becomes (H, or 2H of a network that reads both ways), P width of the pooled
// text, C classes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heed/base/config.h"
#include "heed/models/classifier.h"
#include "heed/nn/attention/pooling.h"
#include "heed/nn/recurrent.h"
#include "heed/ops/embedding.h"

namespace heed {

enum class ClassOutput { softmax, sigmoid };

struct RnnClassifierConfig {
  kernels::Cell cell = kernels::Cell::gru;
  int64_t embedding = 100;  // E
  int64_t width = 150;      // H
  int64_t layers = 1;
  bool bidirectional = true;
  std::vector<std::string> pooling = {"attention"};
  int64_t attention_width = 50;
  ClassOutput output = ClassOutput::softmax;
  double word_dropout = 0.0;
  double embedding_dropout = 0.0;
  double layer_dropout = 0.0;
  double output_dropout = 0.2;

  void visit(ConfigVisitor& v);
};

class RnnClassifier final : public Classifier {
 public:
  // Throws InputError when the configuration does not fit together.
  RnnClassifier(const RnnClassifierConfig& config, int64_t words, int64_t classes,
                std::optional<uint64_t> seed);

  ParameterStore& parameters() override { return store_; }
  const ParameterStore& parameters() const override { return store_; }
  OutputLoss loss(Context& c, const TokenField& text, const std::vector<int32_t>& classes,
                  const LossOptions& options) const override;
  Tensor log_probs(Context& c, const TokenField& text) const override;
  std::vector<Tensor> attention(Context& c, const TokenField& text) const override;
  ModelSummary summary() const override;

 private:
  enum class Pooling { attention, last, mean, max };
  static std::vector<Pooling> poolings_of(const RnnClassifierConfig& config);

  bool is_binary() const { return config_.output == ClassOutput::sigmoid; }
  RecurrentStates first_layer(Context& c, const TokenField& text) const;
  RecurrentStates states(Context& c, const TokenField& text) const;            // of the last layer
  Var pooled(Context& c, const RecurrentStates& states, const Layout&) const;  // [B, P]

  RnnClassifierConfig config_;
  std::vector<Pooling> poolings_;
  ParameterStore store_;
  const Parameter* embedding_;
  EmbeddingOptions embedding_options_;
  std::vector<RecurrentLayer> layers_;
  std::optional<AttentionPooling> attention_;
  const Parameter* output_weight_;
  const Parameter* output_bias_;
  std::vector<DropoutSite> layer_dropout_;
  DropoutSite last_dropout_;  // layer dropout of the last states, for pooling by them
  DropoutSite word_dropout_, output_dropout_;
};

}  // namespace heed
