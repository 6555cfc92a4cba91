#include "heed/base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace heed {
namespace {

TEST(JsonWriter, NestsAndSeparates) {
  JsonWriter json;
  json.begin_object().field("a", 5).key("b").begin_array().value(1.5).begin_object().end_object();
  json.begin_array().end_array().value("x").end_array().field("c", true).end_object();
  EXPECT_EQ(json.text(), R"({"a":5,"b":[1.5,{},[],"x"],"c":true})");
}

TEST(JsonWriter, TextsAreEscapedAndAlwaysUtf8) {
  JsonWriter json;
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  json.begin_array().value(all + "ä€").value("a\xff\xc3").end_array();
  const auto parsed = nlohmann::json::parse(json.text());
  EXPECT_EQ(parsed[0], all + "ä€");
  EXPECT_EQ(parsed[1], "a\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(JsonWriter, NumbersReadBackTheSame) {
  for (const double number : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 1e22}) {
    JsonWriter json;
    json.value(number);
    EXPECT_EQ(nlohmann::json::parse(json.text()).get<double>(), number) << json.text();
  }
  JsonWriter json;
  json.begin_array().value(NAN).value(-INFINITY).value(INT64_MIN).value(UINT64_MAX).end_array();
  EXPECT_EQ(json.text(), "[null,null,-9223372036854775808,18446744073709551615]");
}

}  // namespace
}  // namespace heed
