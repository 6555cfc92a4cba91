// heed: one binary, a command first.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/text_util.h"
#include "heed/checkpoint/model_folder.h"
#include "heed/cli/commands.h"
#include "heed/cli/options.h"

namespace heed::cli {
namespace {

struct Command {
  const char* name;
  int (*run)(Arguments);
  const char* summary;
};

constexpr Command kCommands[] = {
    {"train", train, "train a model from a configuration"},
    {"translate", translate, "translate text, line by line"},
    {"classify", classify, "name the class of texts, line by line"},
    {"score", score, "the model's log-probability of given translations"},
    {"evaluate", evaluate, "BLEU, chrF, TER, error rates or accuracy of given text"},
    {"info", info, "what a model folder holds"},
    {"average", average, "average checkpoints into a model's weights"},
    {"tokenize", tokenize, "text to the model's subwords, and back"},
    {"attend", attend, "what the model attends to, in the terminal or as a picture"},
    {"report", report, "one page about one or several trainings"},
    {"chart", chart, "a table of numbers as curves or bars"},
    {"bench", bench, "measure the speed of training and decoding"},
};

std::string help() {
  std::string text =
      "heed: sequence-to-sequence models with attention, trained and run on an ordinary computer\n\nUsage: "
      "heed COMMAND ...\n\n";
  for (const Command& command : kCommands) text += fmt::format("  {:<11}{}\n", command.name, command.summary);
  return text + "\nheed COMMAND --help explains a command; heed --version tells the version.\n";
}

int dispatch_command(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    std::fputs(help().c_str(), stdout);
    return arguments.empty() ? 2 : 0;
  }
  if (arguments[0] == "--version") {
    std::printf("heed %s\n", std::string(kHeedVersion).c_str());
    return 0;
  }
  if (arguments[0] == "help") {  // heed help train model: heed train --help model
    std::vector<std::string> asked(arguments.begin() + 1, arguments.end());
    asked.insert(asked.begin() + (asked.empty() ? 0 : 1), "--help");
    return dispatch_command(asked);
  }
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (arguments[0] == command.name) return command.run(std::span(arguments).subspan(1));
    names.emplace_back(command.name);
  }
  const auto meant = nearest(arguments[0], names);
  fail_input("unknown command {}.{} heed --help lists the commands", in_quotes(arguments[0]),
             meant ? fmt::format(" Did you mean {}?", *meant) : "");
}

int code_or_help(const std::vector<std::string>& arguments) {
  try {
    return dispatch_command(arguments);
  } catch (const HelpRequested& request) {
    std::fputs(request.text().c_str(), stdout);
    return 0;
  }
}

// A stream that was closed would be the next file that is opened, and what is told go into that. Reading the
// input and writing the output still fail.
void hold_standard_streams() {
  for (const auto& [descriptor, mode] :
       {std::pair{STDIN_FILENO, O_WRONLY}, {STDOUT_FILENO, O_RDONLY}, {STDERR_FILENO, O_WRONLY}})
    if (::fcntl(descriptor, F_GETFD) < 0 && ::open("/dev/null", mode) < 0) return;
}

int run(const std::vector<std::string>& arguments) {
  hold_standard_streams();
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the limit is an error like a full disk, not the end
  try {
    const int code = code_or_help(arguments);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      fail_input("standard output: cannot be written");
    return code;
  } catch (const InputError& error) {
    std::fprintf(stderr, "heed: %s\n", error.what());
    return 2;
  } catch (const Interrupted& error) {
    std::fprintf(stderr, "heed: %s\n", error.what());
    return 130;
  } catch (const std::bad_alloc&) {
    std::fputs(
        "heed: out of memory; try smaller batches (train.batch_tokens, --batch-tokens) or a smaller model\n",
        stderr);
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "heed: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace heed::cli

int main(int count, char** words) {
  return heed::cli::run(std::vector<std::string>(words + 1, words + count));
}
