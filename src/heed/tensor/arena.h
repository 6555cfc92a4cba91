// Step memory: tensors of one training or decoding step come from here and are all taken back at once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "heed/tensor/tensor.h"

namespace heed {

// Blocks given back while a step runs are handed out again, while still in cache, to requests of their size
// class (eight classes an octave) or, where there is none, of a smaller one; reset() takes back everything
// and bumps the epoch, so that a tensor kept by mistake throws when it is read. In a steady state nothing is
// asked of the operating system. Not thread-safe: ops run on one thread, only kernels on several.
class Arena {
 public:
  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Contents unspecified: what an earlier step left, or NaN when fill_with_nan is on.
  Tensor allocate(Shape shape, DType dtype);
  void reset();

  int64_t reserved_bytes() const;
  // Tests turn this on to see whether anything reads memory that was never written.
  void fill_with_nan(bool on) { fill_with_nan_ = on; }

 private:
  friend class ArenaStorage;
  struct Chunk {
    std::byte* bytes = nullptr;
    int64_t size = 0;
  };
  struct Block {
    std::byte* bytes = nullptr;
    int size_class = 0;  // how large it is
  };
  static constexpr int kClasses = 8 * 48;

  Block take(int size_class);
  void give_back(Block block) { free_[block.size_class].push_back(block.bytes); }
  void add_chunk(int64_t at_least);
  void release_chunks();

  std::vector<Chunk> chunks_;
  int64_t used_in_last_ = 0;
  std::array<std::vector<std::byte*>, kClasses> free_;
  // Shared with the storages, which may outlive the arena.
  std::shared_ptr<uint64_t> epoch_ = std::make_shared<uint64_t>(1);
  bool fill_with_nan_ = false;
};

}  // namespace heed
