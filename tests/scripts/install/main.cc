// What a program outside of heed's tree needs: headers, the library, and the libraries under it.
#include <iostream>

#include "heed/base/config_yaml.h"
#include "heed/kernels/cpu_level.h"
#include "heed/text/text_config.h"

int main() {
  heed::TextConfig text;
  heed::read_yaml("vocabulary: 8000\n", "text.yaml", text);
  const auto levels = heed::kernels::available_cpu_levels();
  std::cout << heed::lowercase("GRÖSSE") << ' ' << text.vocabulary << ' '
            << heed::kernels::name_of(levels.front()) << '\n';
}
