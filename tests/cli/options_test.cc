#include "heed/cli/options.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed {
namespace {

struct Search {
  int64_t beam = 4;
  double length_penalty = 1.0;
  bool early_stop = true;

  void visit(ConfigVisitor& v) {
    v("beam", beam, "hypotheses kept at each step", between(1, 64));
    v("length_penalty", length_penalty, "exponent of the length that scores are divided by");
    v("early_stop", early_stop, "stop when no better hypothesis can follow");
  }
};

struct Options {
  enum class Color { automatic, never };

  std::string input;
  std::vector<std::string> reference;
  bool json = false;
  Color color = Color::automatic;
  Search search;

  void visit(ConfigVisitor& v) {
    v("input", input, "text to translate");
    v("reference", reference, "what is right");
    v("json", json, "one JSON object a line");
    v("color", color, {"automatic", "never"}, "paint words");
    v.group("search", search, "Search");
  }
};

struct Parsed {
  Options options;
  std::string model;
  std::string text = "unset";
};

OptionParser parser_for(Parsed& parsed) {
  OptionParser parser("heed translate", "Translates text, line by line.");
  parser.positional("MODEL", parsed.model, "model folder")
      .positional("TEXT", parsed.text, "a sentence", false)
      .may_be_empty("TEXT")
      .may_be_empty("reference")
      .shorthand('i', "input")
      .shorthand('b', "beam")
      .footer("See also: heed attend --help")
      .bind(parsed.options);
  return parser;
}

Parsed parse(const std::vector<std::string>& arguments) {
  Parsed parsed;
  parser_for(parsed).parse(arguments);
  return parsed;
}

std::string error_of(const std::vector<std::string>& arguments) {
  try {
    parse(arguments);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Options, DefaultsStayWhereNothingIsSaid) {
  const Parsed parsed = parse({"m"});
  EXPECT_EQ(parsed.model, "m");
  EXPECT_EQ(parsed.text, "unset");
  EXPECT_EQ(parsed.options.search.beam, 4);
  EXPECT_TRUE(parsed.options.search.early_stop);
  EXPECT_TRUE(parsed.options.reference.empty());
}

TEST(Options, EveryKindInAnyPlace) {
  const Parsed parsed =
      parse({"--beam", "5", "runs/m", "-i", "x.txt", "--length-penalty=-0.5", "--json", "--reference", "a",
             "two words", "--reference", "b", "--no-early-stop", "--color", "never"});
  EXPECT_EQ(parsed.model, "runs/m");
  EXPECT_EQ(parsed.text, "two words");
  EXPECT_EQ(parsed.options.input, "x.txt");
  EXPECT_EQ(parsed.options.search.beam, 5);
  EXPECT_EQ(parsed.options.search.length_penalty, -0.5);
  EXPECT_TRUE(parsed.options.json);
  EXPECT_EQ(parsed.options.reference, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(parsed.options.search.early_stop);
  EXPECT_EQ(parsed.options.color, Options::Color::never);
}

TEST(Options, NegativeNumbersDashAndLastFlagCounts) {
  EXPECT_EQ(parse({"m", "--length-penalty", "-2"}).options.search.length_penalty, -2);
  EXPECT_EQ(parse({"m", "-i", "-"}).options.input, "-");
  EXPECT_EQ(parse({"m", "-"}).text, "-");
  EXPECT_FALSE(parse({"m", "--json", "--no-json"}).options.json);
  EXPECT_EQ(parse({"m", "--", "--beam"}).text, "--beam");
}

TEST(Options, WrongInputSaysWhatIsExpected) {
  EXPECT_EQ(error_of({"m", "--baem", "5"}),
            "heed translate: unknown option --baem. Did you mean --beam? (heed translate --help lists them)");
  EXPECT_EQ(error_of({"m", "--zzzzzzzzz=5"}),
            "heed translate: unknown option --zzzzzzzzz. (heed translate --help lists them)");
  EXPECT_EQ(
      error_of({"- a text"}),
      "heed translate: unknown option - a text. A text that begins with a dash goes after --, which ends "
      "the options. (heed translate --help lists them)");
  EXPECT_EQ(error_of({"m", "--beam", "0"}), "--beam: found \"0\", expected a whole number between 1 and 64");
  EXPECT_EQ(error_of({"m", "--beam", "many"}),
            "--beam: found \"many\", expected a whole number between 1 and 64");
  EXPECT_EQ(error_of({"m", "--color", "newer"}),
            "--color: found \"newer\", expected one of automatic, never. Did you mean never?");
  EXPECT_EQ(error_of({}),
            "heed translate: MODEL is missing (model folder). Usage: heed translate MODEL [TEXT] [options]");
  EXPECT_EQ(error_of({"m", "a", "b"}),
            "heed translate: \"b\" is one argument too many. Usage: heed translate MODEL [TEXT] [options]");
  EXPECT_EQ(error_of({"m", "--beam"}).find("heed translate: "), 0u);
  EXPECT_NE(error_of({"m", "--beam"}).find("--beam"), std::string::npos);
  EXPECT_NE(error_of({"m", "--json=3"}), "no error");
}

// What follows a missing value is not taken for it.
TEST(Options, EveryOptionHasItsOwnValue) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"m", "--input="},
                                                    {"m", "--input=", "--json"},
                                                    {"m", "--input", ""},
                                                    {"m", "-i", "", "--json"},
                                                    {"m", "-i"},
                                                    {"m", "--input"}})
    EXPECT_EQ(error_of(arguments), "heed translate: --input needs a value");
  for (const std::string option : {"-i", "--input"})
    for (const std::string next : {"--json", "-b", "--", "--zzz"})
      EXPECT_EQ(
          error_of({"m", option, next}),
          "heed translate: --input needs a value; one that begins with a dash is given as --input=" + next);
  EXPECT_EQ(error_of({"m", "--beam", "--json"}).find("heed translate: --beam needs a value;"), 0u);

  EXPECT_EQ(error_of({"m", "-i=x"}), "heed translate: found -i=x; write -i x or --input=x");

  EXPECT_EQ(parse({"m", "--input=--json"}).options.input, "--json");
  EXPECT_EQ(parse({"m", "--input=a=b"}).options.input, "a=b");
  EXPECT_EQ(parse({"m", "--input", "- a text"}).options.input, "- a text");
  EXPECT_EQ(parse({"m", "--reference", ""}).options.reference, std::vector<std::string>{""});
  EXPECT_EQ(error_of({"", "a"}),
            "heed translate: MODEL is empty (model folder). Usage: heed translate MODEL [TEXT] [options]");
  EXPECT_EQ(parse({"m", "-ix.txt"}).options.input, "x.txt");
  EXPECT_EQ(parse({"m", "--length-penalty", "-.5"}).options.search.length_penalty, -0.5);
  EXPECT_EQ(parse({"m", "--", "--input="}).text, "--input=");
}

