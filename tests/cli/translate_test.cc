// heed translate as a user meets it: lines in, lines out, whatever the lines and the model folder are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "heed/base/error.h"
#include "heed/checkpoint/model_folder.h"
#include "heed/train/saved_model.h"
#include "tests/support/process.h"
#include "tests/support/tolerance.h"
#include "tests/support/toy_task.h"

namespace heed::test {
namespace {

using Words = std::vector<std::string>;

// One trained model for all tests of this file.
class Translate : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    task_ = new ToyTask();
    const Result trained = run_heed(
        task_->train("model", {"train.updates=150", "train.validate_every=150", "train.accumulate=1"}));
    ASSERT_EQ(trained.code, 0) << trained.errors;
  }
  static void TearDownTestSuite() {
    delete task_;
    task_ = nullptr;
  }

  static std::string model() { return task_->path("model"); }
  static Result translate(const std::string& text, const Words& more = {}) {
    write_file(task_->path("input"), text);
    Words arguments = {"translate", model()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_heed(arguments, task_->path("input"));
  }
  // A copy of the model's folder to spoil.
  static std::string copy() {
    std::string folder = task_->path("copy");
    remove_tree(folder);
    create_folders(folder);
    for (const std::string& name : list_folder(model()))
      if (file_exists(model() + "/" + name)) write_file(folder + "/" + name, read_file(model() + "/" + name));
    return folder;
  }

  static ToyTask* task_;
};
ToyTask* Translate::task_ = nullptr;

struct Pipe {
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  }
  ~Pipe() {
    for (const int end : {0, 1}) close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  // By which a child of this process can open its own.
  std::string name(int end) const { return "/proc/self/fd/" + std::to_string(ends[end]); }
  void close(int end) {
    if (ends[end] >= 0) ::close(std::exchange(ends[end], -1));
  }
  int ends[2];  // to read from and to write to
};

// A heed that reads from one pipe and writes to another. One that ended too soon neither reads nor answers.
class Conversation {
 public:
  explicit Conversation(const Words& arguments)
      : heed_(arguments, questions_.name(0), answers_.name(1)), before_(::signal(SIGPIPE, SIG_IGN)) {
    questions_.close(0);
    answers_.close(1);
  }
  ~Conversation() { ::signal(SIGPIPE, before_); }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  std::string ask(const std::string& line) {
    const std::string question = line + "\n";
    const ssize_t size = static_cast<ssize_t>(question.size());
    if (::write(questions_.ends[1], question.data(), question.size()) != size) return "heed does not read";
    std::string answer;
    for (char letter = 0; ::read(answers_.ends[0], &letter, 1) == 1 && letter != '\n';) answer += letter;
    return answer;
  }
  int end() {
    questions_.close(1);
    return heed_.wait();
  }

