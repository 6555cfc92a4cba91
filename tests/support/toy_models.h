// Models of the toy task, trained through the command line for tests of what uses several of them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/toy_task.h"

namespace heed::test {

using Words = std::vector<std::string>;

// Wrong input, told in a message with all these parts.
inline void expect_refused(const Result& result, const Words& parts) {
  EXPECT_EQ(result.code, 2) << result.errors;
  for (const std::string& part : parts)
    EXPECT_NE(result.errors.find(part), std::string::npos) << result.errors;
}

class ToyModels : public testing::Test {
 protected:
  void train(const std::string& out, const Words& set = {}, const Words& more = {}) const {
    const Result result = run_heed(task_.train(out, set, more));
    ASSERT_EQ(result.code, 0) << result.errors;
  }
  // Another architecture than the task's.
  void train_model(const std::string& out, const std::string& model, const Words& set) const {
    const std::string config = read_file(task_.config());
    task_.use_model(model);
    train(out, set);
    write_file(task_.config(), config);
  }
  // A model of another kind: sentences and their labels, in a file `labels`.
  void train_classifier(const std::string& out, Words set) const {
    std::string labels;
    for (int i = 0; i < 200; ++i) labels += i % 2 == 0 ? "even\n" : "odd\n";
    write_file(task_.path("labels"), labels);
    set.push_back("data.train.target=labels");
    train_model(out, "type: rnn_classifier, width: 8", set);
  }
  std::string bytes(const std::string& name) const { return read_file(task_.path(name)); }

  ToyTask task_;
};

}  // namespace heed::test
