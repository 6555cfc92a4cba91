// The fast recurrent pass against the plain one, on every level; the same bytes with any number of threads,
// alone and in any batch.
#include "heed/kernels/recurrent.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include "heed/kernels/reference/recurrent.h"
#include "heed/tensor/layout.h"
#include "tests/support/bytes.h"
#include "tests/support/levels.h"
#include "tests/support/random_values.h"
#include "tests/support/tolerance.h"

namespace heed::kernels {
namespace {

using test::expect_close;
using test::normal_values;
using test::on_each_level;
using test::same_bytes;
using test::starts_with_bytes;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

template <class T>
struct Results {
  std::vector<T> h, h_previous, saved, cells, d_x, d_candidate;
  std::vector<float> last, last_cell, d_initial, d_initial_cell;

  bool operator==(const Results& o) const {
    return same_bytes(h, o.h) && same_bytes(h_previous, o.h_previous) && same_bytes(saved, o.saved) &&
           same_bytes(cells, o.cells) && same_bytes(d_x, o.d_x) && same_bytes(d_candidate, o.d_candidate) &&
           same_bytes(last, o.last) && same_bytes(last_cell, o.last_cell) &&
           same_bytes(d_initial, o.d_initial) && same_bytes(d_initial_cell, o.d_initial_cell);
  }
};

// Both directions over the same sentences, numbers that depend on the seed alone.
template <class T>
struct Problem {
  Cell cell;
  int64_t width, all;
  Layout layout;
  std::vector<float> weight, bias, initial, initial_cell, d_last, d_last_cell;
  std::vector<T> gates_x, d_h;
  Results<T> results[2];
  RecurrentArgs<T> forward[2];
  RecurrentGradientArgs<T> gradient[2];

  Problem(Cell cell, int64_t width, const std::vector<int32_t>& lengths)
      : cell(cell), width(width), all(gates_of(cell) * width), layout(Layout::of_lengths(lengths)) {
    const int64_t rows = layout.rows(), states = layout.sentences() * width;
    weight = normal_values<float>(all * width, 1, 1.0 / std::sqrt(static_cast<double>(width)));
    bias = normal_values<float>(all, 2);
    initial = normal_values<float>(states, 3);
    initial_cell = normal_values<float>(states, 4);
    d_last = normal_values<float>(states, 5);
    d_last_cell = normal_values<float>(states, 6);
    gates_x = normal_values<T>(rows * 2 * all, 7);  // both directions side by side
    d_h = normal_values<T>(rows * 2 * width, 8);
    const auto nan = [](auto& values, int64_t size) {
      values.assign(size, static_cast<std::remove_reference_t<decltype(values[0])>>(kNaN));
    };
    for (int p = 0; p < 2; ++p) {
      Results<T>& r = results[p];
      nan(r.h, rows * width);
      nan(r.h_previous, rows * width);
      nan(r.saved, rows * 4 * width);
      nan(r.cells, cell == Cell::lstm ? rows * 2 * width : 0);
      nan(r.d_x, rows * all);
      nan(r.d_candidate, rows * width);
      nan(r.last, states);
      nan(r.last_cell, states);
      nan(r.d_initial, states);
      nan(r.d_initial_cell, states);
      RecurrentArgs<T>& f = forward[p];
      f.cell = cell;
      f.sentences = layout.sentences();
      f.width = width;
      f.offsets = layout.offsets().data();
      f.reverse = p == 1;
      f.gates_x = gates_x.data() + p * all;
      f.gates_stride = 2 * all;
      f.bias = bias.data();
      f.initial = initial.data();
      f.initial_cell = initial_cell.data();
      f.h = r.h.data();
      f.h_stride = width;
      f.last = r.last.data();
      f.last_cell = r.last_cell.data();
      f.h_previous = r.h_previous.data();
      f.saved = r.saved.data();
      f.cells = r.cells.data();
      RecurrentGradientArgs<T>& g = gradient[p];
      g.d_h = d_h.data() + p * width;
      g.d_h_stride = 2 * width;
      g.d_last = d_last.data();
      g.d_last_cell = d_last_cell.data();
      g.d_gates_x = r.d_x.data();
      g.d_candidate = r.d_candidate.data();
      g.d_initial = r.d_initial.data();
      g.d_initial_cell = r.d_initial_cell.data();
    }
  }
  Problem(const Problem&) = delete;

