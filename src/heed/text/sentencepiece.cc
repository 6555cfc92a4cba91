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

[[noreturn]] void fail_damaged(const std::string& name, std::string_view what) {
  fail_input("{}: no SentencePiece model, or a damaged one ({}); copy it again", name, what);
}

// The fields of a protocol buffer's message, one after the other.
class Fields {
 public:
  Fields(std::string_view message, const std::string& name) : rest_(message), name_(name) {}

  // False at the end. `bytes` is empty but for fields of bytes, texts and messages.
  bool next(uint64_t& number, std::string_view& bytes) {
    if (rest_.empty()) return false;
    const uint64_t key = varint();
    number = key >> 3;
    bytes = {};
    switch (key & 7) {
      case 0:
        varint();
        break;
      case 1:
        take(8);
        break;
      case 2:
        bytes = take(varint());
        break;
      case 5:
        take(4);
        break;
      default:
        fail_damaged(name_, "an unknown kind of field");
    }
    return true;
  }

 private:
  std::string_view take(uint64_t size) {
    if (size > rest_.size()) fail_damaged(name_, "cut short");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail_damaged(name_, "a number that is too long");
  }

  std::string_view rest_;
  const std::string& name_;
};

// SentencePiece follows a model's own rules of normalisation (normalizer_spec and denormalizer_spec, their
// precompiled_charsmap) without a look at where they lead. heed's models have none.
void refuse_rules(std::string_view model, const std::string& name) {
  constexpr uint64_t kNormalizer = 3, kDenormalizer = 5, kRules = 2;
  uint64_t number = 0;
  std::string_view bytes;
  for (Fields fields(model, name); fields.next(number, bytes);) {
    if (number != kNormalizer && number != kDenormalizer) continue;
    std::string_view rules;
    for (Fields inner(bytes, name); inner.next(number, rules);)
      if (number == kRules && !rules.empty())
        fail_input("{}: it has rules of normalisation, heed's models have none; train the pieces with heed",
                   name);
  }
}

class SentencePieceSegmenter : public Segmenter {
 public:
  SentencePieceSegmenter(std::string model, const std::string& name) : model_(std::move(model)) {
    refuse_rules(model_, name);
    try {
      if (const auto status = processor_.LoadFromSerializedProto(model_); !status.ok())
        fail_damaged(name, status.ToString());
    } catch (const InputError&) {
      throw;
    } catch (const std::exception& error) {  // of the structures that it builds of the pieces
      fail_damaged(name, error.what());
    }
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

// SentencePiece's own character for unknown ones; it learns nothing from a sentence that has it.
constexpr std::string_view kUnknownMark = "\u2585";

// Whether there is more than blanks and the marks that SentencePiece takes for them: of a corpus without, it
// does not report an error but ends the process.
bool has_characters(std::string_view sentence) {
  while (!sentence.empty()) {
    const size_t size = sentence.front() == ' '            ? 1
                        : sentence.starts_with(kSpaceMark) ? kSpaceMark.size()
                                                           : 0;
    if (size == 0) return true;
    sentence.remove_prefix(size);
  }
  return false;
}

// All sentences to learn from, or a sample that depends on their number only (Vitter 1985, algorithm R).
std::vector<std::string> sample_of(const SentenceStream& stream, const std::string& name) {
  std::vector<std::string> sentences;
  std::string sentence;
  bool marked = false;
  for (uint64_t seen = 0; stream(sentence);) {
    std::string plain = with_plain_blanks(sentence);
    if (!has_characters(plain)) continue;
    if (plain.find(kUnknownMark) != plain.npos) {
      marked = true;
      continue;
    }
    ++seen;
    if (sentences.size() < kMostSentences) {
      sentences.push_back(std::move(plain));
    } else if (const uint64_t slot = uniform_below(0, seen, seen); slot < kMostSentences) {
      sentences[slot] = std::move(plain);
    }
  }
  if (sentences.empty() && marked)
    fail_input(
        "{}: no words to learn pieces from: every line with words has {} (U+2585) in it, which SentencePiece "
        "keeps for itself; write another character there",
        name, kUnknownMark);
  if (sentences.empty()) fail_input("{}: no words to learn pieces from; the corpus is empty", name);
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
  const std::vector<std::string> sentences = sample_of(stream, name);
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
