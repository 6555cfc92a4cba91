// Translates standard input, line by line:  translate MODEL < text
#include <exception>
#include <iostream>
#include <string>

#include "heed/train/saved_model.h"

int main(int count, char** words) {
  if (count != 2) {
    std::cerr << "usage: translate MODEL < text\n";
    return 2;
  }
  try {
    heed::SavedModel model(words[1]);
    for (std::string line; std::getline(std::cin, line);) std::cout << model.translate(line) << '\n';
  } catch (const std::exception& error) {
    std::cerr << "translate: " << error.what() << '\n';
    return 1;
  }
}
