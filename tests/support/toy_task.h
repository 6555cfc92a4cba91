// A task small enough to train on in a second: sentences of a few words, to be written backwards.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "heed/base/file.h"
#include "heed/base/random.h"
#include "tests/support/temporary_folder.h"

namespace heed::test {

struct ToyTask {
  // Files source, target and config.yaml in a folder of its own; `sentences` pairs.
  explicit ToyTask(int sentences = 200) {
    std::string source, target;
    uint64_t drawn = 0;
    const auto draw = [&](uint64_t bound) { return uniform_below(1, drawn++, bound); };
    for (int i = 0; i < sentences; ++i) {
      std::vector<std::string> words(1 + draw(6));
      for (std::string& word : words) word = std::string(1, static_cast<char>('a' + draw(12)));
      const auto line = [&] {
        std::string text;
        for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
        return text + "\n";
      };
      source += line();
      std::reverse(words.begin(), words.end());
      target += line();
    }
    write_file(folder.path("source"), source);
    write_file(folder.path("target"), target);
    write_file(config(), R"(
data: {train: {source: source, target: target}}
text: {kind: words}
model: {width: 16, layers: 1, heads: 2, feed_forward: 16}
train:
  batch_tokens: 64
  accumulate: 3
  updates: 60
  validate_every: 10
  average: 3
  patience: 0
  log_every: 1
  learning_rate: 0.003
  warmup: 20
)");
  }

  std::string path(const std::string& name) const { return folder.path(name); }
  std::string config() const { return folder.path("config.yaml"); }
  // Another architecture in the configuration: the keys of `model`.
  void use_model(const std::string& keys) const {
    const std::string text = read_file(config()), line = "model: {";
    const size_t from = text.find(line);
    write_file(config(), text.substr(0, from) + line + keys + "}" + text.substr(text.find('\n', from)));
  }
  // heed train into the folder's `out`, with keys set.
  std::vector<std::string> train(const std::string& out, const std::vector<std::string>& set = {},
                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"train", config(), "--out", folder.path(out)};
    for (const std::string& key : set) arguments.insert(arguments.end(), {"--set", key});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  TemporaryFolder folder;
};

}  // namespace heed::test
