// What the pages show is true: configurations are read, commands and options exist, links lead somewhere,
// code is quoted from files that are compiled, and the sessions marked <!-- tested --> say what they say.
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <stdexcept>

#include "heed/base/config_keys.h"
#include "heed/base/config_yaml.h"
#include "heed/train/run_config.h"
#include "tests/docs/page.h"
#include "tests/support/process.h"

namespace heed::test {
namespace {

const std::string kConfigurationPage = "docs/configuration.md";

// Lines with their continuations.
std::vector<std::string> joined_lines(const std::string& text) {
  std::vector<std::string> lines;
  bool goes_on = false;
  for (const std::string& line : split(text, '\n')) {
    if (goes_on)
      lines.back() += " " + line;
    else
      lines.push_back(line);
    goes_on = lines.back().ends_with('\\');
    if (goes_on) lines.back().pop_back();
  }
  return lines;
}

std::vector<std::string> found_in(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (auto match = std::sregex_iterator(text.begin(), text.end(), regex); match != std::sregex_iterator();
       ++match)
    found.push_back((*match)[1].str());
  return found;
}

// What `heed COMMAND --help` says, or `heed bench WHAT --help`; empty for a command that is none.
const std::string& help_of(const std::string& command) {
  static std::map<std::string, std::string> helps;
  const auto [help, is_new] = helps.try_emplace(command);
  if (is_new) {
    std::vector<std::string> words = split(command, ' ');
    words.emplace_back("--help");
    const Result result = run_heed(words);
    if (result.code == 0) help->second = result.out;
  }
  return help->second;
}

std::string without_trailing_spaces(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '\n') out.erase(out.find_last_not_of(' ') + 1);
    out += letter;
  }
  return out;
}

// Whether the text is what was expected, where "..." stands for anything.
bool matches(const std::string& text, const std::string& expected) {
  constexpr std::string_view kAnything = "...";
  size_t at = 0, from = 0;
  bool first = true;
  while (true) {
    const size_t to = expected.find(kAnything, from);
    const std::string part = expected.substr(from, to == expected.npos ? to : to - from);
    if (to == expected.npos && !first) return text.size() >= at + part.size() && text.ends_with(part);
    const size_t found = first ? (text.starts_with(part) ? 0 : text.npos) : text.find(part, at);
    if (found == text.npos) return false;
    at = found + part.size();
    if (to == expected.npos) return at == text.size();
    from = to + kAnything.size();
    first = false;
  }
}

struct Command {
  std::string place;
  std::string text;
  std::string expected;
};

// "$ " begins a command, "> " goes on with it, the rest is what it prints.
void add_commands(const Block& block, std::vector<Command>& commands) {
  for (const std::string& line : split(block.text.substr(0, block.text.size() - 1), '\n')) {
    if (line.starts_with("$ "))
      commands.push_back({block.place, line.substr(2) + "\n", ""});
    else if (line.starts_with("> ") && commands.back().expected.empty())
      commands.back().text += line.substr(2) + "\n";
    else
      commands.back().expected += line + "\n";
  }
}

// For the shell, whatever is in it.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char letter : word) text += letter == '\'' ? "'\\''" : std::string(1, letter);
  return text + "'";
}

struct Said {
  std::string text;  // standard error included
  int status;        // -1: the shell did not come here
};

// Runs a page's commands in one shell, in a folder of their own.
std::vector<Said> run_in_shell(const std::vector<Command>& commands) {
  const TemporaryFolder folder;
  const auto file = [&](const std::string& what, size_t i) {
    return folder.path(what + "." + std::to_string(i));
  };
  std::string script = "export PATH=" + quoted(HEED_BINARY_DIR) + ":\"$PATH\"\n";
  script += "cd " + quoted(folder.path()) + " || exit 1\n";
  for (size_t i = 0; i < commands.size(); ++i) {
    script += "{ " + commands[i].text + "} >" + quoted(file("out", i)) + " 2>&1 </dev/null\n";
    script += "status=$?; echo $status >" + quoted(file("status", i)) + "\n";
    script += "(exit $status)\n";  // the next command may read it
  }
  write_file(folder.path("script"), script + "exit 0\n");
  if (std::system(("bash " + quoted(folder.path("script"))).c_str()) != 0)
    throw std::runtime_error("bash did not come to the script's end");
  std::vector<Said> all;
  for (size_t i = 0; i < commands.size(); ++i) {
    if (file_exists(file("status", i)))
      all.push_back({read_file(file("out", i)), std::stoi(read_file(file("status", i)))});
    else
      all.push_back({"", -1});
  }
  return all;
}

// 0, or 2 where the page shows an error of heed's.
int status_shown(const std::string& expected) {
  return ("\n" + expected).find("\nheed: ") != std::string::npos ? 2 : 0;
}

