// From tokens to rows.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "heed/autograd/parameter.h"
#include "heed/ops/dropout.h"
#include "heed/tensor/layout.h"

namespace heed {

// The sinusoids of Vaswani et al. 2017, section 3.5: sine in even columns, cosine in odd ones; or all the
// sines before all the cosines. Grows as needed; any number of threads may ask.
class SinusoidalPositions {
 public:
  enum class Order { interleaved, halves };
  explicit SinusoidalPositions(int64_t width, Order order = Order::interleaved)
      : width_(width), order_(order) {}
  Order order() const { return order_; }
  int64_t width() const { return width_; }
  // [at least length, width] f32
  Tensor up_to(int64_t length);

 private:
  std::mutex growing_;
  int64_t width_;
  Order order_;
  Tensor table_;
};

struct EmbeddingOptions {
  float scale = 1.0f;                              // sqrt(d_model) in Vaswani et al. 2017, section 3.4
  const Parameter* positions = nullptr;            // [longest, D] learned positions, or
  std::shared_ptr<SinusoidalPositions> sinusoids;  // fixed ones, or neither
  DropoutSite dropout;
};

// y[r] = dropout(scale * table[ids[r]] + positions[position of r])  [R, D] in the context's precision.
// Throws InputError for an id outside the table or a sentence longer than there are positions, Error on ids
// that are not one a row and positions of another width than the table's.
Var embedding(Context& c, const TokenField& tokens, const Parameter& table,
              const EmbeddingOptions& options = {});

// Each word of a batch once, so that what depends on the word alone is computed once.
struct DistinctTokens {
  TokenField words;                                    // one sentence, ids ascending
  std::shared_ptr<const std::vector<int32_t>> row_of;  // [R] where each row's word stands in `words`
};
// Throws InputError on an id that is not below words_there_are, Error on ids that are not one a row.
DistinctTokens distinct_tokens(const TokenField& tokens, int64_t words_there_are);

// Word dropout after Iyyer et al. 2015, who leave words out: while c is training a word becomes <unk> with
// the site's probability; </s> stays.
TokenField drop_words(const Context& c, const TokenField& tokens, const DropoutSite& site);

}  // namespace heed
