// Every model, small: a new one is one line here, and tests/models/suite_test.cc shows that it keeps what all
// of them promise (classifiers: classifier_suite_test.cc). Wide enough that products are cut into several
// pieces.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heed/base/config_yaml.h"
#include "heed/models/model_config.h"

namespace heed::test {

struct SampleModel {
  std::string name;
  std::string yaml;  // the `model` part of a configuration

  ModelConfig config(const std::string& more = "") const {
    ModelConfig config;
    read_yaml(yaml + more, name, config);
    return config;
  }
  std::unique_ptr<EncoderDecoder> make(int64_t words, const std::string& more = "") const {
    return make_encoder_decoder(config(more), words, words, 1);
  }
};

inline const std::vector<SampleModel>& sample_models() {
  static const std::string kTransformer =
      "type: transformer\nwidth: 48\nheads: 3\nfeed_forward: 80\nlayers: 2\n";
  static const std::string kRnn = "type: rnn\nembedding: 40\nwidth: 48\n";
  static const std::vector<SampleModel> models = {
      {"transformer_post_norm", kTransformer},
      {"transformer_pre_norm_learned_positions", kTransformer + "pre_norm: true\npositions: learned\n"},
      {"transformer_rotary", kTransformer + "positions: none\nrotary: true\n"},
      {"transformer_convolution_squared_relu", kTransformer + "convolution: 3\nactivation: squared_relu\n"},
      {"transformer_batch_norm", kTransformer + "normalisation: batch\n"},
      {"rnn_plain", kRnn + "attention: none\n"},
      {"rnn_plain_lstm_two_layers", kRnn + "attention: none\ncell: lstm\nlayers: 2\nresidual: true\n"},
      {"luong_dot", kRnn + "attention: dot\nattend: after\nbidirectional: false\n"},
      {"luong_scaled_dot_lstm",
       kRnn + "attention: scaled_dot\nattend: after\nbidirectional: false\ncell: lstm\n"},
      {"luong_bilinear_two_layers", kRnn + "attention: bilinear\nattend: after\nlayers: 2\n"},
      {"luong_additive_own_output",
       kRnn + "attention: additive\nattend: after\noutput_reads_embedding: false\n"},
      {"luong_projected_values", kRnn + "attention: bilinear\nattend: after\nproject_values: true\n"},
      {"conditional_projected_values",
       kRnn + "attention: additive\nattend: conditional\nproject_values: true\n"},
      {"luong_monotonic", kRnn + "attention: bilinear\nattend: after\nmonotonic: true\n"},
      {"luong_monotonic_input_feeding",
       kRnn + "attention: additive\nattend: after\ninput_feeding: true\nmonotonic: true\n"},
      {"bahdanau_monotonic", kRnn + "attention: additive\nattend: before\nmonotonic: true\n"},
      {"conditional_monotonic", kRnn + "attention: bilinear\nattend: conditional\nmonotonic: true\n"},
      {"luong_input_feeding", kRnn + "attention: bilinear\nattend: after\ninput_feeding: true\n"},
      {"luong_local_m", kRnn + "attention: scaled_dot\nattend: after\nbidirectional: false\nwindow: local_m\n"
                               "window_reach: 2\n"},
      {"luong_local_p_additive_input_feeding",
       kRnn + "attention: additive\nattend: after\ninput_feeding: true\nwindow: local_p\nwindow_reach: 3\n"},
      {"bahdanau", kRnn + "attention: additive\nattend: before\n"},
      {"bahdanau_lstm_two_layers",
       kRnn + "attention: additive\nattend: before\ncell: lstm\nlayers: 2\nresidual: true\n"},
      {"bahdanau_layer_norm_two_layers",
       kRnn + "attention: additive\nattend: before\nlayers: 2\nresidual: true\nlayer_norm: true\n"},
      {"luong_layer_norm", kRnn + "attention: bilinear\nattend: after\nlayer_norm: true\n"},
      {"conditional_gru", kRnn + "attention: additive\nattend: conditional\nattention_width: 16\n"},
  };
  return models;
}

// The same of models that name the class of a text.
struct SampleClassifier {
  std::string name;
  std::string yaml;
  int64_t classes = 2;

  ModelConfig config(const std::string& more = "") const {
    ModelConfig config;
    read_yaml(yaml + more, name, config);
    return config;
  }
  std::unique_ptr<Classifier> make(int64_t words, const std::string& more = "") const {
    return make_classifier(config(more), words, classes, 1);
  }
};

inline const std::vector<SampleClassifier>& sample_classifiers() {
  static const std::string kRnn = "type: rnn_classifier\nembedding: 40\nwidth: 48\nattention_width: 20\n";
  static const std::vector<SampleClassifier> models = {
      {"attention", kRnn + "output: sigmoid\n"},
      {"attention_lstm_two_layers_five_classes", kRnn + "cell: lstm\nlayers: 2\n", 5},
      {"last_one_way", kRnn + "pooling: last\nbidirectional: false\n", 3},
      {"mean", kRnn + "pooling: mean\noutput: sigmoid\n"},
      {"max_and_attention", kRnn + "pooling: [max, attention]\n", 3},
  };
  return models;
}

}  // namespace heed::test