 private:
  Pipe questions_, answers_;
  Process heed_;
  void (*before_)(int);
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Who writes a line and waits gets an answer: there is no more to read for now, and no end either. Without
// that both would wait for each other, which ends this test by its time limit.
TEST_F(Translate, AnswersAProgramThatWaits) {
  const std::string expected = translate("a b\nc\n").out;
  Conversation heed({"translate", model()});
  std::string answers;
  for (const char* line : {"a b", "c"}) answers += heed.ask(line) + "\n";
  EXPECT_EQ(answers, expected);
  EXPECT_EQ(heed.end(), 0);
}

TEST_F(Translate, OutputDependsOnTheLineOnly) {
  const std::string text = read_file(task_->path("source"));
  const Result together = translate(text);
  ASSERT_EQ(together.code, 0) << together.errors;
  ASSERT_EQ(lines_of(together.out).size(), 200u);
  for (const Words& more : {Words{"--threads", "1"}, Words{"--threads", "3"}, Words{"--batch-sentences", "1"},
                            Words{"--batch-tokens", "9"}, Words{"--block", "7"}}) {
    EXPECT_EQ(translate(text, more).out, together.out) << more[0] << " " << more[1];
  }
  std::vector<std::string> lines = lines_of(text), outputs = lines_of(together.out);
  std::reverse(lines.begin(), lines.end());
  std::string reversed;
  for (const std::string& line : lines) reversed += line + "\n";
  std::reverse(outputs.begin(), outputs.end());
  EXPECT_EQ(lines_of(translate(reversed).out), outputs);

  const Words drawn = {"--sample", "--beam", "1", "--temperature", "3"};
  Words one = drawn;
  one.insert(one.end(), {"--batch-sentences", "1"});
  const Result samples = translate(text, drawn);
  EXPECT_NE(samples.out, together.out);
  EXPECT_EQ(translate(text, one).out, samples.out);
  one.insert(one.end(), {"--seed", "2"});
  EXPECT_NE(translate(text, one).out, samples.out);
}

TEST_F(Translate, EmptyAndOddLines) {
  EXPECT_EQ(translate("").out, "");
  const Result result = translate("\na b\n   \nzzz </s> <unk>\n\n");
  ASSERT_EQ(result.code, 0) << result.errors;
  const std::vector<std::string> lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0], "");
  EXPECT_EQ(lines[1], lines_of(translate("a b").out).at(0));
  EXPECT_EQ(lines[2], "");
  EXPECT_EQ(lines[4], "");
  EXPECT_EQ(lines_of(translate("\na b\n", {"--n-best", "3"}).out).size(), 6u);
}

TEST_F(Translate, CutsAreTold) {
  const Result cut = translate("a\na b c\n", {"--max-source-length", "2"});
  EXPECT_EQ(cut.code, 0);
  EXPECT_NE(cut.errors.find("standard input: 1 longer than --max-source-length"), std::string::npos)
      << cut.errors;
  EXPECT_NE(cut.errors.find("(line 2)"), std::string::npos) << cut.errors;
  EXPECT_EQ(translate("a\na b\n", {"--max-source-length", "2"}).errors, "");
}

// heed score reads at once what heed translate wrote word by word, </s> and all.
TEST_F(Translate, ScoreIsTheLogProbabilityThatTranslateTells) {
  const Result written = translate(read_file(task_->path("source")), {"--json", "--precision", "f32"});
  ASSERT_EQ(written.code, 0) << written.errors;
  std::string sources, outputs;
  std::vector<nlohmann::json> told;
  for (const std::string& line : lines_of(written.out)) {
    const nlohmann::json translation = nlohmann::json::parse(line);
    const nlohmann::json& best = translation.at("hypotheses").at(0);
    if (!best.at("ended").get<bool>() || best.at("text").get<std::string>().empty()) continue;
    told.push_back(best);
    sources += translation.at("source").get<std::string>() + "\n";
    outputs += best.at("text").get<std::string>() + "\n";
  }
  ASSERT_GE(told.size(), 100u);
  write_file(task_->path("scored.source"), sources);
  write_file(task_->path("scored.target"), outputs);
  const Words score = {"score",       model(),
                       "--precision", "f32",
                       "--source",    task_->path("scored.source"),
                       "--target",    task_->path("scored.target")};
  Words score_in_json = score;
  score_in_json.push_back("--json");
  const Result plain = run_heed(score), in_json = run_heed(score_in_json);
  ASSERT_EQ(plain.code, 0) << plain.errors;
  ASSERT_EQ(in_json.code, 0) << in_json.errors;
  const std::vector<std::string> sums = lines_of(plain.out), objects = lines_of(in_json.out);
  ASSERT_EQ(sums.size(), told.size());
  ASSERT_EQ(objects.size(), told.size());
  SavedModel library(model(), 1, Precision::f32);
  const double of_a_token = tolerance(Quantity::step_by_step, DType::f32).relative;
  double of_ends = 0.0;
  for (size_t i = 0; i < told.size(); ++i) {
    const auto expected = told[i].at("token_log_probs").get<std::vector<double>>();
    const nlohmann::json object = nlohmann::json::parse(objects[i]);
    const auto tokens = object.at("token_log_probs").get<std::vector<double>>();
    ASSERT_EQ(tokens.size(), expected.size());
    EXPECT_EQ(object.at("tokens"), expected.size());
    for (size_t t = 0; t < tokens.size(); ++t) EXPECT_NEAR(tokens[t], expected[t], of_a_token);
    const double log_prob = told[i].at("log_prob").get<double>();
    const double allowed = static_cast<double>(tokens.size()) * of_a_token;
    EXPECT_NEAR(object.at("log_prob").get<double>(), log_prob, allowed);
    EXPECT_NEAR(std::stod(sums[i]), log_prob, allowed + 0.5e-6);  // six decimals
    if (i >= 5) continue;
    const double alone = library.score(lines_of(sources)[i], lines_of(outputs)[i]);
    EXPECT_NEAR(alone, std::stod(sums[i]), 0.5e-6);
    of_ends += expected.back();
  }
  EXPECT_LT(of_ends, -1.0);  // leaving them out would show
}