TEST(Options, OneValueIsGivenOnce) {
  EXPECT_EQ(error_of({"m", "-i", "a", "--input", "b"}), "--input: found \"a\" and \"b\", expected one value");
  EXPECT_EQ(error_of({"m", "-b", "2", "-b", "3"}), "--beam: found \"2\" and \"3\", expected one value");
}

TEST(Options, WhatWasGivenIsKnown) {
  Parsed parsed;
  OptionParser parser = parser_for(parsed);
  parser.parse(std::vector<std::string>{"m", "", "-b", "4", "--no-json"});
  for (const char* key : {"MODEL", "TEXT", "beam", "json"}) EXPECT_TRUE(parser.given(key)) << key;
  for (const char* key : {"input", "length_penalty", "color"}) EXPECT_FALSE(parser.given(key)) << key;
  parser.parse(std::vector<std::string>{"m"});
  EXPECT_FALSE(parser.given("TEXT"));
}

TEST(Options, RestOfTheArguments) {
  std::vector<std::string> runs;
  OptionParser parser("heed report", "Compares runs.");
  parser.positionals("RUN", runs, "model folders");
  parser.parse(std::vector<std::string>{"a", "b", "c"});
  EXPECT_EQ(runs, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_THROW(parser.parse(std::vector<std::string>{}), InputError);
}

TEST(Options, HelpIsGeneratedFromTheStruct) {
  try {
    parse({"--beam", "wrong", "--help", "model"});
    FAIL() << "no help";
  } catch (const HelpRequested& help) {
    EXPECT_EQ(help.topic(), "model");
    EXPECT_EQ(
        help.text(),
        "Translates text, line by line.\n"
        "\n"
        "Usage: heed translate MODEL [TEXT] [options]\n"
        "\n"
        "  MODEL  model folder\n"
        "  TEXT   a sentence\n"
        "\n"
        "Options:\n"
        "  -i, --input TEXT         text to translate\n"
        "  --reference TEXT         what is right (may be given several times)\n"
        "  --json                   one JSON object a line\n"
        "  --color automatic|never  paint words (default automatic)\n"
        "\n"
        "Search:\n"
        "  -b, --beam N        hypotheses kept at each step (whole number between 1 and 64; default 4)\n"
        "  --length-penalty X  exponent of the length that scores are divided by (default 1)\n"
        "  --[no-]early-stop   stop when no better hypothesis can follow (default yes)\n"
        "\n"
        "  -h, --help  this text\n"
        "\n"
        "See also: heed attend --help\n");
  }
  EXPECT_THROW(parse({"-h"}), HelpRequested);
}

}  // namespace
}  // namespace heed
