// Subwords learnt by the SentencePiece library (Kudo and Richardson 2018): BPE or unigram (Kudo 2018).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heed/text/segmenter.h"
#include "heed/text/vocabulary.h"

namespace heed {

struct SentencePieceOptions {
  bool unigram = true;     // else BPE
  int64_t vocabulary = 0;  // pieces, reserved ones included
  bool exact = true;       // false: fewer pieces where the corpus does not give so many
  double character_coverage =
      1;  // the share of characters that get a piece of their own, the frequent ones first
  bool byte_fallback = false;         // spell other characters in bytes instead of <unk>
  std::vector<std::string> reserved;  // further reserved words, after </s>, <unk>, <s>
};

// Learns the pieces; returns the serialised model. The same sentences in the same order give the same bytes.
// Throws InputError where the corpus cannot give such a vocabulary, with the largest or smallest possible;
// `name` stands for the corpus in messages.
std::string train_sentencepiece(const SentencePieceOptions& options, const SentenceStream& sentences,
                                const std::string& name);

// A segmenter and its vocabulary out of a serialised model. Throws InputError naming the file where the bytes
// are no model or its reserved ids are not heed's.
struct SentencePieceModel {
  std::unique_ptr<Segmenter> segmenter;
  Vocabulary vocabulary;
};
SentencePieceModel load_sentencepiece(std::string model, const std::string& name,
                                      const std::vector<std::string>& reserved = {});

}  // namespace heed
