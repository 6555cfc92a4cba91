#include "heed/checkpoint/safetensors.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "tests/support/temporary_folder.h"

namespace heed {
namespace {

// A file out of a header's text and the data's.
std::string file_of(const std::string& header, const std::string& data, uint64_t length) {
  std::string file(8, '\0');
  for (size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(length >> (8 * i));
  return file + header + data;
}
std::string file_of(const std::string& header, const std::string& data) {
  return file_of(header, data, header.size());
}

std::string error_of(const std::string& file) {
  try {
    SafetensorsFile::parse(std::as_bytes(std::span(file)), "x");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

TEST(Safetensors, ReadsWhatItWrites) {
  const TemporaryFolder folder;
  const std::array<float, 6> weights = {1, 2, 3, 4, 5, 6};
  const std::array<int64_t, 1> count = {7};
  const std::array<uint8_t, 3> bytes = {1, 2, 3};
  const TensorViews tensors = {{"b.weight", {"F32", {2, 3}, std::as_bytes(std::span(weights))}},
                               {"a \"bytes\" ä", {"U8", {3}, std::as_bytes(std::span(bytes))}},
                               {"count", {"I64", {}, std::as_bytes(std::span(count))}},
                               {"nothing", {"BF16", {0, 4}, {}}}};
  const Metadata metadata = {{"format", "1"}, {"note", "two\nlines"}};
  write_safetensors(folder.path("m"), tensors, metadata);
  const SafetensorsFile file = SafetensorsFile::open(folder.path("m"));
  EXPECT_EQ(file.metadata(), metadata);
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const auto& [name, view] : tensors) {
    const TensorView& read = file.at(name);
    EXPECT_EQ(read.dtype, view.dtype);
    EXPECT_EQ(read.shape, view.shape);
    ASSERT_EQ(read.bytes.size(), view.bytes.size());
    EXPECT_TRUE(std::equal(read.bytes.begin(), read.bytes.end(), view.bytes.begin()));
    if (!read.bytes.empty()) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(read.bytes.data()) % safetensors_dtype_size(read.dtype), 0u);
    }
  }
  EXPECT_THROW(file.at("c"), InputError);
}

TEST(Safetensors, SameTensorsGiveTheSameBytes) {
  const TemporaryFolder folder;
  const std::string data = "abcd";
  const TensorViews tensors = {{"a", {"U8", {4}, std::as_bytes(std::span(data))}}};
  write_safetensors(folder.path("m"), tensors, {});
  const std::string header = R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})";
  EXPECT_EQ(read_file(folder.path("m")), file_of(header + "   ", "abcd"));
}

TEST(Safetensors, CopyKeepsTheFileOpen) {
  const TemporaryFolder folder;
  const std::string data = "abcd";
  write_safetensors(folder.path("m"), {{"a", {"U8", {4}, std::as_bytes(std::span(data))}}});
  SafetensorsFile copy;
  {
    const SafetensorsFile file = SafetensorsFile::open(folder.path("m"));
    copy = file;
  }
  EXPECT_EQ(copy.at("a").bytes[3], std::byte{'d'});
}

TEST(Safetensors, AcceptsGoodFiles) {
  EXPECT_EQ(error_of(file_of("{}", "")), "no error");
  EXPECT_EQ(error_of(file_of("{}      ", "")), "no error");
  EXPECT_EQ(error_of(file_of(one("F32", "[]", "[0,4]"), "abcd")), "no error");
  EXPECT_EQ(error_of(file_of(one("F32", "[0,9]", "[0,0]"), "")), "no error");
}

TEST(Safetensors, RefusesBrokenLengths) {
  EXPECT_EQ(error_of(""), "x: 0 bytes are too few for a safetensors file");
  EXPECT_EQ(error_of("1234567"), "x: 7 bytes are too few for a safetensors file");
  EXPECT_EQ(error_of(file_of("{}", "", 3)), "x: cut short: its header has 3 bytes, the file only 10");
  EXPECT_EQ(
      error_of(file_of("{}", "", UINT64_MAX)),
      "x: not a safetensors file: a header of 18446744073709551615 bytes, at most 100000000 are allowed");
}

