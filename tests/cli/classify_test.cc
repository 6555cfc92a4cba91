// A classifier as a user meets it: trained, resumed, asked line by line, measured, looked at, and what can go
// wrong.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "heed/base/file.h"
#include "heed/base/random.h"
#include "tests/support/process.h"
#include "tests/support/toy_task.h"

namespace heed::test {
namespace {

using Words = std::vector<std::string>;

// Texts of up to twelve words; one of three words among them says the label.
struct LabelledTask {
  LabelledTask() {
    uint64_t drawn = 0;
    const auto draw = [&](uint64_t bound) { return uniform_below(2, drawn++, bound); };
    std::string lines, texts, labels;
    for (int i = 0; i < 240; ++i) {
      const uint64_t label = draw(3), length = 1 + draw(12), place = draw(length);
      std::string text;
      for (uint64_t w = 0; w < length; ++w) {
        const std::string word = w == place ? Words{"sun", "rain", "snow"}[label]
                                            : std::string(1, static_cast<char>('a' + draw(12)));
        text += (w > 0 ? " " : "") + word;
      }
      const std::string name = Words{"good", "bad", "cold"}[label];
      lines += name + "\t" + text + "\n";
      texts += text + "\n";
      labels += name + "\n";
    }
    write_file(path("data.tsv"), lines);
    write_file(path("texts"), texts);
    write_file(path("labels"), labels);
    write_file(path("config.yaml"), R"(
data: {train: {tsv: data.tsv, columns: [label, source]}, held_out: 12}
text: {kind: words}
model: {type: rnn_classifier, embedding: 16, width: 12, attention_width: 8, word_dropout: 0.1}
train:
  batch_by: sentences
  batch_sentences: 12
  sort_by_length: false
  updates: 120
  validate_every: 40
  average: 2
  patience: 0
  metric: f1
  label_smoothing: 0.05
  learning_rate: 0.02
  schedule: constant
  warmup: 0
)");
  }

  std::string path(const std::string& name) const { return folder.path(name); }
  Result train(const std::string& out, const Words& set = {}, const Words& more = {}) const {
    Words arguments = {"train", path("config.yaml"), "--out", path(out)};
    for (const std::string& key : set) arguments.insert(arguments.end(), {"--set", key});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_heed(arguments);
  }

  TemporaryFolder folder;
};

// One trained model for all tests of this file.
class Classify : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    task_ = new LabelledTask();
    const Result trained = task_->train("model");
    ASSERT_EQ(trained.code, 0) << trained.errors;
  }
  static void TearDownTestSuite() {
    delete task_;
    task_ = nullptr;
  }

