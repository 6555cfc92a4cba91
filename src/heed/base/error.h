// Errors of heed. The library throws; only cli/ prints and exits.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace heed {

// Something failed while heed was doing what it was asked: a training diverged, or what heed relies on does
// not hold (exit code 1).
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What the user gave is wrong: a configuration, a text, a model folder, a place where a file cannot be read
// or written (exit code 2). The message names the file and line where there is one, says what was found, what
// was expected and what to do.
class InputError : public Error {
 public:
  using Error::Error;
};

// The user interrupted the work; what was done is saved (exit code 130).
class Interrupted : public Error {
 public:
  using Error::Error;
};

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
[[noreturn]] void fail_input(fmt::format_string<Args...> format, Args&&... args) {
  throw InputError(fmt::format(format, std::forward<Args>(args)...));
}

// For conditions that hold unless heed itself, or a program using the library, is wrong: shapes, states.
template <class... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) [[unlikely]]
    fail(format, std::forward<Args>(args)...);
}

}  // namespace heed
