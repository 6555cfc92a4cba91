// What stands between the products: embedding, residual, dropout, LayerNorm, activations.
// Letters: R rows, D width, V words. T is float or Bf16; statistics and parameters' gradients are f32.
// Gradients of gain and bias are sums over fixed chunks of rows, combined in ascending order.
#pragma once

#include <cstdint>

#include "heed/kernels/dropout.h"
#include "heed/kernels/real.h"
#include "heed/tensor/dtype.h"
#include "heed/tensor/thread_pool.h"

namespace heed::kernels {

inline constexpr int64_t kParameterChunkRows = 128;

// sum = x + dropout(y);  normed = (sum - mean) * rstd * gain + bias  (Ba et al. 2016). Without y: sum = x and
// is not written. Without gain: only the sum is made (a residual connection and no norm).
template <class T>
struct ResidualNormArgs {
  int64_t rows = 0, width = 0;
  const T* x = nullptr;                // [R, D]
  const T* y = nullptr;                // [R, D] or null
  Dropout dropout{};                   // of y
  const uint64_t* row_keys = nullptr;  // [R], needed when dropout.probability > 0
  const Real<T>* gain = nullptr;       // [D] or null
  const Real<T>* bias = nullptr;       // [D]
  float epsilon = 1e-5f;
  T* sum = nullptr;         // [R, D]; may be null when only the norm is wanted
  T* normed = nullptr;      // [R, D]
  Real<T>* mean = nullptr;  // [R]; with rstd what the gradient needs, may be null
  Real<T>* rstd = nullptr;  // [R]
};
void residual_norm(ThreadPool& pool, const ResidualNormArgs<float>& args);
void residual_norm(ThreadPool& pool, const ResidualNormArgs<Bf16>& args);

template <class T>
struct ResidualNormGradientArgs {
  int64_t rows = 0, width = 0;
  const T* sum = nullptr;         // as left by the forward pass (x where there was no y)
  const Real<T>* gain = nullptr;  // null: there was no norm
  const Real<T>* mean = nullptr;
  const Real<T>* rstd = nullptr;
  const T* d_normed = nullptr;  // [R, D], null when there was no norm
  const T* d_sum = nullptr;     // [R, D] or null: the gradient that reached the sum by other ways
  Dropout dropout{};
  const uint64_t* row_keys = nullptr;
  T* d_x = nullptr;           // [R, D], may be d_normed or d_sum
  T* d_y = nullptr;           // [R, D] or null: no y, or no dropout (d_y is then d_x)
  Real<T>* d_gain = nullptr;  // [D], overwritten
  Real<T>* d_bias = nullptr;  // [D], overwritten
};
void residual_norm_gradient(ThreadPool& pool, const ResidualNormGradientArgs<float>& args);
void residual_norm_gradient(ThreadPool& pool, const ResidualNormGradientArgs<Bf16>& args);

// y = dropout(scale * table[ids] + positions[position]).
template <class T>
struct EmbeddingArgs {
  int64_t rows = 0, width = 0;
  const int32_t* ids = nullptr;    // [R], each in [0, V): the caller has checked
  const Real<T>* table = nullptr;  // [V, D]
  float scale = 1.0f;
  const Real<T>* positions = nullptr;  // [longest, D] or null
  const int32_t* position = nullptr;   // [R], with positions
  Dropout dropout{};
  const uint64_t* row_keys = nullptr;
  T* y = nullptr;  // [R, D]
};
void embedding(ThreadPool& pool, const EmbeddingArgs<float>& args);
void embedding(ThreadPool& pool, const EmbeddingArgs<Bf16>& args);

// d_table[ids[r]] += scale * dropout'(dy[r]) and d_positions[position[r]] += dropout'(dy[r]), in ascending r.
template <class T>
struct EmbeddingGradientArgs {
  int64_t rows = 0, width = 0;
  const int32_t* ids = nullptr;
  float scale = 1.0f;
  const int32_t* position = nullptr;
  Dropout dropout{};
  const uint64_t* row_keys = nullptr;
  const T* dy = nullptr;           // [R, D]
  Real<T>* d_table = nullptr;      // [V, D], added to
  Real<T>* d_positions = nullptr;  // [longest, D], added to; or null
};
void embedding_gradient(ThreadPool& pool, const EmbeddingGradientArgs<float>& args);
void embedding_gradient(ThreadPool& pool, const EmbeddingGradientArgs<Bf16>& args);

// Rotary positions (Su et al. 2021, "RoFormer", eq. 34): in each head of the first `rotated` columns, W wide,
// columns i and i + W/2 are turned by the i-th angle of the row's position,
//   y[i] = x[i] cos - x[i + W/2] sin,  y[i + W/2] = x[i + W/2] cos + x[i] sin;
// the other columns are copied.
template <class T>
struct RotaryArgs {
  int64_t rows = 0, width = 0, rotated = 0;  // rotated: a multiple of head_width
  int64_t head_width = 0;                    // W, even
  const Real<T>* angles = nullptr;           // [longest, W]: W/2 sines, W/2 cosines
  const int32_t* position = nullptr;         // [R]
  bool back = false;                         // by the negative angles: the gradient
  const T* x = nullptr;                      // [R, D]
  T* y = nullptr;                            // [R, D]
};
void rotary(ThreadPool& pool, const RotaryArgs<float>& args);
void rotary(ThreadPool& pool, const RotaryArgs<Bf16>& args);

// y[i] = the sum of all x[r] with into[r] == i, in ascending r; zeros where there is none.
template <class T>
struct RowSumsArgs {
  int64_t rows = 0, width = 0, sums = 0;
  const int32_t* into = nullptr;  // [R], each in [0, sums)
  const T* x = nullptr;           // [R, D]
  Real<T>* y = nullptr;           // [sums, D]
};
void row_sums(ThreadPool& pool, const RowSumsArgs<float>& args);
void row_sums(ThreadPool& pool, const RowSumsArgs<Bf16>& args);

enum class Activation : uint8_t { none, relu, squared_relu, gelu, tanh, sigmoid };

// y = dropout(act(x)), x may be y. squared_relu is max(0, x)^2 (So et al. 2021); gelu is the exact one, with
// the error function (Hendrycks & Gimpel 2016).
template <class T>
struct ActivationArgs {
  int64_t rows = 0, width = 0;
  Activation activation = Activation::none;
  Dropout dropout{};
  const uint64_t* row_keys = nullptr;
  const T* x = nullptr;  // [R, D]
  T* y = nullptr;        // [R, D]
};
void activate(ThreadPool& pool, const ActivationArgs<float>& args);
void activate(ThreadPool& pool, const ActivationArgs<Bf16>& args);

// dx = act'(x) * dropout'(dy). relu, tanh and sigmoid take their own output before dropout for x.
template <class T>
struct ActivationGradientArgs {
  int64_t rows = 0, width = 0;
  Activation activation = Activation::none;
  Dropout dropout{};
  const uint64_t* row_keys = nullptr;
  const T* x = nullptr;   // [R, D]: what act returned for relu, tanh, sigmoid; else what it was given
  const T* dy = nullptr;  // [R, D]
  T* dx = nullptr;        // [R, D], may be dy
};
void activate_gradient(ThreadPool& pool, const ActivationGradientArgs<float>& args);
void activate_gradient(ThreadPool& pool, const ActivationGradientArgs<Bf16>& args);

// y += x, elementwise.
void add_to(ThreadPool& pool, int64_t size, const float* x, float* y);
void add_to(ThreadPool& pool, int64_t size, const Bf16* x, Bf16* y);
void add_to(ThreadPool& pool, int64_t size, const Bf16* x, float* y);

// y [R, D] = x, rows of which are x_stride elements apart, in the type of y.
void convert(ThreadPool& pool, int64_t rows, int64_t width, const float* x, int64_t x_stride, float* y);
void convert(ThreadPool& pool, int64_t rows, int64_t width, const float* x, int64_t x_stride, Bf16* y);
void convert(ThreadPool& pool, int64_t rows, int64_t width, const Bf16* x, int64_t x_stride, float* y);

}  // namespace heed::kernels
