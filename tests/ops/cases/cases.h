// The groups of cases that make up the registry, one file each.
#pragma once

#include "tests/ops/registry.h"

namespace heed::test {

std::vector<Op> embedding_ops();
std::vector<Op> rotary_ops();
std::vector<Op> convolution_ops();
std::vector<Op> linear_ops();
std::vector<Op> layer_ops();
std::vector<Op> attention_ops();
std::vector<Op> monotonic_attention_ops();
std::vector<Op> output_ops();
std::vector<Op> sigmoid_output_ops();
std::vector<Op> recurrent_ops();
std::vector<Op> attention_decoder_ops();
std::vector<Op> local_attention_ops();
std::vector<Op> rows_ops();

}  // namespace heed::test
