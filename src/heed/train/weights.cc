#include "heed/train/weights.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>

#include "heed/base/text_util.h"

namespace heed {
namespace {

TensorView view_of(const Tensor& tensor) {
  const auto extents = tensor.shape().extents();
  return {"F32",
          {extents.begin(), extents.end()},
          {reinterpret_cast<const std::byte*>(tensor.data<float>()), static_cast<size_t>(tensor.size()) * 4}};
}

// A file may say anything, also what no Shape can hold.
std::string shape_text(const std::vector<int64_t>& extents) {
  std::vector<std::string> words;
  for (const int64_t extent : extents) words.push_back(std::to_string(extent));
  return "[" + joined(words) + "]";
}

// The f32 numbers of a tensor in a file, which must be shaped as the parameter is.
const TensorView& matching(const SafetensorsFile& file, const std::string& name, const Shape& shape) {
  const TensorView& view = file.at(name);
  const auto extents = shape.extents();
  if (view.dtype != "F32" ||
      !std::equal(view.shape.begin(), view.shape.end(), extents.begin(), extents.end())) {
    fail_input("{}: {} is {} of shape {}, this model needs F32 of shape {}", file.name(), name, view.dtype,
               shape_text(view.shape), shape.to_string());
  }
  return view;
}

}  // namespace

TensorViews weight_views(const ParameterStore& parameters) {
  TensorViews views;
  for (const auto& [name, value] : parameters.saved()) views[name] = view_of(value);
  return views;
}

TensorViews moment_views(const ParameterStore& parameters, const Adam& adam) {
  TensorViews views;
  for (size_t i = 0; i < parameters.all().size(); ++i) {
    views["m." + parameters.all()[i]->name()] = view_of(adam.first_moments()[i]);
    views["v." + parameters.all()[i]->name()] = view_of(adam.second_moments()[i]);
  }
  return views;
}

void load_weights(const SafetensorsFile& file, ParameterStore& parameters) {
  std::set<std::string_view> names;
  const std::vector<Buffer> saved = parameters.saved();
  for (const auto& [name, value] : saved) {
    const TensorView& view = matching(file, name, value.shape());
    std::memcpy(value.data<float>(), view.bytes.data(), view.bytes.size());
    names.insert(name);
  }
  for (const auto& parameter : parameters.all()) parameter->forget_packed();
  for (const auto& [name, view] : file.tensors())
    if (!names.contains(name)) fail_input("{}: this model has no tensor {}", file.name(), name);
}

void load_moments(const SafetensorsFile& file, const ParameterStore& parameters, const Adam& adam) {
  for (size_t i = 0; i < parameters.all().size(); ++i) {
    const Parameter& parameter = *parameters.all()[i];
    const TensorView& m = matching(file, "m." + parameter.name(), parameter.shape());
    const TensorView& v = matching(file, "v." + parameter.name(), parameter.shape());
    std::memcpy(adam.first_moments()[i].data<float>(), m.bytes.data(), m.bytes.size());
    std::memcpy(adam.second_moments()[i].data<float>(), v.bytes.data(), v.bytes.size());
  }
}

void load_average(const ModelFolder& folder, const std::vector<int64_t>& updates,
                  ParameterStore& parameters) {
  require(!updates.empty(), "the average of no checkpoints");
  std::vector<std::vector<double>> sums;
  const std::vector<Buffer> saved = parameters.saved();
  for (const Buffer& tensor : saved) sums.emplace_back(static_cast<size_t>(tensor.value.size()), 0.0);
  for (const int64_t update : updates) {
    load_weights(folder.open_checkpoint(update).weights, parameters);
    for (size_t i = 0; i < sums.size(); ++i) {
      const float* values = saved[i].value.data<float>();
      for (size_t j = 0; j < sums[i].size(); ++j) sums[i][j] += values[j];
    }
  }
  for (size_t i = 0; i < sums.size(); ++i) {
    float* values = saved[i].value.data<float>();
    for (size_t j = 0; j < sums[i].size(); ++j) {
      values[j] = static_cast<float>(sums[i][j] / static_cast<double>(updates.size()));
    }
  }
  for (const auto& parameter : parameters.all()) parameter->forget_packed();
}

}  // namespace heed
