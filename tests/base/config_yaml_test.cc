#include "heed/base/config_yaml.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "heed/base/error.h"
#include "tests/support/sample_config.h"

namespace heed {
namespace {

SampleConfig read(std::string_view text, const std::vector<std::string>& overrides = {}) {
  SampleConfig config;
  read_yaml(text, "my.yaml", config, overrides);
  return config;
}

std::string error_of(std::string_view text, const std::vector<std::string>& overrides = {}) {
  try {
    read(text, overrides);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ConfigYaml, ReadsEveryKind) {
  const SampleConfig config = read(
      "seed: -7\n"
      "data:\n"
      "  train: [a.gz, 'b c']\n"
      "  name: 12\n"
      "model: {type: rnn, cell: lstm}\n"
      "train:\n"
      "  rate: 3e-3\n"
      "  shuffle: false\n");
  EXPECT_EQ(config.seed, -7);
  EXPECT_EQ(config.data.train, (std::vector<std::string>{"a.gz", "b c"}));
  EXPECT_EQ(config.data.name, "12");
  EXPECT_EQ(config.model.type, SampleModel::Type::rnn);
  EXPECT_EQ(config.model.cell, SampleModel::Cell::lstm);
  EXPECT_EQ(config.train.rate, 3e-3);
  EXPECT_FALSE(config.train.shuffle);
  EXPECT_EQ(config.train.clip, 1.0);  // not in the file: as it was
}

TEST(ConfigYaml, EmptyTextAndEmptyGroupChangeNothing) {
  const std::string defaults = write_yaml(SampleConfig{});
  EXPECT_EQ(write_yaml(read("")), defaults);
  EXPECT_EQ(write_yaml(read("# nothing here\n")), defaults);
  EXPECT_EQ(write_yaml(read("model:\ntrain: {}\n")), defaults);
}

TEST(ConfigYaml, ListOfOneNeedsNoBrackets) {
  EXPECT_EQ(read("data: {train: a.gz}").data.train, std::vector<std::string>{"a.gz"});
}

TEST(ConfigYaml, UnknownKeyNamesTheNearest) {
  EXPECT_EQ(
      error_of("seed: 1\nmodel:\n  type: transformer\n  widht: 5\n"),
      "my.yaml:4: unknown key model.widht. Did you mean model.width? (heed train --help model lists them)");
  EXPECT_EQ(error_of("modle: {width: 5}"),
            "my.yaml:1: unknown key modle. Did you mean model? (heed train --help lists them)");
  EXPECT_EQ(error_of("width: 5"),
            "my.yaml:1: unknown key width. Did you mean model.width? (heed train --help model lists them)");
  EXPECT_EQ(error_of("model: {zzzzzz: 5}"),
            "my.yaml:1: unknown key model.zzzzzz. (heed train --help model lists them)");
}

TEST(ConfigYaml, UnknownKeyOfAKnownGroupIsLeftInIt) {
  EXPECT_EQ(error_of("model: {shufle: true}"),
            "my.yaml:1: unknown key model.shufle. (heed train --help model lists them)");
  EXPECT_EQ(
      error_of("model: {shuffle: true}"),
      "my.yaml:1: unknown key model.shuffle. Did you mean train.shuffle? (heed train --help train lists "
      "them)");
}

TEST(ConfigYaml, KeyWithDotsIsToldWhereItStands) {
  EXPECT_EQ(error_of("train.rate: 3"),
            "my.yaml:1: unknown key train.rate. In a file a key stands in its group: train: {rate: 3} (heed "
            "train --help train lists them)");
  for (const auto& [line, expected] : {std::pair("model.widht: 3", ": model: {width: 3} ("),
                                       std::pair("data.name: 'true'", ": data: {name: \"true\"} ("),
                                       std::pair("data.name: a, b", ": data: {name: \"a, b\"} ("),
                                       std::pair("data.train: [a, b]", ": data: {train: ...} (")})
    EXPECT_NE(error_of(line).find(expected), std::string::npos) << error_of(line);
}

TEST(ConfigYaml, KeyOfAnotherTypeIsSaidToBe) {
  EXPECT_EQ(error_of("model: {type: rnn, heads: 5}"),
            "my.yaml:1: model.heads belongs to model.type transformer, but model.type is rnn here; leave "
            "model.heads out or change model.type");
  EXPECT_EQ(error_of("model: {heads: 5}", {"model.type=rnn"}).find("my.yaml:1: model.heads belongs to "), 0u);
  EXPECT_EQ(error_of("model: {cell: gru}").find("my.yaml:1: model.cell belongs to model.type rnn, but"), 0u);
}

TEST(ConfigYaml, WrongTypeSaysWhatWasFoundAndWhatIsExpected) {
  EXPECT_EQ(error_of("seed: many"), "my.yaml:1: seed: found \"many\", expected a whole number");
  EXPECT_EQ(error_of("seed: 1.5"), "my.yaml:1: seed: found \"1.5\", expected a whole number");
  EXPECT_EQ(error_of("seed: '1'"),
            "my.yaml:1: seed: found the text \"1\" in quotes, expected a whole number");
  EXPECT_EQ(error_of("\n\nseed:"), "my.yaml:3: seed: found nothing, expected a whole number");
  EXPECT_EQ(error_of("seed: [1]"), "my.yaml:1: seed: found a list, expected a whole number");
  EXPECT_EQ(error_of("train: {shuffle: 1}"), "my.yaml:1: train.shuffle: found \"1\", expected true or false");
  EXPECT_EQ(error_of("data: {name: {a: b}}"),
            "my.yaml:1: data.name: found a group of keys, expected a text (\"\" for an empty one)");
  EXPECT_EQ(error_of("data: {train: {a: b}}"),
            "my.yaml:1: data.train: found a group of keys, expected a list of texts, as [a, b]");
  EXPECT_EQ(error_of("model: 5"), "my.yaml:1: model: found \"5\", expected a group of keys");
  EXPECT_EQ(error_of("- a\n- b"),
            "my.yaml:1: found a list, expected keys and values, as in \"model: {width: 256}\"");
}

TEST(ConfigYaml, OutOfRangeSaysTheBounds) {
  EXPECT_EQ(error_of("model:\n  width: 0\n"),
            "my.yaml:2: model.width: found \"0\", expected a whole number of at least 1");
  EXPECT_EQ(error_of("model:\n  dropout: 1.5\n"),
            "my.yaml:2: model.dropout: found \"1.5\", expected a number between 0 and 1");
  EXPECT_EQ(error_of("model: {dropout: .nan}"),
            "my.yaml:1: model.dropout: found \".nan\", expected a number between 0 and 1");
  EXPECT_EQ(error_of("train: {rate: nan}"), "my.yaml:1: train.rate: found \"nan\", expected a number");
  EXPECT_EQ(error_of("seed: 9223372036854775808"),
            "my.yaml:1: seed: found \"9223372036854775808\", expected a whole number");
  EXPECT_EQ(error_of("train: {rate: 1e999}"), "my.yaml:1: train.rate: found \"1e999\", expected a number");
}

TEST(ConfigYaml, UnknownChoiceNamesTheNearest) {
  EXPECT_EQ(error_of("model:\n  type: transfomer\n"),
            "my.yaml:2: model.type: found \"transfomer\", expected one of transformer, rnn. Did you mean "
            "transformer?");
}

TEST(ConfigYaml, RepeatedKeyIsRefused) {
  EXPECT_EQ(error_of("model:\n  width: 1\n  width: 2\n"),
            "my.yaml:3: the key \"width\" is here a second time; remove one of them");
}

TEST(ConfigYaml, BrokenYamlNamesTheLine) {
  EXPECT_EQ(error_of("seed: 1\nmodel: [a, b\n").find("my.yaml:"), 0u);
  EXPECT_NE(error_of("seed: 1\nmodel: {a: b]\n").find("my.yaml:2: not valid YAML: "), std::string::npos);
  EXPECT_NE(error_of("seed: 1\n\tmodel: 2\n").find("my.yaml:2"), std::string::npos);
}

TEST(ConfigYaml, HostileTextIsRefused) {
  EXPECT_NE(error_of("a: &x [1]\nb: *x\n").find("my.yaml:1: anchors and aliases"), std::string::npos);
  EXPECT_NE(error_of("b: *x\n").find("my.yaml:1"), std::string::npos);
  EXPECT_NE(error_of("seed: !!python/object 1\n").find("my.yaml:1: tags"), std::string::npos);
  EXPECT_NE(error_of("a: 1\n---\na: 2\n").find("a second document begins here"), std::string::npos);
  EXPECT_NE(error_of("a: " + std::string(100, '[') + std::string(100, ']')).find("nested more than 16 deep"),
            std::string::npos);
  EXPECT_NE(error_of("a: " + std::string(100000, '[')).find("my.yaml:1"), std::string::npos);
  EXPECT_NE(error_of("{" + std::string(100, '{')).find("my.yaml:1"), std::string::npos);
  EXPECT_NE(error_of(std::string("seed: 1\nx: \0", 12)).find("my.yaml:2: a control character"),
            std::string::npos);
  EXPECT_NE(error_of("seed: 1\nx: \xff\n").find("my.yaml:2: not valid UTF-8 (byte 0xff)"), std::string::npos);
  EXPECT_NE(error_of(std::string(1000000, '#')).find("more than the 262144 that a configuration may have"),
            std::string::npos);
}

TEST(ConfigYaml, OverrideComesAfterTheFile) {
  const SampleConfig config =
      read("seed: 1\nmodel: {width: 5}\n",
           {"model.width=6", "data.train=[x, y]", "data.name=a: b #c", "train.rate=0.5", "model.dropout=0"});
  EXPECT_EQ(config.seed, 1);
  EXPECT_EQ(config.model.width, 6);
  EXPECT_EQ(config.data.train, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(config.data.name, "a: b #c");
  EXPECT_EQ(config.train.rate, 0.5);
}

TEST(ConfigYaml, ErrorsOfOverridesSaySet) {
  EXPECT_EQ(
      error_of("", {"model.widht=256"}),
      "--set model.widht=256: unknown key model.widht. Did you mean model.width? (heed train --help model "
      "lists them)");
  EXPECT_EQ(error_of("", {"model.width=0"}),
            "--set model.width=0: model.width: found \"0\", expected a whole number of at least 1");
  EXPECT_EQ(error_of("model:\n  width: 5\n", {"model.width.x=5"}),
            "--set model.width.x=5: model.width: found a group of keys, expected a whole number");
  EXPECT_EQ(error_of("", {"seed"}), "--set seed: expected key=value, as in model.width=256");
  EXPECT_EQ(error_of("", {"=5"}), "--set =5: expected the name of a key before =, as in model.width=256");
  EXPECT_NE(error_of("", {"data.train=[x"})
                .find("--set data.train=[x: expected the name of a key (is a bracket not closed?)"),
            std::string::npos);
}

TEST(ConfigYaml, WritesEveryKeyInOrder) {
  EXPECT_EQ(write_yaml(SampleConfig{}),
            "seed: 1\n"
            "data:\n"
            "  train: []\n"
            "  name: \"\"\n"
            "model:\n"
            "  type: transformer\n"
            "  width: 512\n"
            "  dropout: 0.1\n"
            "  heads: 8\n"
            "train:\n"
            "  rate: 0.0003\n"
            "  clip: 1\n"
            "  shuffle: true\n");
}

TEST(ConfigYaml, WhatIsWrittenReadsBackExactly) {
  const double numbers[] = {0.1,  1.0 / 3,  1e-300, 5e-324, std::numeric_limits<double>::max(),
                            -0.0, INFINITY, 1e22,   3e-5,   std::nextafter(1.0, 2.0)};
  for (const double number : numbers) {
    SampleConfig config;
    config.train.rate = number;
    const SampleConfig again = read(write_yaml(config));
    EXPECT_EQ(std::signbit(again.train.rate), std::signbit(number));
    EXPECT_EQ(again.train.rate, number);
  }
  const std::string texts[] = {
      "",   " ",     "true",   "~",        "null",         "12", "a b",  "- a",       "a: b",
      "#",  "\"\\'", "a\nb\t", "\x01\x7f", "ä€𝄞",          "*x", "&x",   "!x",        "[a",
      "{",  "%",     "@",      "--",       "a\rb",         "-",  ".inf", "\xc2\x85x", "\xe2\x80\xa8",
      "NO", "a,b",   "/a/b",   "?",        "\xef\xbb\xbfx"};
  for (const std::string& text : texts) {
    SampleConfig config;
    config.data.name = text;
    config.data.train = {text, "x", text};
    const SampleConfig again = read(write_yaml(config));
    EXPECT_EQ(again.data.name, text);
    EXPECT_EQ(again.data.train, config.data.train);
  }
}

}  // namespace
}  // namespace heed
