// The weights of a model, and where it draws random numbers: made, named, initialised and listed in one
// place.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "heed/autograd/parameter.h"
#include "heed/ops/dropout.h"

namespace heed {

// How a new weight is filled. Every value is a function of (seed, name, index), so that what one layer starts
// from does not depend on the layers around it.
struct Initial {
  enum class Kind { constant, uniform, normal };
  Kind kind = Kind::constant;
  double size = 0.0;  // the constant, the bound of the uniform, the standard deviation

  static Initial constant(double value) { return {Kind::constant, value}; }
  static Initial uniform(double bound) { return {Kind::uniform, bound}; }
  static Initial normal(double deviation) { return {Kind::normal, deviation}; }
  // Glorot & Bengio 2010, eq. 16: uniform within sqrt(6 / (fan_in + fan_out)).
  static Initial xavier(int64_t fan_in, int64_t fan_out);
};

// What training keeps beside the weights, of its own accord and not by gradients: running statistics.
struct Buffer {
  std::string name;
  Tensor value;  // f32 on the heap; copies share it
};

class ParameterStore {
 public:
  // Without a seed weights are left as they are: they will be loaded.
  explicit ParameterStore(std::optional<uint64_t> seed) : seed_(seed) {}

  // Throws Error when the name is taken. The reference stays valid as long as the store.
  Parameter& add(std::string name, Shape shape, Initial initial);

  // The same, for a buffer, which starts from `value`. What is returned shares the buffer's memory.
  Tensor add_buffer(std::string name, Shape shape, float value);

  // Where the model drops out. Throws Error when the name is taken: two sites would draw the same numbers.
  DropoutSite dropout_site(std::string name, double probability);

  const std::vector<std::unique_ptr<Parameter>>& all() const { return parameters_; }
  const std::vector<Buffer>& buffers() const { return buffers_; }
  // All that a model's file holds, weights first: names, and memory that is shared with the model.
  std::vector<Buffer> saved() const;
  // Null when there is none of that name.
  Parameter* find(std::string_view name) const;
  int64_t count() const;  // numbers in all of them

 private:
  void require_new(const std::string& name) const;

  std::optional<uint64_t> seed_;
  std::vector<std::unique_ptr<Parameter>> parameters_;
  std::vector<Buffer> buffers_;
  std::set<std::string> sites_;
};

}  // namespace heed