  static std::string path(const std::string& name) { return task_->path(name); }
  static Result classify(const std::string& text, const Words& more = {}) {
    write_file(path("input"), text);
    Words arguments = {"classify", path("model")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_heed(arguments, path("input"));
  }

  static LabelledTask* task_;
};
LabelledTask* Classify::task_ = nullptr;

Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST_F(Classify, LearnsTheLabelsAndIsMeasured) {
  const Result labels = run_heed({"classify", path("model"), "-i", path("texts"), "-o", path("output")});
  ASSERT_EQ(labels.code, 0) << labels.errors;
  const Result score = run_heed(
      {"evaluate", "-i", path("output"), "--reference", path("labels"), "--metric", "accuracy,f1", "--json"});
  ASSERT_EQ(score.code, 0) << score.errors;
  const Words scores = lines_of(score.out);
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_GE(nlohmann::json::parse(scores[0])["score"].get<double>(), 95.0);
  const auto f1 = nlohmann::json::parse(scores[1]);
  EXPECT_GE(f1["score"].get<double>(), 95.0);
  EXPECT_EQ(f1["by_class"].size(), 3u);
  EXPECT_EQ(classify("d sun e\n").out.substr(0, 5), "good\t");
}

TEST_F(Classify, ALinesAnswerDependsOnTheLineOnly) {
  const std::string texts = read_file(path("texts"));
  const std::string expected = classify(texts, {"--threads", "1"}).out;
  ASSERT_EQ(lines_of(expected).size(), 240u);
  for (const Words& more : {Words{"--threads", "3"}, Words{"--block", "7"}, Words{"--batch-sentences", "1"},
                            Words{"--batch-tokens", "20", "--threads", "2"}})
    EXPECT_EQ(classify(texts, more).out, expected);
  EXPECT_EQ(classify(lines_of(texts)[17] + "\n").out, lines_of(expected)[17] + "\n");
}

TEST_F(Classify, JsonHasEveryProbability) {
  const Words lines = lines_of(classify("rain\na b snow\n", {"--json"}).out);
  ASSERT_EQ(lines.size(), 2u);
  for (const std::string& line : lines) {
    const auto json = nlohmann::json::parse(line);
    double sum = 0;
    for (const auto& [label, probability] : json["probabilities"].items()) {
      EXPECT_LE(probability, json["probability"]) << label;
      sum += probability.get<double>();
    }
    EXPECT_EQ(json["probabilities"].size(), 3u);
    EXPECT_EQ(json["probabilities"][json["label"].get<std::string>()], json["probability"]);
    EXPECT_NEAR(sum, 1.0, 1e-5);  // f32
  }
}

TEST_F(Classify, EmptyUnknownAndBrokenLines) {
  const Result odd = classify("\n  \nnever-seen words\nlast without end");
  EXPECT_EQ(odd.code, 0) << odd.errors;
  EXPECT_EQ(lines_of(odd.out).size(), 4u);
  EXPECT_EQ(classify("").out, "");
  for (const Words& more : {Words{}, Words{"--json"}, Words{"--attend"}}) {
    const std::string expected = classify("\n", more).out;
    Words arguments = {"classify", path("model"), ""};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_EQ(run_heed(arguments, path("texts")).out, expected);  // nobody asks for those
  }
  const Result broken = classify("sun\na \xff b\n");
  EXPECT_EQ(broken.code, 2);
  EXPECT_NE(broken.errors.find("standard input:2:"), std::string::npos) << broken.errors;
  EXPECT_EQ(run_heed({"classify", path("model"), "-i", path("nowhere")}).code, 2);
}

// Where training cut long texts, so does every other command.
TEST_F(Classify, ReadsAsMuchOfATextAsTrainingDid) {
  ASSERT_EQ(task_->train("cut", {"data.max_source_length=4", "data.longer=cut", "train.updates=2"}).code, 0);
  write_file(path("input"), "a b c sun sun sun\na b c rain\na b c\na b\n");
  const Result classified = run_heed({"classify", path("cut")}, path("input"));
  const Words lines = lines_of(classified.out);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], lines[2]);
  EXPECT_EQ(lines[1], lines[2]);
  EXPECT_NE(lines[3], lines[2]);
  EXPECT_NE(
      classified.errors.find("2 longer than the model reads, and cut there as in training (lines 1, 2)"),
      std::string::npos)
      << classified.errors;
  const Words json = lines_of(run_heed({"classify", path("cut"), "--json"}, path("input")).out);
  ASSERT_EQ(json.size(), 4u);
  EXPECT_EQ(nlohmann::json::parse(json[1])["cut"], true);
  EXPECT_FALSE(nlohmann::json::parse(json[2]).contains("cut"));
  const Result seen = run_heed({"attend", path("cut"), "a b c sun sun", "-o", path("seen.json")});
  EXPECT_EQ(seen.code, 0) << seen.errors;
  EXPECT_EQ(nlohmann::json::parse(read_file(path("seen.json")))["words"],
            nlohmann::json::parse(R"(["a", "b", "c", "</s>"])"));
  for (const Words& command :
       {Words{"attend", path("cut"), "a b c sun"}, {"classify", path("cut"), "a b c sun", "--attend"}}) {
    const Result told = run_heed(command);
    EXPECT_EQ(told.errors, "heed: The text goes on; the model reads no further.\n");
  }
  EXPECT_EQ(run_heed({"attend", path("cut"), "a b c"}).errors, "");
}

// As the user wrote them, though the model reads words without case and punctuation.
TEST_F(Classify, ShowsTheWordsOfTheTextWithTheirPunctuation) {
  ASSERT_EQ(task_->train("plain", {"text.punctuation=drop", "text.lowercase=true", "train.updates=2"}).code,
            0);
  const auto seen = [&](const std::string& text, const std::vector<std::string>& options = {}) {
    std::vector<std::string> command = {"attend", path("plain"), text, "-o", path("seen.json")};
    command.insert(command.end(), options.begin(), options.end());
    const Result result = run_heed(command);
    EXPECT_EQ(result.code, 0) << result.errors;
    return nlohmann::json::parse(read_file(path("seen.json")));
  };
  const auto json = seen("A - rain-sun, but what B! ...");
  EXPECT_EQ(json["words"],
            nlohmann::json::parse(R"(["a", "-", "rain-sun,", "but", "what", "b!", "...", "</s>"])"));
  EXPECT_EQ(json.at("weights").at(1), 0.0);
  EXPECT_EQ(json.at("weights").at(6), 0.0);
  double sum = 0;
  for (const auto& weight : json["weights"]) sum += weight.get<double>();
  EXPECT_NEAR(sum, 1.0, 1e-5);

  const auto pieces = seen("A rain-sun!", {"--pieces"});
  EXPECT_EQ(pieces["words"], nlohmann::json::parse(R"(["a", "rain", "sun", "</s>"])"));
  EXPECT_NEAR(seen("A rain-sun!")["weights"][1].get<double>(),
              pieces["weights"][1].get<double>() + pieces["weights"][2].get<double>(), 1e-6);
}

