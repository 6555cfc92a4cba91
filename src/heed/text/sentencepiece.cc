#include "heed/text/sentencepiece.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <regex>
#include <unordered_map>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/random.h"
#include "heed/base/text_util.h"
#include "heed/text/unicode.h"

namespace heed {
namespace {

// More sentences teach the pieces nothing, and cost minutes and gigabytes.
constexpr size_t kMostSentences = 1'000'000;

class SentencePieceSegmenter : public Segmenter {
 public:
  SentencePieceSegmenter(std::string model, const std::string& name) : model_(std::move(model)) {
    if (const auto status = processor_.LoadFromSerializedProto(model_); !status.ok())
      fail_input("{}: no SentencePiece model, or a damaged one ({})", name, status.ToString());
  }

  std::vector<std::string> split(std::string_view text) const override {
    std::vector<std::string> pieces;
    check(processor_.Encode(with_plain_blanks(text), &pieces));
    return pieces;
  }

  std::string join(std::span<const std::string> pieces) const override {
    std::string text;
    check(processor_.Decode(std::vector<std::string>(pieces.begin(), pieces.end()), &text));
    // Pieces that the model does not know (copied words) keep their ▁.
    for (size_t at = text.find(kSpaceMark); at != text.npos; at = text.find(kSpaceMark, at)) {
      text[at] = ' ';
      text.erase(at + 1, kSpaceMark.size() - 1);
    }
    if (text.starts_with(' ')) text.erase(0, 1);
    // Byte pieces can say anything; one output stays one line.
    for (char& letter : text)
      if (letter == '\n' || letter == '\r' || letter == '\0') letter = ' ';
    return text;
  }

  std::vector<int32_t> words(std::span<const std::string> pieces) const override {
    return words_at_space_marks(pieces);
  }

  std::string serialised() const override { return model_; }

  Vocabulary vocabulary(const std::string& name, const std::vector<std::string>& reserved) const {
    std::vector<std::string> expected = {"</s>", "<unk>", "<s>"};
    expected.insert(expected.end(), reserved.begin(), reserved.end());
    std::vector<std::string> words;
    for (int i = 0; i < processor_.GetPieceSize(); ++i) {
      const std::string& piece = processor_.IdToPiece(i);
      const auto id = static_cast<size_t>(i);
      if (id >= expected.size())
        words.push_back(piece);
      else if (piece != expected[id])
        fail_input("{}: piece {} is {}, heed's models have {} there; train the pieces with heed", name, i,
                   in_quotes(piece), in_quotes(expected[id]));
    }
    return Vocabulary(reserved, std::move(words));
  }

 private:
  static void check(const sentencepiece::util::Status& status) {
    require(status.ok(), "SentencePiece: {}", status.ToString());
  }

  std::string model_;
  sentencepiece::SentencePieceProcessor processor_;
};

class SentenceList : public sentencepiece::SentenceIterator {
 public:
  explicit SentenceList(const std::vector<std::string>& sentences) : sentences_(sentences) {}
  bool done() const override { return next_ == sentences_.size(); }
  void Next() override { ++next_; }
  const std::string& value() const override { return sentences_[next_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& sentences_;
  size_t next_ = 0;
};

// All sentences with words in them, or a sample that depends on their number only (Vitter 1985, algorithm R).
std::vector<std::string> sample_of(const SentenceStream& stream) {
  std::vector<std::string> sentences;
  std::string sentence;
  for (uint64_t seen = 0; stream(sentence);) {
    if (split_words(sentence).empty()) continue;
    ++seen;
    if (sentences.size() < kMostSentences) {
      sentences.push_back(with_plain_blanks(sentence));
    } else if (const uint64_t slot = uniform_below(0, seen, seen); slot < kMostSentences) {
      sentences[slot] = with_plain_blanks(sentence);
    }
  }
  return sentences;
}

[[noreturn]] void fail_training(const std::string& message, const SentencePieceOptions& options,
                                const std::string& name) {
  std::smatch found;
  if (std::regex_search(message, found, std::regex("value <= (\\d+)")))
    fail_input("text.vocabulary: {} pieces are more than {} gives; the highest possible is {}",
               options.vocabulary, name, found[1].str());
  if (std::regex_search(message, found, std::regex("required_chars\\. \\d+ vs (\\d+)")))
    fail_input(
        "text.vocabulary: {} pieces are too few for the characters of {}; at least {} are needed, or a lower "
        "text.character_coverage",
        options.vocabulary, name, found[1].str());
  fail_input("SentencePiece cannot learn {} pieces from {}: {}", options.vocabulary, name, message);
}

}  // namespace

std::string train_sentencepiece(const SentencePieceOptions& options, const SentenceStream& stream,
                                const std::string& name) {
  const std::vector<std::string> sentences = sample_of(stream);
  if (sentences.empty()) fail_input("{}: no words to learn pieces from; the corpus is empty", name);

  std::unordered_map<std::string, std::string> settings = {
      {"model_type", options.unigram ? "unigram" : "bpe"},
      {"vocab_size", std::to_string(options.vocabulary)},
      {"hard_vocab_limit", options.exact ? "true" : "false"},
      {"character_coverage", fmt::format("{}", options.character_coverage)},
      {"byte_fallback", options.byte_fallback ? "true" : "false"},
      {"normalization_rule_name", "identity"},  // heed normalises before, for every kind alike
      {"max_sentence_length", "1000000"},
      {"eos_id", std::to_string(Vocabulary::kEnd)},
      {"unk_id", std::to_string(Vocabulary::kUnknown)},
      {"bos_id", std::to_string(Vocabulary::kBegin)},
      {"pad_id", "-1"},
      {"num_threads", "2"},  // sums are kept by thread: another number is another order of additions
      {"minloglevel", "3"},
  };
  if (!options.reserved.empty()) settings["control_symbols"] = joined(options.reserved, ",");

  SentenceList iterator(sentences);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &iterator, &model);
  if (!status.ok()) fail_training(status.ToString(), options, name);
  return model;
}

SentencePieceModel load_sentencepiece(std::string model, const std::string& name,
                                      const std::vector<std::string>& reserved) {
  auto segmenter = std::make_unique<SentencePieceSegmenter>(std::move(model), name);
  Vocabulary vocabulary = segmenter->vocabulary(name, reserved);
  return {std::move(segmenter), std::move(vocabulary)};
}

}  // namespace heed