TEST(Safetensors, RefusesBrokenHeaders) {
  EXPECT_NE(error_of(file_of("", "")).find("x: its header is not valid JSON"), std::string::npos);
  EXPECT_NE(error_of(file_of("{\"a\":", "")).find("x: its header is not valid JSON"), std::string::npos);
  EXPECT_NE(error_of(file_of("{\"\xff\":{}}", "")).find("x: its header is not valid JSON"),
            std::string::npos);
  EXPECT_EQ(error_of(file_of("[]", "")), "x: its header is not a JSON object");
  EXPECT_EQ(error_of(file_of("7", "")), "x: its header is not a JSON object");
  EXPECT_EQ(error_of(file_of(std::string(100000, '['), "")), "x: its header is nested more than 4 deep");
  EXPECT_EQ(error_of(file_of(R"({"__metadata__":[]})", "")), "x: its metadata is not a JSON object");
  EXPECT_EQ(error_of(file_of(R"({"__metadata__":{"a":1}})", "")), "x: its metadata \"a\" is not a text");
  const std::string entry = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  EXPECT_EQ(error_of(file_of("{\"a\":" + entry + ",\"a\":" + entry + "}", "")),
            "x: its header names \"a\" twice");
  EXPECT_EQ(error_of(file_of(R"({"a":5})", "")),
            "x: tensor \"a\": expected dtype, shape and data_offsets, nothing else");
}

TEST(Safetensors, RefusesBrokenTensors) {
  EXPECT_EQ(error_of(file_of(one("F33", "[1]", "[0,4]"), "abcd")), "x: tensor \"a\": unknown dtype \"F33\"");
  EXPECT_EQ(error_of(file_of(one("F32", "[-1]", "[0,4]"), "abcd")),
            "x: tensor \"a\": its lengths must be whole numbers from 0");
  EXPECT_EQ(error_of(file_of(one("F32", "[1.0]", "[0,4]"), "abcd")),
            "x: tensor \"a\": its lengths must be whole numbers from 0");
  EXPECT_EQ(error_of(file_of(one("F32", "[18446744073709551615]", "[0,4]"), "abcd")),
            "x: tensor \"a\": its lengths must be whole numbers from 0");
  EXPECT_EQ(error_of(file_of(one("F32", "[4294967296,4294967296]", "[0,4]"), "abcd")),
            "x: tensor \"a\": its shape has more elements than can be counted");
  EXPECT_EQ(error_of(file_of(one("F32", "[2]", "[0,4]"), "abcd")),
            "x: tensor \"a\": 4 bytes of data, but its shape and F32 need 8");
  EXPECT_EQ(error_of(file_of(one("F32", "[1]", "[0,4]"), "abc")),
            "x: tensor \"a\": its data at 0 to 4 is not inside the 3 bytes of data; is the file cut short?");
  EXPECT_EQ(error_of(file_of(one("F32", "[1]", "[4,0]"), "abcd")),
            "x: tensor \"a\": its data at 4 to 0 is not inside the 4 bytes of data; is the file cut short?");
  EXPECT_EQ(error_of(file_of(one("F32", "[1]", "[0]"), "abcd")),
            "x: tensor \"a\": its data_offsets must be two numbers");
}

TEST(Safetensors, RefusesOverlapsGapsAndTrailingBytes) {
  const auto two = [](const std::string& first, const std::string& second) {
    return R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + first +
           R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + second + "}}";
  };
  EXPECT_EQ(error_of(file_of(two("[2,4]", "[0,2]"), "abcd")), "no error");
  EXPECT_EQ(error_of(file_of(two("[0,2]", "[1,3]"), "abc")), "x: its tensors overlap at byte 1 of the data");
  EXPECT_EQ(error_of(file_of(two("[0,2]", "[0,2]"), "ab")), "x: its tensors overlap at byte 0 of the data");
  EXPECT_EQ(error_of(file_of(two("[0,2]", "[3,5]"), "abcde")),
            "x: its tensors leave a gap at byte 2 of the data");
  EXPECT_EQ(error_of(file_of(two("[0,2]", "[2,4]"), "abcde")), "x: 1 bytes after the last tensor");
}

TEST(Safetensors, WriterRefusesWrongSizes) {
  const TemporaryFolder folder;
  const std::string data = "abcd";
  const auto bytes = std::as_bytes(std::span(data));
  EXPECT_THROW(write_safetensors(folder.path("m"), {{"a", {"F32", {2}, bytes}}}), Error);
  EXPECT_THROW(write_safetensors(folder.path("m"), {{"a", {"F31", {1}, bytes}}}), Error);
  EXPECT_TRUE(list_folder(folder.path()).empty());
}

}  // namespace
}  // namespace heed
