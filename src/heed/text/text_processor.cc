#include "heed/text/text_processor.h"

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/text_util.h"
#include "heed/text/unicode.h"

namespace heed {

TextProcessor::TextProcessor(std::unique_ptr<const Segmenter> segmenter, Vocabulary vocabulary,
                             bool lowercase, NormalForm normal_form)
    : segmenter_(std::move(segmenter)),
      vocabulary_(std::move(vocabulary)),
      lowercase_(lowercase),
      normal_form_(normal_form) {}

std::string TextProcessor::prepared(std::string_view text) const {
  if (const size_t bad = find_invalid_utf8(text); bad != text.npos)
    fail_input("the text has invalid UTF-8 at byte {}", bad + 1);
  std::string prepared =
      normal_form_ == NormalForm::kNone ? std::string(text) : normalise(text, normal_form_);
  return lowercase_ ? heed::lowercase(prepared) : prepared;
}

std::vector<std::string> TextProcessor::split(std::string_view text) const {
  return segmenter_->split(prepared(text));
}

std::vector<int32_t> TextProcessor::ids(std::span<const std::string> pieces) const {
  std::vector<int32_t> ids(pieces.size());
  std::transform(pieces.begin(), pieces.end(), ids.begin(),
                 [this](const std::string& piece) { return vocabulary_.id(piece); });
  return ids;
}

std::vector<int32_t> TextProcessor::encode(std::string_view text) const {
  std::vector<int32_t> encoded = ids(split(text));
  encoded.push_back(Vocabulary::kEnd);
  return encoded;
}

std::vector<std::string> TextProcessor::pieces(std::span<const int32_t> ids) const {
  std::vector<std::string> pieces;
  for (const int32_t id : ids) {
    const std::string& word = vocabulary_.word(id);
    if (id == Vocabulary::kEnd) break;
    if (!vocabulary_.is_reserved(id) || id == Vocabulary::kUnknown) pieces.push_back(word);
  }
  return pieces;
}

WordPieces TextProcessor::words(std::span<const std::string> pieces) const {
  WordPieces result{segmenter_->words(pieces), {}};
  for (size_t begin = 0; begin < pieces.size();) {
    size_t end = begin + 1;
    while (end < pieces.size() && result.word_of_piece[end] == result.word_of_piece[begin]) ++end;
    std::string word = segmenter_->join(pieces.subspan(begin, end - begin));
    result.words.push_back(word.starts_with(' ') ? word.substr(1) : std::move(word));
    begin = end;
  }
  return result;
}

}  // namespace heed
