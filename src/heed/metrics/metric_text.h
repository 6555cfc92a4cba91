// Text as the metrics see it: code points, Unicode white space, and the tokenisers of sacreBLEU.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heed {

enum class MetricTokenizer { k13a, kIntl, kChar, kNone };

const char* name_of(MetricTokenizer tokenizer);

// Code points, in lower case if asked. Throws InputError for text that is not UTF-8.
std::u32string metric_text(std::string_view text, bool lower);

// The words between Unicode white space (no-break spaces separate too); views into the text.
std::vector<std::u32string_view> metric_words(std::u32string_view text);

// The text with spaces between its tokens: 13a as mteval-v13a.pl, intl by Unicode's punctuation and symbols.
std::u32string metric_tokenized(std::u32string text, MetricTokenizer tokenizer);

// What Tercom does to text before it counts words; by default it only makes it lower case.
struct TercomOptions {
  bool case_sensitive = false;
  bool normalized = false;      // entities resolved, punctuation set apart
  bool no_punctuation = false;  // removed
  bool asian = false;  // normalized sets ideographs apart, no_punctuation removes full-width marks too
};

// Tercom's words with one space between them. Their case is that of the text: see metric_text. Not
// idempotent where normalized: "dog's," gives "dog's ,", which gives "dog 's ,".
std::u32string tercom_tokenized(std::u32string text, const TercomOptions& options);

}  // namespace heed