TEST_F(Classify, AttentionInTheTerminalAndAsPictures) {
  const Result seen = run_heed({"attend", path("model"), "a rain b"});
  EXPECT_EQ(seen.code, 0) << seen.errors;
  EXPECT_EQ(seen.out.substr(0, 5), "bad 0") << seen.out;
  for (const char* name : {"seen.svg", "seen.png", "seen.html", "seen.json", "seen.txt"})
    EXPECT_EQ(run_heed({"attend", path("model"), "a rain b", "-o", path(name)}).code, 0) << name;
  const auto json = nlohmann::json::parse(read_file(path("seen.json")));
  double sum = 0;
  for (const auto& weight : json["weights"]) sum += weight.get<double>();
  EXPECT_NEAR(sum, 1.0, 1e-5);
  EXPECT_EQ(json["label"], "bad");

  const Result classified = run_heed({"classify", path("model"), "a rain b", "--attend"});
  EXPECT_EQ(classified.out, seen.out) << classified.errors;
  EXPECT_EQ(classified.out.find("</S>"), std::string::npos) << classified.out;
  EXPECT_EQ(run_heed({"classify", path("model"), "a rain b"}).out.substr(0, 4), "bad\t");
  write_file(path("lines"), "a rain b\n\n");
  const Result lines = run_heed({"classify", path("model"), "-i", path("lines"), "--attend"});
  EXPECT_EQ(std::count(lines.out.begin(), lines.out.end(), '\n'), 2) << lines.out;
  EXPECT_EQ(run_heed({"classify", path("model"), "a", "-i", path("lines")}).code, 2);
  EXPECT_EQ(run_heed({"classify", path("model"), "a", "--attend", "--json"}).code, 2);
  for (const Words& idle : {Words{"a", "--block", "7"},
                            {"a", "--batch-tokens", "5"},
                            {"a", "--batch-sentences", "5"},
                            {"--attend", "--batch-tokens", "5"},
                            {"--attend", "--batch-sentences", "5"}}) {
    Words arguments = {"classify", path("model")};
    arguments.insert(arguments.end(), idle.begin(), idle.end());
    const Result refused = run_heed(arguments, path("lines"));
    EXPECT_EQ(refused.code, 2) << idle[1];
    EXPECT_NE(refused.errors.find(idle[1]), std::string::npos) << refused.errors;
    EXPECT_NE(refused.errors.find("; leave "), std::string::npos) << refused.errors;
  }

  for (const Words& idle :
       {Words{"--target", ""}, Words{"--kind", "source"}, Words{"--layer", "1"}, Words{"--head", "0"}}) {
    const Result refused = run_heed({"attend", path("model"), "a rain b", idle[0], idle[1]});
    EXPECT_EQ(refused.code, 2) << idle[0];
    EXPECT_EQ(refused.errors.find("heed: " + idle[0] + ": "), 0u) << refused.errors;
  }

  const Result empty = run_heed({"attend", path("model"), "  "});
  EXPECT_EQ(empty.code, 2);
  EXPECT_NE(empty.errors.find("the text is empty"), std::string::npos) << empty.errors;
  ASSERT_EQ(task_->train("mean", {"model.pooling=mean", "train.updates=2"}).code, 0);
  const Result mean = run_heed({"attend", path("mean"), "a b"});
  EXPECT_EQ(mean.code, 2);
  EXPECT_NE(mean.errors.find("model.pooling"), std::string::npos) << mean.errors;
  const Result object = run_heed({"attend", path("model"), "a rain b", "--json"});
  EXPECT_EQ(nlohmann::json::parse(object.out).at("words").at(1), "rain") << object.errors;
  // A report shows the text it was asked for all the same, with its class.
  ASSERT_EQ(run_heed({"report", path("mean"), "--sentence", "a rain b", "-o", path("mean.html")}).code, 0);
  const std::string page = read_file(path("mean.html"));
  EXPECT_NE(page.find(">a rain b &lt;/s&gt;</p>"), std::string::npos);
  EXPECT_NE(page.find("no word has a weight"), std::string::npos);
}