// An interrupted training that was never validated still has a model.
TEST_F(Translate, AverageMakesWeightsOfCheckpoints) {
  ASSERT_EQ(run_heed(task_->train("early", {"train.updates=10"})).code, 0);
  remove_tree(task_->path("early/model.safetensors"));
  const Result without = run_heed({"translate", task_->path("early")});
  EXPECT_EQ(without.code, 2);
  EXPECT_NE(without.errors.find("heed average"), std::string::npos) << without.errors;
  const Result average = run_heed({"average", task_->path("early")});
  EXPECT_EQ(average.code, 0) << average.errors;
  EXPECT_EQ(run_heed({"info", task_->path("early")}).code, 0);
}

using Numbers = std::map<std::string, std::vector<float>>;

Numbers numbers_of(const SafetensorsFile& file) {
  Numbers numbers;
  for (const auto& [name, view] : file.tensors()) {
    EXPECT_EQ(view.dtype, "F32") << name;
    std::vector<float>& values = numbers[name];
    values.resize(view.bytes.size() / sizeof(float));
    std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
  }
  return numbers;
}

TEST_F(Translate, AverageIsTheMeanOfTheLastCheckpoints) {
  ASSERT_EQ(run_heed(task_->train("mean", {"train.updates=30"})).code, 0);
  const ModelFolder folder = ModelFolder::open(task_->path("mean"));
  ASSERT_EQ(folder.checkpoints(), (std::vector<int64_t>{10, 20, 30}));
  const std::pair<Words, std::vector<int64_t>> averages[] = {{{"--last", "1"}, {30}},
                                                             {{"--last", "2"}, {20, 30}},
                                                             {{}, {10, 20, 30}},
                                                             {{"--updates", "10,30"}, {10, 30}}};
  Numbers before;
  for (const auto& [options, updates] : averages) {
    Words arguments = {"average", folder.path()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Result result = run_heed(arguments);
    ASSERT_EQ(result.code, 0) << result.errors;
    std::map<std::string, std::vector<double>> sums;
    for (const int64_t update : updates) {
      for (const auto& [name, values] : numbers_of(folder.open_checkpoint(update).weights)) {
        std::vector<double>& sum = sums[name];
        sum.resize(values.size());
        for (size_t i = 0; i < values.size(); ++i) sum[i] += values[i];
      }
    }
    Numbers expected;  // rounded once, to what a file holds
    for (const auto& [name, sum] : sums)
      for (const double value : sum)
        expected[name].push_back(static_cast<float>(value / static_cast<double>(updates.size())));
    const SafetensorsFile weights = folder.read_weights();
    EXPECT_TRUE(numbers_of(weights) == expected) << updates.size();
    EXPECT_TRUE(expected != before) << updates.size();
    EXPECT_EQ(ModelStamp::of(weights).update, updates.back());
    before = expected;
  }
}

TEST_F(Translate, AverageTakesUpdatesAsPeopleWriteThem) {
  ASSERT_EQ(run_heed(task_->train("steps", {"train.updates=30"})).code, 0);
  for (const Words& updates :
       {Words{"--updates", "20,30"}, Words{"--updates", "000030", "--updates", "20"}}) {
    Words arguments = {"average", task_->path("steps")};
    arguments.insert(arguments.end(), updates.begin(), updates.end());
    const Result average = run_heed(arguments);
    EXPECT_EQ(average.code, 0) << average.errors;
    EXPECT_NE(average.errors.find("averaged 2 checkpoints, updates 20 to 30"), std::string::npos)
        << average.errors;
  }
  const Result none = run_heed({"average", task_->path("steps"), "--updates", "20,25"});
  EXPECT_EQ(none.code, 2);
  EXPECT_NE(none.errors.find("there is no checkpoint of update 25"), std::string::npos) << none.errors;
  EXPECT_EQ(run_heed({"average", task_->path("steps"), "--updates", "20,"}).code, 2);
  EXPECT_EQ(run_heed({"average", task_->path("steps"), "--updates", "20", "--last", "1"}).code, 2);
}

// A standard input that cannot be read has not ended, and what heed writes is not zipped.
TEST_F(Translate, StreamsThatCannotBe) {
  const Result folder = run_heed({"translate", model()}, model());
  EXPECT_EQ(folder.code, 2);
  EXPECT_NE(folder.errors.find("standard input:1: cannot be read"), std::string::npos) << folder.errors;
  const Result zipped = run_heed({"translate", model(), "-o", task_->path("out.gz")});
  EXPECT_EQ(zipped.code, 2);
  EXPECT_NE(zipped.errors.find("not zipped"), std::string::npos) << zipped.errors;
  write_file(task_->path("in"), "a b\n");
  const Result named =
      run_heed({"translate", model(), "-i", "/dev/stdin", "-o", "/dev/stdout"}, task_->path("in"));
  EXPECT_EQ(named.out, run_heed({"translate", model()}, task_->path("in")).out);
}

TEST_F(Translate, ScoreReadsStandardInput) {
  const std::string source = task_->path("source"), target = task_->path("target");
  const Result files = run_heed({"score", model(), "--source", source, "--target", target});
  ASSERT_EQ(files.code, 0) << files.errors;
  EXPECT_EQ(run_heed({"score", model(), "--source", "-", "--target", target}, source).out, files.out);
  EXPECT_EQ(run_heed({"score", model(), "--source", source, "--target", "-"}, target).out, files.out);
  const Result both = run_heed({"score", model(), "--source", "-", "--target", "-"}, source);
  EXPECT_EQ(both.code, 2);
  EXPECT_NE(both.errors.find("read once"), std::string::npos) << both.errors;
}

TEST_F(Translate, LengthLimitsAreOfEachSentence) {
  std::string lengthy;
  for (int i = 0; i < 3000; ++i) lengthy += "a ";
  const Words limits = {"--max-length", "3", "--beam", "2"};
  const Result alone = translate("a b c\n", limits), company = translate("a b c\n" + lengthy + "\n", limits);
  ASSERT_EQ(company.code, 0) << company.errors;
  ASSERT_EQ(lines_of(company.out).size(), 2u);
  EXPECT_EQ(lines_of(company.out)[0], lines_of(alone.out)[0]);
  for (const std::string& line : lines_of(company.out))
    EXPECT_LE(std::count(line.begin(), line.end(), ' '), 2);
}

TEST_F(Translate, BadTextNamesLine) {
  const std::pair<std::string, const char*> texts[] = {
      {"a\n\xff\n", "standard input:2: invalid UTF-8"},
      {std::string("a\0b\n", 4), "standard input:1: a NUL"},
      {"a\nb\n" + std::string(1 << 20, 'a'), "standard input:3:"}};
  for (const auto& [text, expected] : texts) {
    const Result result = translate(text);
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find(expected), std::string::npos) << result.errors;
  }
  const Result missing = translate("", {"--input", task_->path("nowhere")});
  EXPECT_EQ(missing.code, 2);
  EXPECT_NE(missing.errors.find("/nowhere"), std::string::npos) << missing.errors;
  const Result n_best = translate("a\n", {"--n-best", "9", "--beam", "2"});
  EXPECT_EQ(n_best.code, 2) << n_best.errors;
  EXPECT_EQ(translate("a\n", {"--min-length", "9", "--max-length", "3"}).code, 2);
  for (const Words& idle : {Words{"--temperature", "1"}, Words{"--top-k", "0"}, Words{"--top-p", "0.5"},
                            Words{"--seed", "1"}, Words{"--sample", "--beam", "2"}}) {
    const Result refused = translate("a\n", idle);
    EXPECT_EQ(refused.code, 2) << idle[0];
    EXPECT_NE(refused.errors.find("--sample"), std::string::npos) << refused.errors;
  }
  EXPECT_EQ(translate("a\n", {"--sample", "--n-best", "2", "--seed", "1"}).code, 0);
  const Result average = run_heed({"average", task_->path("nowhere")});
  EXPECT_EQ(average.code, 2);
  EXPECT_NE(average.errors.find("no such model folder"), std::string::npos) << average.errors;
}

