#include "heed/tensor/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace heed {
namespace {

constexpr int64_t kSmallest = 256;  // bytes of the first size class; a power of two, 64 or more
constexpr int kPerOctave = 8;       // size classes
constexpr int64_t kChunk = int64_t{1} << 24;
constexpr int64_t kLarge = int64_t{1} << 26;  // bytes of a chunk from which on large pages pay

// Class c holds blocks of kSmallest * 2^(c / n) * (1 + (c % n) / n) bytes, where n is kPerOctave.
int class_of(int64_t bytes) {
  if (bytes <= kSmallest) return 0;
  const int octave = std::bit_width(static_cast<uint64_t>(bytes - 1)) - std::bit_width(uint64_t{kSmallest});
  const int64_t base = kSmallest << octave;
  const int64_t part = base / kPerOctave;
  return kPerOctave * octave + static_cast<int>((bytes - base + part - 1) / part);
}

int64_t bytes_of_class(int size_class) {
  const int64_t base = kSmallest << (size_class / kPerOctave);
  return (base + base / kPerOctave * (size_class % kPerOctave) + 63) / 64 * 64;
}

}  // namespace

class ArenaStorage final : public Storage {
 public:
  ArenaStorage(Arena& arena, Arena::Block block)
      : Storage(block.bytes, arena.epoch_.get()), epoch_(arena.epoch_), arena_(&arena), block_(block) {}
  ~ArenaStorage() override {
    if (!is_stale()) arena_->give_back(block_);
  }

 private:
  std::shared_ptr<uint64_t> epoch_;
  Arena* arena_;
  Arena::Block block_;
};

Arena::Arena() = default;

Arena::~Arena() {
  ++*epoch_;
  release_chunks();
}

Tensor Arena::allocate(Shape shape, DType dtype) {
  const int64_t bytes = shape.size() * size_of(dtype);
  const int size_class = class_of(bytes);
  require(size_class < kClasses, "a tensor of shape {} does not fit into memory", shape.to_string());
  const Block block = take(size_class);
  if (fill_with_nan_) std::memset(block.bytes, 0xFF, static_cast<size_t>(bytes_of_class(block.size_class)));
  return Tensor(std::make_shared<ArenaStorage>(*this, block), shape, dtype);
}

Arena::Block Arena::take(int size_class) {
  // What was given back may be up to four times too large: a step asks for many sizes, and whatever lies idle
  // is better than more. (An update of base in f32 then takes 860 MB instead of 990, where 840 are in use.)
  const int last = std::min(size_class + 2 * kPerOctave, kClasses - 1);
  for (int c = size_class; c <= last; ++c) {
    if (free_[c].empty()) continue;
    const Block block{free_[c].back(), c};
    free_[c].pop_back();
    return block;
  }
  const int64_t bytes = bytes_of_class(size_class);
  if (chunks_.empty() || used_in_last_ + bytes > chunks_.back().size) add_chunk(bytes);
  const Block block{chunks_.back().bytes + used_in_last_, size_class};
  used_in_last_ += bytes;
  return block;
}

void Arena::add_chunk(int64_t at_least) {
  // Growing by a quarter of what there is keeps the number of chunks small and the waste bounded.
  const int64_t size = (std::max({at_least, kChunk, reserved_bytes() / 4}) + kChunk - 1) / kChunk * kChunk;
  void* memory =
      mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  // Hundreds of megabytes in pages of 4 KB cost a fault each; where large pages are not to be had, nothing is
  // lost.
  if (size >= kLarge) static_cast<void>(madvise(memory, static_cast<size_t>(size), MADV_HUGEPAGE));
  chunks_.push_back({static_cast<std::byte*>(memory), size});
  used_in_last_ = 0;
}

void Arena::release_chunks() {
  for (const Chunk& chunk : chunks_) munmap(chunk.bytes, static_cast<size_t>(chunk.size));
  chunks_.clear();
}

void Arena::reset() {
  ++*epoch_;
  for (std::vector<std::byte*>& blocks : free_) blocks.clear();
  if (chunks_.size() > 1) {  // the next step finds all of it in one piece
    const int64_t size = reserved_bytes();
    release_chunks();
    add_chunk(size);
  }
  used_in_last_ = 0;
}

int64_t Arena::reserved_bytes() const {
  int64_t bytes = 0;
  for (const Chunk& chunk : chunks_) bytes += chunk.size;
  return bytes;
}

}  // namespace heed