TEST_F(Classify, ReportAndInfoTellOfIt) {
  const Result report =
      run_heed({"report", path("model"), "--sentence", "a rain b", "-o", path("report.html")});
  ASSERT_EQ(report.code, 0) << report.errors;
  const std::string page = read_file(path("report.html"));
  for (const char* expected : {"<h2>Texts</h2>", ">rain</span>", "accuracy", "F1", "rnn_classifier"})
    EXPECT_NE(page.find(expected), std::string::npos) << expected;
  const Result info = run_heed({"info", path("model")});
  EXPECT_NE(info.out.find("bidirectional GRU classifier of 1 layer"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find("18 words and 3 labels"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find(" texts ("), std::string::npos) << info.out;
  const auto json = nlohmann::json::parse(run_heed({"info", path("model"), "--json"}).out);
  EXPECT_EQ(json["labels"], nlohmann::json::parse(R"(["bad", "cold", "good"])"));
  EXPECT_TRUE(json["dev"].contains("accuracy")) << json;
}

TEST_F(Classify, CommandsForTranslatorsSaySo) {
  for (const Words& arguments :
       {Words{"translate", path("model")},
        Words{"score", path("model"), "--source", path("texts"), "--target", path("labels")}}) {
    const Result result = run_heed(arguments, path("texts"));
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("use heed classify"), std::string::npos) << result.errors;
  }
  EXPECT_EQ(run_heed({"tokenize", path("model"), "--target"}, path("texts")).code, 2);
  const ToyTask translation;
  ASSERT_EQ(run_heed(translation.train("out", {"train.updates=1"})).code, 0);
  const Result other = run_heed({"classify", translation.path("out")}, path("texts"));
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.errors.find("use heed translate"), std::string::npos) << other.errors;
}

TEST_F(Classify, ResumingGivesTheSameBytes) {
  ASSERT_EQ(task_->train("whole", {"train.updates=60"}, {"--threads", "1"}).code, 0);
  ASSERT_EQ(task_->train("parts", {"train.updates=17"}, {"--threads", "2"}).code, 0);
  ASSERT_EQ(task_->train("parts", {"train.updates=31"}, {"--resume", "--threads", "3"}).code, 0);
  const Result last = task_->train("parts", {"train.updates=60"}, {"--resume", "--threads", "1"});
  ASSERT_EQ(last.code, 0) << last.errors;
  for (const char* file :
       {"/checkpoints/000060/weights.safetensors", "/checkpoints/000060/optimiser.safetensors"})
    EXPECT_TRUE(read_file(path("parts") + file) == read_file(path("whole") + file)) << file;
}

TEST_F(Classify, TwoFilesAreAsGoodAsOne) {
  const Words two = {"data.train.tsv=", "data.train.source=texts", "data.train.target=labels",
                     "train.updates=20"};
  ASSERT_EQ(task_->train("two", two).code, 0);
  ASSERT_EQ(task_->train("one", {"train.updates=20"}).code, 0);
  EXPECT_TRUE(read_file(path("two/model.safetensors")) == read_file(path("one/model.safetensors")));
}

struct Mistake {
  const char* name;
  Words set;
  Words expect;  // in the message
};

class ClassifierMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(ClassifierMistakes, AreRefusedWithTheirPlace) {
  const LabelledTask task;
  write_file(task.path("dev.tsv"), "good\tsun a\nbda\train\n");
  write_file(task.path("one.tsv"), "good\tsun a\ngood\train\n");
  const std::string labels = read_file(task.path("labels"));
  write_file(task.path("shorter"), labels.substr(labels.find('\n') + 1));
  const Result result = task.train("out", GetParam().set);
  EXPECT_EQ(result.code, 2) << result.errors;
  for (const std::string& expected : GetParam().expect)
    EXPECT_NE(result.errors.find(expected), std::string::npos) << expected << " is not in: " << result.errors;
  EXPECT_FALSE(folder_exists(task.path("out")));
}

INSTANTIATE_TEST_SUITE_P(
    All, ClassifierMistakes,
    testing::Values(
        Mistake{"UnknownLabel",
                {"data.dev.tsv=dev.tsv", "data.dev.columns=[label, source]"},
                {"dev.tsv: line 2 has the unknown label \"bda\"", "Did you mean bad?", "bad, cold, good"}},
        Mistake{"OneLabel", {"data.train.tsv=one.tsv"}, {"one.tsv: 1 different labels", "at least two"}},
        Mistake{"NoLabels",
                {"data.train.tsv=", "data.train.source=texts"},
                {"data.train.target", "label column"}},
        Mistake{"NoDevLabels", {"data.dev.source=texts"}, {"texts and their labels", "data.dev.target"}},
        Mistake{"Length",
                {"data.train.tsv=", "data.train.source=texts", "data.train.target=shorter"},
                {"shorter has 239 lines", "texts has 240"}},
        Mistake{"Sigmoid", {"model.output=sigmoid"}, {"model.output", "there are 3", "softmax"}},
        Mistake{"Pooling", {"model.pooling=attetion"}, {"Did you mean attention?"}},
        Mistake{"Metric", {"train.metric=bleu"}, {"train.metric", "loss, accuracy or f1"}},
        Mistake{"TargetKind", {"text.target_kind=words"}, {"text.target_kind", "label"}},
        Mistake{"Key", {"model.heads=2"}, {"model.heads"}}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace heed::test
