// A configuration with every kind of field, for the tests of the visitors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/base/config.h"

namespace heed {

struct SampleModel {
  enum class Type { transformer, rnn };
  enum class Cell { gru, lstm };

  Type type = Type::transformer;
  int64_t width = 512;
  double dropout = 0.1;
  int64_t heads = 8;
  Cell cell = Cell::gru;

  void visit(ConfigVisitor& v) {
    v("type", type, {"transformer", "rnn"}, "the architecture");
    v("width", width, "model width D", at_least(1));
    v("dropout", dropout, "share of activations set to zero", between(0, 1));
    if (type == Type::transformer) v("heads", heads, "attention heads", between(1, 64));
    if (type == Type::rnn) v("cell", cell, {"gru", "lstm"}, "recurrent cell");
  }
};

struct SampleData {
  std::vector<std::string> train;
  std::string name;

  void visit(ConfigVisitor& v) {
    v("train", train, "files to train on");
    v("name", name, "what to call them");
  }
};

struct SampleTrain {
  double rate = 3e-4;
  double clip = 1.0;
  bool shuffle = true;

  void visit(ConfigVisitor& v) {
    v("rate", rate, "learning rate");
    v("clip", clip, "largest norm of the gradient", at_least(0));
    v("shuffle", shuffle, "read the pairs in random order");
  }
};

struct SampleConfig {
  int64_t seed = 1;
  SampleData data;
  SampleModel model;
  SampleTrain train;

  void visit(ConfigVisitor& v) {
    v("seed", seed, "of all random numbers");
    v.group("data", data, "what is read");
    v.group("model", model, "the model");
    v.group("train", train, "the training");
  }
};

}  // namespace heed
