// A fixed number of mutations of good inputs, the same in every run: bytes changed, cut out, doubled, joined
// with pieces that parsers stumble over. The libFuzzer programs beside this (HEED_FUZZ) go on from here.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "heed/base/random.h"
#include "tests/fuzz/targets.h"

namespace heed::fuzz {
namespace {

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : seed_(seed) {}

  std::string mutate(std::string text, const std::vector<std::string>& pieces) {
    for (size_t i = below(4) + 1; i > 0; --i) {
      const size_t at = below(text.size() + 1);
      const size_t length = below(std::min<size_t>(text.size() - at, 16) + 1);
      switch (below(6)) {
        case 0:
          if (at < text.size()) text[at] = static_cast<char>(below(256));
          break;
        case 1:
          if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
          break;
        case 2:
          text.erase(at, length);
          break;
        case 3:
          text.insert(at, std::string(text, at, length));
          break;
        case 4:
          text.resize(at);
          break;
        default:
          text.insert(at, pieces[below(pieces.size())]);
      }
    }
    return text;
  }

  size_t below(size_t bound) { return uniform_below(seed_, counter_++, bound); }

 private:
  uint64_t seed_;
  uint64_t counter_ = 0;
};

// Runs the target on mutations of the inputs; both outcomes must occur, else the mutations test nothing.
void run(bool (*target)(std::string_view), const std::vector<std::string>& inputs,
         const std::vector<std::string>& pieces, int count) {
  Mutator mutator(mix64(7, static_cast<uint64_t>(count)));
  int accepted = 0;
  for (const std::string& input : inputs) EXPECT_TRUE(target(input)) << input;
  for (int i = 0; i < count; ++i) {
    const std::string text = mutator.mutate(inputs[mutator.below(inputs.size())], pieces);
    ASSERT_NO_THROW(accepted += target(text)) << "mutation " << i << ": " << testing::PrintToString(text);
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, count);
}

const std::vector<std::string> kYamlPieces = {"[",
                                              "]",
                                              "{",
                                              "}",
                                              ":",
                                              ": ",
                                              "\n",
                                              "\n  ",
                                              "- ",
                                              "? ",
                                              "&a ",
                                              "*a",
                                              "!!str ",
                                              "! ",
                                              "|\n",
                                              ">\n",
                                              "'",
                                              "\"",
                                              "---\n",
                                              "...\n",
                                              "#",
                                              "%YAML 1.2\n",
                                              "\\x",
                                              "~",
                                              ".nan",
                                              "1e999",
                                              "<<: ",
                                              "\t",
                                              "\r",
                                              "\x04",
                                              std::string(1, '\0'),
                                              "\xef\xbb\xbf",
                                              "\xff",
                                              "model",
                                              "[[[[[[[[[[[[[[[[[[",
                                              "{{{{{{{{{{{{{{{{{",
                                              "@",
                                              "`",
                                              "\xc2\x85",
                                              ",",
                                              "\\"};

TEST(Mutation, Configuration) {
  run(read_config,
      {"seed: 3\ndata: {train: [a, 'b c', \"d\\n\"], name: x}\nmodel:\n  type: rnn\n  width: 5\n  dropout: "
       ".5\n",
       "# note\ntrain:\n  rate: 3e-4\n  clip: .inf\n  shuffle: false\ndata:\n  train:\n    - a\n    - b\n",
       "data:\n  name: |\n    two\n    lines\nmodel: {heads: 2, type: transformer}\n"},
      kYamlPieces, 4000);
}

TEST(Mutation, Override) {
  run(read_override,
      {"model.width=5", "data.train=[a, \"b\"]", "model={type: rnn, cell: lstm}", "data.name=x y"},
      kYamlPieces, 4000);
}

TEST(Mutation, SentencePiece) {
  SentencePieceOptions options;
  options.vocabulary = 40;
  options.exact = false;
  size_t next = 0;
  const std::vector<std::string> lines = {"one two three", "four five six", "one six", "two five"};
  const std::string model = train_sentencepiece(
      options, [&](std::string& line) { return next < lines.size() && (line = lines[next++], true); },
      "corpus");
  run(read_pieces, {model},
      {"\x1a\x06\x12\x04", "\x2a", "\x0a\x02\x0a", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}, 400);
}

std::string safetensors_of(const std::string& header, const std::string& data) {
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>(header.size() >> (8 * i));
  return file + header + data;
}

TEST(Mutation, Safetensors) {
  const std::vector<std::string> headers = {
      R"({"__metadata__":{"format":"1"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})",
      R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"I32","shape":[],"data_offsets":[4,8]}})",
  };
  const std::vector<std::string> pieces = {
      "{",       "}",     "[",    "]",          ",",        ":",    "\"",   "\\",      "-1",
      "0",       "1e400", "null", "4294967296", "\"a\":{}", "true", "\xff", "\"F16\"", "9223372036854775807",
      "[[[[[[[["};
  std::vector<std::string> files;
  for (const std::string& header : headers) files.push_back(safetensors_of(header, "12345678"));
  run(read_safetensors, files, pieces, 4000);

  // With the length put right again, mutations reach the header's checks.
  Mutator mutator(11);
  int accepted = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string header = mutator.mutate(headers[mutator.below(headers.size())], pieces);
    ASSERT_NO_THROW(accepted += read_safetensors(safetensors_of(header, "12345678"))) << header;
  }
  EXPECT_GT(accepted, 0);
}

TEST(Mutation, TensorBoardEvents) {
  const std::string file =
      tensorboard_header(1) +
      tensorboard_record({.wall_time = 2, .step = 3, .scalars = {{"a", 1.f}}, .file_version = {}});
  run(read_events, {file}, {"\xff\xff\xff\xff", "\x08", "\x80"}, 4000);
}

}  // namespace
}  // namespace heed::fuzz
