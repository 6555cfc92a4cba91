// Writing JSON without a heavy header. Texts are escaped, what is not UTF-8 in them becomes U+FFFD; numbers
// are the shortest that read back the same; infinities and NaN, which JSON lacks, become null.
//
//   JsonWriter json;
//   json.begin_object().field("update", 5).key("losses").begin_array().value(2.5).end_array().end_object();
//   json.text()  // {"update":5,"losses":[2.5]}
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace heed {

// Text that is JSON already.
struct JsonText {
  std::string text;
};

class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);
  JsonWriter& value(bool truth);
  JsonWriter& value(const JsonText& json) { return literal(json.text); }
  template <std::integral Integer>
  JsonWriter& value(Integer number) {
    return literal(std::to_string(number));
  }

  template <class Value>
  JsonWriter& field(std::string_view name, const Value& field_value) {
    return key(name).value(field_value);
  }

  const std::string& text() const { return text_; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& literal(std::string_view words);
  void separate();

  std::string text_;
  bool first_ = true;  // nothing before this in its object or array
  bool after_key_ = false;
};

}  // namespace heed
