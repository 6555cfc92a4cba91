// heed translate with several models, from the library and from the command line.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "heed/base/error.h"
#include "heed/train/saved_ensemble.h"
#include "tests/support/sentences.h"
#include "tests/support/toy_models.h"

namespace heed::test {
namespace {

class EnsembleOfFolders : public ToyModels {
 protected:
  Result translate(const Words& folders, const Words& more = {}) const {
    Words arguments = {"translate"};
    for (const std::string& folder : folders) arguments.push_back(task_.path(folder));
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_heed(arguments, task_.path("source"));
  }
};

// Two architectures, one of which numbers its words otherwise, as it read other text too.
TEST_F(EnsembleOfFolders, WritesWhatTheMeanOfItsModelsPrefers) {
  train("transformer", {"train.updates=60"});
  std::string source = bytes("source"), target = bytes("target");
  for (int i = 0; i < 200; ++i) source += "l k\n", target += "k l\n";
  write_file(task_.path("more-source"), source);
  write_file(task_.path("more-target"), target);
  train_model("rnn", "type: rnn, width: 16, embedding: 12",
              {"train.updates=60", "data.train.source=more-source", "data.train.target=more-target"});

  const SavedModel first(task_.path("transformer"), 1), other(task_.path("rnn"), 1);
  const Vocabulary &words = first.text().target->vocabulary(), &others = other.text().target->vocabulary();
  ASSERT_NE(words.serialised(), others.serialised());
  const std::string line = "a b c d";
  SavedEnsemble ensemble({task_.path("transformer"), task_.path("rnn")}, 1, Precision::f32);
  const TranslatedHypothesis found = ensemble.translate({line}).front().hypotheses.front();
  ASSERT_TRUE(found.ended);

  Context c(1);
  const auto of_model = [&](const SavedModel& model, size_t position) {
    const TokenField source_field = tokens({model.text().source->encode(line)}),
                     target_field = tokens({model.text().target->encode(found.text)});
    const Tensor all = model.encoder_decoder().log_probs(c, source_field, target_field);
    return std::exp(all.row<float>(static_cast<int64_t>(position))[target_field.ids[position]]);
  };
  for (size_t i = 0; i < found.token_log_probs.size(); ++i)
    EXPECT_NEAR(std::exp(found.token_log_probs[i]), 0.5 * (of_model(first, i) + of_model(other, i)), 1e-5)
        << i;  // f32, once step by step

  const Result together = translate({"transformer", "rnn"}), single = translate({"transformer"});
  ASSERT_EQ(together.code, 0) << together.errors;
  EXPECT_NE(together.out, single.out);
  for (const Words& more : {Words{"--threads", "1"}, Words{"--batch-sentences", "1"}})
    EXPECT_EQ(translate({"transformer", "rnn"}, more).out, together.out) << more[0];
  EXPECT_EQ(translate({"transformer", "transformer"}).out, single.out);
  const Result drawn = translate({"transformer", "rnn"}, {"--sample", "--beam", "1", "--n-best", "2"});
  EXPECT_EQ(drawn.code, 0) << drawn.errors;
  EXPECT_EQ(std::count(drawn.out.begin(), drawn.out.end(), '\n'), 400);
  SavedEnsemble alone({task_.path("transformer")}, 1);
  std::string outputs;
  std::istringstream lines(bytes("source"));
  for (std::string read; std::getline(lines, read);) outputs += alone.translate({read}).front().text() + "\n";
  EXPECT_EQ(outputs, single.out);
}

TEST_F(EnsembleOfFolders, RefusesModelsThatCannotWriteTogether) {
  train("model", {"train.updates=1"});
  train("fewer", {"train.updates=1", "text.vocabulary=9"});
  train_classifier("classifier", {"train.updates=1"});
  const std::pair<Words, Words> mistakes[] = {
      {{"model", "fewer"}, {"/fewer has other words on the source side than ", "/model (9, not", "it lacks"}},
      {{"model", "classifier"}, {"/classifier", "use heed classify"}},
      {{"model", "source"}, {"/source: a file, expected a model folder"}},
  };
  for (const auto& [folders, expected] : mistakes) expect_refused(translate(folders), expected);
  EXPECT_THROW(SavedEnsemble({}), Error);
}

}  // namespace
}  // namespace heed::test
