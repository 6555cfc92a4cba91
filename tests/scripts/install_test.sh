#!/usr/bin/env bash
# cmake --install and find_package(heed): a program in a folder of its own is built with them and runs, and so are the
# examples, with which a model that the installed heed trains translates as `heed translate` does.
set -euo pipefail
source "$(dirname "$0")/check.sh"

build=${HEED_BINARY_DIR:-$root/build}
case $(sed -n 's/^HEED_SANITIZE:[A-Z]*=//p' "$build/CMakeCache.txt") in
  address) flags=-fsanitize=address,undefined ;;
  thread) flags=-fsanitize=thread ;;
  *) flags= ;;
esac
prefix=$scratch/heed

# build_with_heed FOLDER OUT: a project that knows heed only as what was installed.
build_with_heed() {
  cmake -S "$root/$1" -B "$2" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_FLAGS="$flags" &&
    cmake --build "$2"
}

# By a copy of the script that --install runs, so that its list of what it installed is not left in the build folder.
mkdir "$scratch/install"
sed "s|file(WRITE \"[^\"\$]*/|file(WRITE \"$scratch/install/|" "$build/cmake_install.cmake" >"$scratch/install/cmake_install.cmake"
check_status "cmake --install" 0 cmake --install "$scratch/install" --prefix "$prefix"
check_matches "the list of what was installed" "$(<"$scratch/install/install_manifest.txt")" "$prefix/bin/heed"
check_status "building a program with find_package(heed)" 0 build_with_heed tests/scripts/install "$scratch/program"
check "what the program says" "$("$scratch/program/uses_heed")" "grösse 8000 plain"
check "no header of the command line is installed" "$(find "$prefix/include" -path "$prefix/include/heed/cli*")" ""
find "$prefix/include" -name '*.h' -printf '#include "%P"\n' | sort >"$scratch/headers.cc"
check_matches "installed headers" "$(<"$scratch/headers.cc")" '#include "heed/train/trainer.h"'
check_status "every installed header" 0 c++ -std=c++20 -fsyntax-only -I "$prefix/include" "$scratch/headers.cc"
named=$(grep -rlF "$build" "$prefix" --include='*.cmake') || [[ $? -eq 1 ]]
check "nothing of the build folder is named in what was installed" "$named" ""

# A word for each digit, hardly learnt: wrong translations are as good as right ones here.
cd "$scratch"
for i in 1 2 3 4; do
  for j in 5 6 7; do printf '%s %s\tword%s word%s\n' "$i" "$j" "$i" "$j"; done
done >numbers.tsv
cat >numbers.yaml <<'END'
data: {train: {tsv: numbers.tsv}, held_out: 0}
text: {kind: words}
model: {width: 16, layers: 1, heads: 2, feed_forward: 32}
train: {batch_tokens: 50, updates: 30, warmup: 10, learning_rate: 1e-2}
END
check_status "heed train" 0 "$prefix/bin/heed" train numbers.yaml --out model

check_status "building the examples" 0 build_with_heed examples "$scratch/examples"
printf '1 5\n\n4 7 2\n' >lines
check_status "heed translate" 0 "$prefix/bin/heed" translate model <lines
expected=$(<"$scratch/check_status")
check_matches "a translation" "$expected" "word"
check_status "the example" 0 "$scratch/examples/translate" model <lines
check "the example translates as heed does" "$(<"$scratch/check_status")" "$expected"
check_status "the example without a model" 1 "$scratch/examples/translate" nowhere
