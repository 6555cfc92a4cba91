// The commands of heed; each parses its arguments and returns the exit code. They print results on standard
// output and everything else on standard error; errors are thrown, main() prints them.
#pragma once

#include <span>
#include <string>

namespace heed::cli {

using Arguments = std::span<const std::string>;

int train(Arguments arguments);
int translate(Arguments arguments);
int classify(Arguments arguments);
int evaluate(Arguments arguments);
int score(Arguments arguments);
int info(Arguments arguments);
int average(Arguments arguments);
int tokenize(Arguments arguments);
int attend(Arguments arguments);
int report(Arguments arguments);
int chart(Arguments arguments);
int bench(Arguments arguments);

}  // namespace heed::cli
