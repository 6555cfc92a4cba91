#include "heed/kernels/output.h"

#include "heed/base/error.h"
#include "heed/kernels/cpu/output_panels.h"

namespace heed::kernels {
namespace {

void check_weight(const char* what, const PackedMatrix* b, int64_t inner, int64_t outer, DType dtype) {
  require(b != nullptr && *b, "output: {} is not packed", what);
  require(b->dtype() == dtype, "output: {} is packed for {}, the rows are {}", what, name_of(b->dtype()),
          name_of(dtype));
  require(b->inner() == inner && b->outer() == outer, "output: {} is {} x {}, expected {} x {}", what,
          b->inner(), b->outer(), inner, outer);
}

template <class T>
void output_loss_of(ThreadPool& pool, const OutputLossArgs<T>& args) {
  check_weight("the weight", args.weight, args.width, args.words, dtype_of<T>);
  if (args.dx != nullptr) {
    check_weight("the weight for the way back", args.weight_back, args.words, args.width, dtype_of<T>);
    require(args.weight->tiled() == args.weight_back->tiled(),
            "output: the weight and the one for the way back were packed on different processor levels");
  }
  cpu::output_loss_panels(pool, args);
}

template <class T>
void output_top_k_of(ThreadPool& pool, const OutputTopKArgs<T>& args) {
  check_weight("the weight", args.weight, args.width, args.words, dtype_of<T>);
  require(args.k >= 1 && args.k <= args.words, "top-k: k is {} of {} words", args.k, args.words);
  cpu::output_top_k_panels(pool, args);
}

template <class T>
void output_log_probs_of(ThreadPool& pool, const OutputLogProbsArgs<T>& args) {
  check_weight("the weight", args.weight, args.width, args.words, dtype_of<T>);
  cpu::output_log_probs_panels(pool, args);
}

}  // namespace

void output_loss(ThreadPool& pool, const OutputLossArgs<float>& args) {
  output_loss_of(pool, args);
}
void output_loss(ThreadPool& pool, const OutputLossArgs<Bf16>& args) {
  output_loss_of(pool, args);
}
void output_top_k(ThreadPool& pool, const OutputTopKArgs<float>& args) {
  output_top_k_of(pool, args);
}
void output_top_k(ThreadPool& pool, const OutputTopKArgs<Bf16>& args) {
  output_top_k_of(pool, args);
}
void output_log_probs(ThreadPool& pool, const OutputLogProbsArgs<float>& args) {
  output_log_probs_of(pool, args);
}
void output_log_probs(ThreadPool& pool, const OutputLogProbsArgs<Bf16>& args) {
  output_log_probs_of(pool, args);
}

}  // namespace heed::kernels
