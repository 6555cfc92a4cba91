// Two runs, made up, with something for every section of the report.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "heed/view/report.h"

namespace heed::view {

inline RunLog example_log(double offset) {
  RunLog log;
  for (int i = 1; i <= 600; ++i) {
    const double update = i * 10.0;
    const double decay = std::exp(-update / (900 + 400 * offset));
    UpdatePoint point{i * 10};
    point.epoch = 1 + i / 100;
    point.loss = 1.6 + 0.15 * offset + 6.5 * decay + 0.12 * std::sin(i * 1.7) + 0.07 * std::sin(i * 0.61);
    point.learning_rate = 5e-3 * std::min(update / 1000, std::sqrt(1000 / update));
    point.tokens_per_s = 38000 - 9000 * offset + 1500 * std::sin(i * 0.9);
    point.seconds = i * 1.9;
    log.updates.push_back(point);
  }
  const std::vector<std::string> outputs = {
      "a a a a .",
      "a man is is a a .",
      "a man is standing on a ladder .",
      "a man is standing on a ladder .",
      "a man stands on a ladder cleaning a window " + std::string(120, 'x') + " .",
      "a man on a ladder is cleaning a window ."};
  for (int i = 1; i <= 12; ++i) {
    const double update = i * 500.0, decay = std::exp(-update / (900 + 400 * offset));
    ValidationPoint point{i * 500};
    point.dev_loss = 1.9 + 0.18 * offset + 5.5 * decay;
    point.metrics["bleu"] = (38.5 - 2.2 * offset) * (1 - std::exp(-update / 1400));
    point.metrics["chrf"] = 20 + (41 - 2 * offset) * (1 - std::exp(-update / 1200));
    point.seconds = i * 96.0;
    point.samples = {{"ein mann steht auf einer leiter und putzt ein fenster .",
                      "a man on a ladder cleans a window .", outputs[std::min(5, i / 2)]}};
    log.validations.push_back(point);
  }
  return log;
}

// Heads that look straight ahead, with a width of their own.
inline AttentionMap example_attention() {
  AttentionMap map{{"ein", "Mann", "putzt", "sorgfältig", "ein", "großes", "Fenster", "."},
                   {"a", "man", "carefully", "cleans", "a", "large", "window", "."},
                   {},
                   true};
  const int aligned[] = {0, 1, 3, 2, 4, 5, 6, 7};
  for (int head = 0; head < 8; ++head) {
    AttentionHead& weights = map.heads.emplace_back();
    weights.name = "layer " + std::to_string(head / 4 + 1) + ", head " + std::to_string(head % 4 + 1);
    for (int t = 0; t < 8; ++t) {
      double row[8], sum = 0;
      for (int s = 0; s < 8; ++s)
        sum += row[s] =
            std::exp(-std::pow(s - aligned[t] - (head % 3 - 1) * (head > 0), 2) / (0.25 + 0.5 * head)) +
            0.005;
      for (const double weight : row) weights.weights.push_back(static_cast<float>(weight / sum));
    }
  }
  map.heads.insert(map.heads.begin(), average_head(map));
  return map;
}

inline BeamTree example_beam() {
  const auto kept = BeamState::expanded, cut = BeamState::pruned;
  return {"ein Mann putzt ein Fenster .",
          {{-1, "a", -0.2, kept},
           {-1, "one", -1.9, kept},
           {-1, "the", -2.2, cut},
           {0, "man", -0.4, kept},
           {0, "guy", -2.0, kept},
           {1, "man", -2.4, cut},
           {3, "is", -1.1, kept},
           {3, "cleans", -1.3, kept},
           {4, "is", -2.6, cut},
           {6, "cleaning", -1.4, kept},
           {7, "a", -1.5, kept},
           {6, "washing", -2.3, cut},
           {9, "a", -1.6, kept},
           {10, "window", -1.7, kept},
           {12, "window", -1.8, kept},
           {12, "glass", -3.1, cut},
           {13, ".", -1.9, kept},
           {14, ".", -2.0, kept},
           {16, "</s>", -1.93, BeamState::winner, -0.28},
           {17, "</s>", -2.05, BeamState::finished, -0.29}}};
}

inline std::vector<RunReport> example_runs() {
  std::vector<RunReport> runs(2);
  runs[0].name = "bahdanau";
  runs[0].log = example_log(0);
  runs[0].configuration = {{"model.type", "rnn"},
                           {"model.attention", "additive"},
                           {"model.width", "256"},
                           {"data.train.source", "/a/folder/with/a/long/name/in/another/one/train.de.gz"},
                           {"train.learning_rate", "4e-4"},
                           {"train.batch_tokens", "8192"}};
  runs[0].attention = {example_attention()};
  runs[0].beams = {example_beam()};
  runs[0].outputs = {{"ein Mann putzt ein Fenster .",
                      {{"a", 0.91, {{"one", 0.05}, {"the", 0.02}}},
                       {"man", 0.97, {{"guy", 0.02}}},
                       {"cleans", 0.41, {{"is", 0.38}, {"washes", 0.12}}},
                       {"a", 0.93, {{"the", 0.04}}},
                       {"window", 0.96, {{"glass", 0.02}}},
                       {".", 0.99, {}},
                       {"</s>", 0.99, {}}}}};
  runs[1].name = "luong";
  runs[1].log = example_log(1);
  runs[1].configuration = {{"model.type", "rnn"},           {"model.attention", "bilinear"},
                           {"model.width", "256"},          {"model.input_feeding", "true"},
                           {"train.learning_rate", "4e-4"}, {"train.batch_tokens", "8192"}};
  return runs;
}

}  // namespace heed::view
