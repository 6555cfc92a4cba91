// train.start: training that begins with another model's weights.
#include <gtest/gtest.h>

#include <filesystem>

#include "heed/train/saved_model.h"
#include "tests/support/toy_models.h"

namespace heed::test {
namespace {

using Start = ToyModels;

// Other data, other dropout, next to no step: the weights are what they were, and so are the words.
TEST_F(Start, BeginsWithTheWeightsAndWordsOfAnother) {
  train("first", {"train.updates=30"});
  write_file(task_.path("other-source"), "x y z\n" + bytes("source"));
  write_file(task_.path("other-target"), "z y x\n" + bytes("target"));
  const Words set = {"train.start=first",
                     "train.updates=1",
                     "train.learning_rate=1e-12",
                     "train.warmup=0",
                     "model.dropout=0.3",
                     "data.train.source=other-source",
                     "data.train.target=other-target",
                     "train.seed=7"};
  const Result begun = run_heed(task_.train("second", set));
  ASSERT_EQ(begun.code, 0) << begun.errors;
  EXPECT_NE(begun.errors.find("beginning with the weights of " + task_.path("first") + ", update 30"),
            std::string::npos)
      << begun.errors;
  const SavedModel first(task_.path("first"), 1), second(task_.path("second"), 1);
  EXPECT_EQ(first.text().source->vocabulary().serialised(), second.text().source->vocabulary().serialised());
  const std::vector<Buffer> before = first.model().parameters().saved(),
                            after = second.model().parameters().saved();
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i)
    for (int64_t j = 0; j < before[i].value.size(); ++j)
      ASSERT_NEAR(before[i].value.data<float>()[j], after[i].value.data<float>()[j], 1e-6)  // f32's last bits
          << before[i].name;
}

// After the first checkpoint nobody asks for the folder again.
TEST_F(Start, GoesOnToTheSameBytesWithoutTheFolder) {
  train("first", {"train.updates=20"});
  train("whole", {"train.start=first", "train.updates=40"});
  train("stopped", {"train.start=first", "train.updates=20"});
  std::filesystem::remove_all(task_.path("first"));
  train("stopped", {"train.start=moved", "train.updates=30"}, {"--resume"});
  expect_refused(run_heed(task_.train("stopped", {"train.updates=40"}, {"--resume"})),
                 {"this training began with train.start: " + task_.path("moved")});
  train("stopped", {"train.start=first", "train.updates=40"}, {"--resume"});
  EXPECT_EQ(bytes("whole/model.safetensors"), bytes("stopped/model.safetensors"));
  train("plain", {"train.updates=40"});
  expect_refused(run_heed(task_.train("plain", {"train.start=whole", "train.updates=50"}, {"--resume"})),
                 {"this training began with train.start"});
  EXPECT_NE(bytes("whole/model.safetensors"), bytes("plain/model.safetensors"));
}

TEST_F(Start, ServesClassifiersToo) {
  train_classifier("first", {"train.updates=10"});
  train_classifier("second", {"train.start=first", "train.updates=10"});
  EXPECT_EQ(bytes("first/labels"), bytes("second/labels"));
  EXPECT_NE(bytes("first/model.safetensors"), bytes("second/model.safetensors"));
}

// The model's own codes cut its text, so others would go unused.
TEST_F(Start, RefusesOtherCodes) {
  for (const char* name : {"codes", "others"})
    write_file(task_.path(name),
               std::string("#version: 0.2\n") + (name[0] == 'c' ? "a b</w>\n" : "c d</w>\n"));
  const Words bpe = {"train.updates=10", "text.kind=bpe"};
  train("first", {bpe[0], bpe[1], "text.codes=codes"});
  train("second", {bpe[0], bpe[1], "train.start=first"});
  train("third", {bpe[0], bpe[1], "train.start=first", "text.codes=codes"});
  EXPECT_EQ(bytes("second/model.safetensors"), bytes("third/model.safetensors"));
  expect_refused(run_heed(task_.train("fourth", {bpe[0], bpe[1], "train.start=first", "text.codes=others"})),
                 {"/first cuts text with other codes than " + task_.path("others")});
}

TEST_F(Start, RefusesWhatItCannotBeginWith) {
  train("first", {"train.updates=10"});
  for (const char* copy : {"unready", "damaged", "another"})
    std::filesystem::copy(task_.path("first"), task_.path(copy), std::filesystem::copy_options::recursive);
  std::filesystem::remove(task_.path("unready/model.safetensors"));
  write_file(task_.path("damaged/model.safetensors"), bytes("first/model.safetensors").substr(0, 3000));
  train("wide", {"train.updates=10", "model.width=32"});
  write_file(task_.path("another/model.safetensors"), bytes("wide/model.safetensors"));
  train_classifier("classifier", {"train.updates=10"});
  const std::pair<Words, Words> mistakes[] = {
      {{"train.start=first", "model.layers=2"},
       {"train.start: ", "/first has model.layers: 1, here it is 2"}},
      {{"train.start=first", "text.lowercase=true"}, {"/first has text.lowercase: false, here it is true"}},
      {{"train.start=nowhere"}, {"/nowhere: there is no such model folder"}},
      {{"train.start=source"}, {"/source: a file, expected a model folder"}},
      {{"train.start=unready"}, {"/unready: no weights are here yet", "heed average"}},
      {{"train.start=another"}, {"/another/model.safetensors: ", "of shape"}},
      {{"train.start=classifier"}, {"/classifier is a classifier, and the model here writes"}},
      {{"train.start=damaged"}, {"/damaged/model.safetensors"}},
  };
  for (const auto& [set, expected] : mistakes) {
    expect_refused(run_heed(task_.train("out", set)), expected);
    EXPECT_FALSE(folder_exists(task_.path("out")));
  }
}

}  // namespace
}  // namespace heed::test