TEST_F(Translate, FullDisk) {
  write_file(task_->path("input"), "a b\n");
  for (const Words& more : {Words{}, Words{"--json"}, Words{"--output", "/dev/full"}}) {
    Words arguments = {"translate", model()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Process process(arguments, task_->path("input"), more.size() < 2 ? "/dev/full" : "");
    EXPECT_EQ(process.wait(), 2);
    EXPECT_NE(process.errors().find("No space left on device"), std::string::npos) << process.errors();
  }
  Process info({"info", model()}, "/dev/null", "/dev/full");
  EXPECT_EQ(info.wait(), 2) << info.errors();
}

TEST_F(Translate, OutputFileAppearsWholeOrNotAtAll) {
  const std::string path = task_->path("output");
  EXPECT_EQ(translate("a b\nc\n", {"--output", path}).code, 0);
  const std::string whole = read_file(path);
  EXPECT_EQ(lines_of(whole).size(), 2u);
  EXPECT_EQ(translate("a b\n\xff\n", {"--output", path, "--block", "1"}).code, 2);
  EXPECT_EQ(read_file(path), whole);
}

// Each way to spoil a model folder: refused with the file's name, by every command.
TEST_F(Translate, SpoiltFoldersAreRefused) {
  struct Spoilt {
    std::function<void(const std::string&)> spoil;
    const char* expected;
  };
  const std::string weights = read_file(model() + "/model.safetensors");
  const auto write = [](const std::string& name, const std::string& bytes) {
    return [=](const std::string& folder) { write_file(folder + "/" + name, bytes); };
  };
  const auto without = [](const std::string& name) {
    return [=](const std::string& folder) { remove_tree(folder + "/" + name); };
  };
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string bytes = weights;
    const size_t at = bytes.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return write("model.safetensors", bytes.replace(at, from.size(), to));
  };
  const std::string config = read_file(model() + "/config.yaml");
  const auto reconfigured = [&](const std::string& from, const std::string& to) {
    std::string text = config;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return write("config.yaml", text.replace(at, from.size(), to));
  };
  const Spoilt all[] = {
      {without("model.safetensors"), "no weights"},
      {without("config.yaml"), "config.yaml"},
      {without("shared.vocabulary"), "shared.vocabulary: missing"},
      {write("model.safetensors", ""), "model.safetensors: 0 bytes"},
      {write("model.safetensors", weights.substr(0, weights.size() / 2)), "model.safetensors"},
      {write("model.safetensors", weights.substr(0, weights.size() - 1)), "model.safetensors"},
      {write("model.safetensors", weights + "x"), "model.safetensors"},
      {write("model.safetensors", std::string(100, '\xff')), "model.safetensors"},
      {replaced("\"heed.format\":\"1\"", "\"heed.format\":\"9\""), "newer heed"},
      {replaced("\"heed.format\":\"1\"", "\"heed.formas\":\"1\""), "not a heed model"},
      {replaced("[16,16]", "[4,4,16]"), "model.safetensors"},
      {replaced("[16,16]", "[2,2,2,2,2,2,2,2]"), "model.safetensors"},
      {reconfigured("width: 16", "width: 32"), "this model needs F32 of shape"},
      {reconfigured("layers: 1", "layers: 2"), "it has no tensor"},
      {reconfigured("type: transformer", "type: perceptron"), "config.yaml:"},
      {write("shared.vocabulary", "</s>\n<unk>\n<s>\na\n"), "shape"},
      {write("shared.vocabulary", "</s>\n"), "shared.vocabulary"},
      {write("shared.vocabulary", "</s>\n<unk>\n<s>\na\na\n"), "shared.vocabulary"},
      {write("shared.vocabulary", "\xff"), "shared.vocabulary"},
  };
  for (const auto& [spoil, expected] : all) {
    const std::string folder = copy();
    spoil(folder);
    for (const char* command : {"translate", "info"}) {
      const Result result = run_heed({command, folder});
      EXPECT_EQ(result.code, 2) << expected << ": " << result.errors;
      EXPECT_NE(result.errors.find(expected), std::string::npos)
          << expected << " is not in: " << result.errors;
    }
  }
  EXPECT_EQ(run_heed({"translate", copy()}).code, 0);
}

