#include "heed/nn/parameters.h"

#include <algorithm>
#include <cmath>

#include "heed/base/text_key.h"

namespace heed {

Initial Initial::xavier(int64_t fan_in, int64_t fan_out) {
  return uniform(std::sqrt(6.0 / static_cast<double>(fan_in + fan_out)));
}

namespace {

void fill(Tensor& value, const std::string& name, uint64_t seed, const Initial& initial) {
  const uint64_t key = key_of_text(name, mix64(seed));
  float* numbers = value.data<float>();
  for (int64_t i = 0; i < value.size(); ++i) {
    double number = initial.size;
    if (initial.kind == Initial::Kind::uniform) number *= 2.0 * uniform(key, static_cast<uint64_t>(i)) - 1.0;
    if (initial.kind == Initial::Kind::normal) number *= normal(key, static_cast<uint64_t>(i));
    numbers[i] = static_cast<float>(number);
  }
}

}  // namespace

Parameter& ParameterStore::add(std::string name, Shape shape, Initial initial) {
  require_new(name);
  Tensor value = Tensor::empty(shape);
  if (seed_) fill(value, name, *seed_, initial);
  return *parameters_.emplace_back(std::make_unique<Parameter>(std::move(name), value));
}

Tensor ParameterStore::add_buffer(std::string name, Shape shape, float value) {
  require_new(name);
  Tensor buffer = Tensor::empty(shape);
  std::fill_n(buffer.data<float>(), buffer.size(), value);
  buffers_.push_back({std::move(name), buffer});
  return buffer;
}

DropoutSite ParameterStore::dropout_site(std::string name, double probability) {
  const DropoutSite site(name, probability);
  require(sites_.insert(name).second, "two places that drop out are called {}", name);
  return site;
}

std::vector<Buffer> ParameterStore::saved() const {
  std::vector<Buffer> saved;
  for (const auto& parameter : parameters_) saved.push_back({parameter->name(), parameter->value()});
  saved.insert(saved.end(), buffers_.begin(), buffers_.end());
  return saved;
}

void ParameterStore::require_new(const std::string& name) const {
  const auto is_called_so = [&](const Buffer& buffer) { return buffer.name == name; };
  require(find(name) == nullptr && std::none_of(buffers_.begin(), buffers_.end(), is_called_so),
          "two parameters are called {}", name);
}

Parameter* ParameterStore::find(std::string_view name) const {
  for (const auto& parameter : parameters_) {
    if (parameter->name() == name) return parameter.get();
  }
  return nullptr;
}

int64_t ParameterStore::count() const {
  int64_t count = 0;
  for (const auto& parameter : parameters_) count += parameter->value().size();
  return count;
}

}  // namespace heed
