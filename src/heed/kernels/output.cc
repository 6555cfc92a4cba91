#include "heed/kernels/output.h"

#include <vector>

#include "heed/base/error.h"
#include "heed/kernels/cpu/panels.h"
#include "heed/kernels/reference/output.h"

namespace heed::kernels {
namespace {

// B [K, N] as plain rows.
std::vector<float> unpack(const PackedMatrix& b) {
  std::vector<float> plain(b.inner() * b.outer());
  const auto* panels = reinterpret_cast<const float*>(b.data());
  for (int64_t k = 0; k < b.inner(); ++k) {
    for (int64_t n = 0; n < b.outer(); ++n) {
      plain[k * b.outer() + n] =
          panels[(n / cpu::kPanelWidth * b.inner() + k) * cpu::kPanelWidth + n % cpu::kPanelWidth];
    }
  }
  return plain;
}

template <class Args, class T>
void check(const Args& args, const T*) {
  require(args.weight != nullptr && *args.weight, "output: the weight is not packed");
  require(args.weight->dtype() == dtype_of<T>, "output: the weight is packed for {}, the rows are {}",
          name_of(args.weight->dtype()), name_of(dtype_of<T>));
  require(args.weight->inner() == args.width && args.weight->outer() == args.words,
          "output: the weight is {} x {}, expected {} x {}", args.weight->inner(), args.weight->outer(),
          args.width, args.words);
}

template <class T, class Args>
reference::OutputArgs<T> reference_args(const Args& args, const std::vector<float>& weight) {
  return {.rows = args.rows,
          .width = args.width,
          .words = args.words,
          .x = args.x,
          .weight = weight.data(),
          .weight_stride_k = args.words,
          .weight_stride_n = 1,
          .bias = args.bias};
}

template <class T>
void output_loss_of(const OutputLossArgs<T>& args) {
  check(args, args.x);
  const std::vector<float> weight = unpack(*args.weight);
  reference::output_loss<T>({reference_args<T>(args, weight), args.targets, args.smoothing, args.loss,
                             args.log_prob, args.dx, args.dweight, args.dbias});
}

template <class T>
void output_top_k_of(const OutputTopKArgs<T>& args) {
  check(args, args.x);
  require(args.k >= 1 && args.k <= args.words, "top-k: k is {} of {} words", args.k, args.words);
  const std::vector<float> weight = unpack(*args.weight);
  reference::output_top_k(reference_args<T>(args, weight), args.row_bias, args.k, args.ids, args.log_probs);
}

template <class T>
void output_log_probs_of(const OutputLogProbsArgs<T>& args) {
  check(args, args.x);
  const std::vector<float> weight = unpack(*args.weight);
  reference::output_log_probs(reference_args<T>(args, weight), args.log_probs);
}

}  // namespace

void output_loss(ThreadPool&, const OutputLossArgs<float>& args) {
  output_loss_of(args);
}
void output_loss(ThreadPool&, const OutputLossArgs<Bf16>& args) {
  output_loss_of(args);
}
void output_top_k(ThreadPool&, const OutputTopKArgs<float>& args) {
  output_top_k_of(args);
}
void output_top_k(ThreadPool&, const OutputTopKArgs<Bf16>& args) {
  output_top_k_of(args);
}
void output_log_probs(ThreadPool&, const OutputLogProbsArgs<float>& args) {
  output_log_probs_of(args);
}
void output_log_probs(ThreadPool&, const OutputLogProbsArgs<Bf16>& args) {
  output_log_probs_of(args);
}

}  // namespace heed::kernels