// Any byte of the header changed: an error or a translation, never a crash.
TEST_F(Translate, DamagedWeightsNeverCrash) {
  const std::string weights = read_file(model() + "/model.safetensors");
  const std::string folder = copy();
  for (uint64_t i = 0; i < 300; ++i) {
    std::string damaged = weights;
    damaged[uniform_below(1, i, 3000)] = static_cast<char>(uniform_below(2, i, 256));
    write_file(folder + "/model.safetensors", damaged);
    try {
      SavedModel(folder, 1).translate("a b c");
    } catch (const InputError&) {
    }
  }
}

TEST_F(Translate, WeightsThatAreNoNumbers) {
  std::string weights = read_file(model() + "/model.safetensors");
  uint64_t header = 0;
  std::memcpy(&header, weights.data(), sizeof(header));
  std::fill(weights.begin() + static_cast<std::ptrdiff_t>(8 + header), weights.end(), '\xff');
  const std::string folder = copy();
  write_file(folder + "/model.safetensors", weights);
  write_file(task_->path("input"), "a b\n");
  for (const Words& more : {Words{"--beam", "1"}, Words{"--beam", "4"}, Words{"--sample"}}) {
    Words arguments = {"translate", folder};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result result = run_heed(arguments, task_->path("input"));
    EXPECT_EQ(result.code, 2) << result.errors;
    EXPECT_NE(result.errors.find("NaN"), std::string::npos) << result.errors;
  }
  const Result scored =
      run_heed({"score", folder, "--source", task_->path("input"), "--target", task_->path("input")});
  EXPECT_EQ(scored.code, 2);
  EXPECT_NE(scored.errors.find("NaN"), std::string::npos) << scored.errors;
}

TEST_F(Translate, AverageMakesDamagedWeightsAnew) {
  ASSERT_EQ(run_heed(task_->train("damaged", {"train.updates=10"})).code, 0);
  const std::string weights = task_->path("damaged/model.safetensors"), whole = read_file(weights);
  write_file(weights, whole.substr(0, 1000));
  const Result refused = run_heed({"translate", task_->path("damaged")});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.errors.find("heed average"), std::string::npos) << refused.errors;
  EXPECT_EQ(run_heed({"average", task_->path("damaged")}).code, 0);
  EXPECT_EQ(run_heed({"translate", task_->path("damaged")}).code, 0);
}

}  // namespace
}  // namespace heed::test