TEST(Pages, EveryConfigurationIsRead) {
  int blocks = 0;
  for (const Page& page : all_pages()) {
    for (const Block& block : page.blocks) {
      if (block.language != "yaml") continue;
      RunConfig config;
      EXPECT_NO_THROW(read_yaml(block.text, block.place, config)) << block.place;
      ++blocks;
    }
  }
  EXPECT_GE(blocks, 3);
}

TEST(Pages, EveryKeyOfTheConfigurationExists) {
  std::set<std::string> known;
  for (const ModelType type : {ModelType::transformer, ModelType::rnn, ModelType::rnn_classifier}) {
    RunConfig config;
    config.model.type = type;
    for (const ConfigKey& key : list_keys(visit_of(config))) known.insert(key.path);
  }
  int keys = 0;
  for (const Page& page : all_pages()) {
    for (const std::string& line : split(page.text, '\n')) {
      for (const std::string& key : found_in(line, R"(`((?:data|text|model|train)\.[a-z_.0-9]+))")) {
        if (key.ends_with(".safetensors")) continue;
        EXPECT_TRUE(known.contains(key)) << page.name << ": " << key;
        ++keys;
      }
    }
  }
  EXPECT_GE(keys, 50);
}

// `kernels/matmul.h`, `tests/support/tolerance.h`, `BatchPlan`, `Adam::step`.
TEST(Pages, EveryFileAndClassExists) {
  std::string headers;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(HEED_SOURCE_DIR "/src"))
    if (entry.path().extension() == ".h") headers += read_file(entry.path().string());
  int names = 0;
  for (const Page& page : all_pages()) {
    for (const std::string& line : split(page.text, '\n')) {
      for (const std::string& path : found_in(line, R"(`([a-z_]+/[A-Za-z_/.0-9]+\.(?:h|cc|md|sh|yaml))`)")) {
        const bool there = file_exists(HEED_SOURCE_DIR "/" + path) ||
                           file_exists(HEED_SOURCE_DIR "/src/heed/" + path) || path.find("NAME") != path.npos;
        EXPECT_TRUE(there) << page.name << ": " << path;
        ++names;
      }
      for (const std::string& name : found_in(line, R"(`([A-Z][a-z]+[A-Z][A-Za-z]+)(?:::\w+)?`)")) {
        const std::regex declaration("\\b(class|struct|using|enum class) " + name + "\\b");
        EXPECT_TRUE(std::regex_search(headers, declaration)) << page.name << ": " << name;
        ++names;
      }
    }
  }
  EXPECT_GE(names, 40);
}

TEST(Pages, EveryRecipeIsRead) {
  int recipes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(HEED_SOURCE_DIR "/recipes")) {
    if (entry.path().extension() != ".yaml") continue;
    EXPECT_NO_THROW(read_run_config(entry.path().string(), {})) << entry.path();
    ++recipes;
  }
  EXPECT_GE(recipes, 10);
}

TEST(Pages, EveryCommandAndOptionExists) {
  int options = 0;
  for (const Page& page : all_pages()) {
    for (const std::string& line : joined_lines(page.text)) {
      for (const std::string& call : found_in(line, R"((?:`|\$ |> |/|\| |^ +)heed ([a-z]+[^`|;]*))")) {
        const std::string command = found_in(call, "^(bench [a-z]+|[a-z]+)").front();
        const std::string& help = help_of(command);
        EXPECT_FALSE(help.empty()) << page.name << ": there is no heed " << command;
        for (const std::string& option : found_in(call, R"( (--?[a-z][a-z0-9-]*))")) {
          const bool negated =
              option.starts_with("--no-") && help.find("--[no-]" + option.substr(5) + " ") != help.npos;
          const bool known = help.find(option + " ") != help.npos || help.find(option + ",") != help.npos;
          EXPECT_TRUE(known || negated) << page.name << ": heed " << command << " has no " << option;
          ++options;
        }
      }
    }
  }
  EXPECT_GE(options, 20);
}

// What follows # in a link to a heading, as GitHub writes it: small letters, hyphens for spaces, the rest
// left out.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char letter : heading) {
    if (letter == ' ') anchor += '-';
    if (std::isalnum(static_cast<unsigned char>(letter)) || letter == '-' || letter == '_')
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return anchor;
}

TEST(Pages, AnchorsAreHeadings) {
  EXPECT_EQ(anchor_of("2. How fast, how good_"), "2-how-fast-how-good_");
  EXPECT_EQ(anchor_of("`data.train`"), "datatrain");
}