  void run_plain() {
    for (int p = 0; p < 2; ++p) {
      reference::recurrent(forward[p], weight.data());
      gradient[p].forward = forward[p];
      reference::recurrent_gradient(gradient[p], weight.data());
    }
  }
  void run_fast(ThreadPool& pool) {
    const PackedMatrix there(pool, weight.data(), width, all, 1, width, dtype_of<T>);
    const PackedMatrix back(pool, weight.data(), all, width, width, 1, dtype_of<T>);
    std::vector<RecurrentArgs<T>> passes(std::begin(forward), std::end(forward));
    for (RecurrentArgs<T>& pass : passes) pass.weight = &there;
    recurrent(pool, std::span<const RecurrentArgs<T>>(passes));
    std::vector<RecurrentGradientArgs<T>> gradients(std::begin(gradient), std::end(gradient));
    for (size_t p = 0; p < passes.size(); ++p) {
      gradients[p].forward = passes[p];
      gradients[p].weight_back = &back;
    }
    recurrent_gradient(pool, std::span<const RecurrentGradientArgs<T>>(gradients));
  }
};

const std::vector<int32_t> kLengths = {5, 1, 0, 9, 3, 3, 7, 2, 5, 5, 1, 4, 8, 0, 6, 6, 2, 3, 9, 1};

// Both directions of a fast run against those of the plain one; what neither wrote is NaN in both.
template <class T>
void expect_as_plain(const Problem<T>& fast_run, const Problem<T>& plain_run) {
  for (int p = 0; p < 2; ++p) {
    SCOPED_TRACE(p == 0 ? "forwards" : "backwards");
    // The error of a step reaches the next ones: nine steps of `width` terms each.
    const double terms = 9.0 * static_cast<double>(fast_run.width);
    const double size = 4;  // bf16: roundings of nine states, each up to 4, add up
    const Results<T>&fast = fast_run.results[p], &slow = plain_run.results[p];
    expect_close(fast.h, slow.h, terms, "h", size);
    expect_close(fast.h_previous, slow.h_previous, terms, "h_previous", size);
    expect_close(fast.saved, slow.saved, terms, "saved", size);
    expect_close(fast.cells, slow.cells, terms, "cells", size);
    expect_close(fast.d_x, slow.d_x, terms, "d_x", size);
    expect_close(fast.d_candidate, slow.d_candidate, terms, "d_candidate", size);
    const auto close = [&](const std::vector<float>& a, const std::vector<float>& b, const char* name) {
      // f32 states of T products: the tolerance is that of T.
      double largest = size;
      for (const float v : b) largest = std::max(largest, std::abs(static_cast<double>(v)));
      for (size_t i = 0; i < b.size(); ++i)
        ASSERT_LE(std::abs(a[i] - b[i]), test::tolerance<T>(largest, terms)) << name << " " << i;
    };
    close(fast.last, slow.last, "last");
    close(fast.d_initial, slow.d_initial, "d_initial");
    if (fast_run.cell == Cell::lstm) {
      close(fast.last_cell, slow.last_cell, "last_cell");
      close(fast.d_initial_cell, slow.d_initial_cell, "d_initial_cell");
    }
    if (testing::Test::HasFatalFailure()) return;
  }
}

template <class T>
class Recurrent : public testing::Test {};
using Types = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(Recurrent, Types);

TYPED_TEST(Recurrent, AgreesWithThePlainOneOnAnyNumberOfThreads) {
  using T = TypeParam;
  on_each_level([&] {
    for (const Cell cell : {Cell::gru, Cell::lstm}) {
      for (const int64_t width : {5, 32, 50}) {
        SCOPED_TRACE(testing::Message() << gates_of(cell) << " gates of " << width);
        Problem<T> plain(cell, width, kLengths), one(cell, width, kLengths);
        plain.run_plain();
        ThreadPool single(1);
        one.run_fast(single);
        expect_as_plain(one, plain);
        if (testing::Test::HasFatalFailure()) return;
        for (const int threads : {2, 3, 7}) {
          ThreadPool pool(threads);
          Problem<T> fast(cell, width, kLengths);
          fast.run_fast(pool);
          ASSERT_TRUE(fast.results[0] == one.results[0] && fast.results[1] == one.results[1]) << threads;
        }
      }
    }
  });
}

// As recurrent.h says of h and d_h: null where the states are not wanted, or have no gradient.
TYPED_TEST(Recurrent, StatesMayBeUnwantedAndWithoutGradient) {
  using T = TypeParam;
  on_each_level([&] {
    ThreadPool pool(2);
    for (const Cell cell : {Cell::gru, Cell::lstm}) {
      constexpr int64_t width = 50;
      Problem<T> whole(cell, width, kLengths);
      whole.run_fast(pool);
      for (const auto& [h, d_h] : {std::pair(false, true), {true, false}, {false, false}}) {
        SCOPED_TRACE(testing::Message() << gates_of(cell) << " gates, h " << h << ", d_h " << d_h);
        Problem<T> fast(cell, width, kLengths), plain(cell, width, kLengths);
        for (Problem<T>* problem : {&fast, &plain}) {
          for (int p = 0; p < 2; ++p) {
            if (!h) problem->forward[p].h = nullptr;
            if (!d_h) problem->gradient[p].d_h = nullptr;
          }
        }
        fast.run_fast(pool);
        plain.run_plain();
        expect_as_plain(fast, plain);
        if (testing::Test::HasFatalFailure()) return;
        for (int p = 0; p < 2; ++p) {
          // The rest is what it is with them.
          EXPECT_EQ(same_bytes(fast.results[p].h, whole.results[p].h), h);
          EXPECT_TRUE(same_bytes(fast.results[p].saved, whole.results[p].saved));
          EXPECT_TRUE(same_bytes(fast.results[p].last, whole.results[p].last));
          EXPECT_EQ(same_bytes(fast.results[p].d_x, whole.results[p].d_x), d_h);
        }
      }
    }
  });
}

TYPED_TEST(Recurrent, ASentenceAloneGivesTheSameBytes) {
  using T = TypeParam;
  on_each_level([&] {
    for (const Cell cell : {Cell::gru, Cell::lstm}) {
      constexpr int64_t width = 32;
      ThreadPool pool(2);
      Problem<T> together(cell, width, kLengths);
      together.run_fast(pool);
      // The first sentence, whose rows and states come first in every array.
      Problem<T> alone(cell, width, {kLengths[0]});
      alone.gates_x.assign(together.gates_x.begin(), together.gates_x.begin() + kLengths[0] * 2 * alone.all);
      alone.d_h.assign(together.d_h.begin(), together.d_h.begin() + kLengths[0] * 2 * width);
      alone.run_fast(pool);
      for (int p = 0; p < 2; ++p) {
        EXPECT_TRUE(starts_with_bytes(together.results[p].h, alone.results[p].h));
        EXPECT_TRUE(starts_with_bytes(together.results[p].last, alone.results[p].last));
        EXPECT_TRUE(starts_with_bytes(together.results[p].d_x, alone.results[p].d_x));
        EXPECT_TRUE(starts_with_bytes(together.results[p].d_initial, alone.results[p].d_initial));
      }
    }
  });
}

}  // namespace
}  // namespace heed::kernels