TEST(Pages, EveryLinkLeadsToAFile) {
  int links = 0;
  for (const Page& page : all_pages()) {
    const std::filesystem::path here(HEED_SOURCE_DIR "/" + page.name);
    for (const std::string& link : found_in(page.text, R"(\]\(([^) :]+)\))")) {
      const std::string file = link.substr(0, link.find('#'));
      const std::filesystem::path there = file.empty() ? here : here.parent_path() / file;
      EXPECT_TRUE(std::filesystem::exists(there)) << page.name << ": " << link;
      ++links;
      if (file.size() == link.size()) continue;
      std::set<std::string> anchors;
      for (const std::string& heading : found_in(read_file(there.string()), R"(\n#+ +([^\n]*))"))
        anchors.insert(anchor_of(heading));
      EXPECT_TRUE(anchors.contains(link.substr(file.size() + 1))) << page.name << ": " << link;
    }
  }
  EXPECT_GE(links, 40);
}

TEST(Pages, EveryPieceOfCodeIsQuotedFromAFile) {
  int blocks = 0;
  for (const Page& page : all_pages()) {
    for (const Block& block : page.blocks) {
      if (block.language != "cpp" && block.language != "cmake") continue;
      const std::string path = HEED_SOURCE_DIR "/" + block.mark;
      ASSERT_TRUE(!block.mark.empty() && file_exists(path))
          << block.place << ": the line above must name the file, <!-- examples/translate.cc -->";
      EXPECT_NE(read_file(path).find(block.text), std::string::npos) << block.place << " and " << block.mark;
      ++blocks;
    }
  }
  EXPECT_GE(blocks, 3);
}

TEST(Pages, EverySessionSaysWhatItSays) {
  size_t sessions = 0;
  for (const Page& page : all_pages()) {
    std::vector<Command> commands;
    for (const Block& block : page.blocks)
      if (block.mark == "tested") add_commands(block, commands);
    const std::vector<Said> said = run_in_shell(commands);
    for (size_t i = 0; i < commands.size(); ++i) {
      const std::string output = without_trailing_spaces(said[i].text);
      EXPECT_TRUE(matches(output, commands[i].expected))
          << commands[i].place << ": $ " << commands[i].text << "said:\n"
          << output << "expected:\n"
          << commands[i].expected;
      EXPECT_EQ(said[i].status, status_shown(commands[i].expected))
          << commands[i].place << ": $ " << commands[i].text << "said:\n"
          << output;
    }
    sessions += commands.size();
  }
  EXPECT_GE(sessions, 15u);
}

TEST(Pages, TheShellTellsWhatACommandSaysAndItsStatus) {
  const auto said = run_in_shell({{"", "echo a; false\n", ""},
                                  {"", "echo $?\n", ""},
                                  {"", "cat <<'END'; cd / \nb c\nEND\n", ""},
                                  {"", "heed trian\n", "heed: ...\n"},
                                  {"", "pwd >&2\n", ""}});
  std::string texts, statuses;
  for (const Said& one : said) {
    texts += one.text.substr(0, one.text.find(':'));
    statuses += std::to_string(one.status) + " ";
  }
  EXPECT_EQ(texts, "a\n1\nb c\nheed/\n");
  EXPECT_EQ(statuses, "1 0 0 2 0 ");
  EXPECT_EQ(status_shown("heed: no\n") + status_shown("a\nheed: no\n"), 4);
  EXPECT_EQ(status_shown("") + status_shown("as heed: says\n"), 0);
}

TEST(Pages, AnythingStandsForAnything) {
  EXPECT_TRUE(matches("a b c\n", "a b c\n"));
  EXPECT_TRUE(matches("a b c\n", "a ... c\n"));
  EXPECT_TRUE(matches("a\nb\nc\nd\n", "a\n...\nd\n"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_FALSE(matches("a b c\n", "a\n"));
  EXPECT_FALSE(matches("a b c\n", "a ... d\n"));
  EXPECT_FALSE(matches("a b c\n", "b ... c\n"));
  EXPECT_FALSE(matches("a b\n", "a b ... b\n"));
}

// With HEED_WRITE_DOCS=1 in the environment a page that differs is written; it is right from the next run on.
TEST(Pages, TheConfigurationIsTheProgramsOwn) {
  const std::string begin = "<!-- generated: heed train --help markdown -->\n\n";
  const Page page = read_page(kConfigurationPage);
  const size_t from = page.text.find(begin);
  ASSERT_NE(from, std::string::npos) << kConfigurationPage;
  const Result help = run_heed({"train", "--help", "markdown"});
  ASSERT_EQ(help.code, 0) << help.errors;
  ASSERT_NE(help.out.find("| `model.width` | whole number"), std::string::npos);
  const std::string expected = page.text.substr(0, from + begin.size()) + help.out;
  if (page.text != expected && std::getenv("HEED_WRITE_DOCS") != nullptr) {
    write_file(HEED_SOURCE_DIR "/" + page.name, expected);
    FAIL() << page.name << ": written; run again";
  }
  EXPECT_EQ(page.text, expected)
      << "run heed_test_docs --gtest_filter='Pages.*' with HEED_WRITE_DOCS=1 to write it";
}

}  // namespace
}  // namespace heed::test
