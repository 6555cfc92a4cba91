#!/usr/bin/env bash
# cmake --install and find_package(heed): a program in a folder of its own is built with them, and runs.
set -euo pipefail
source "$(dirname "$0")/check.sh"

build=${HEED_BINARY_DIR:-$root/build}
case $(sed -n 's/^HEED_SANITIZE:[A-Z]*=//p' "$build/CMakeCache.txt") in
  address) flags=-fsanitize=address,undefined ;;
  thread) flags=-fsanitize=thread ;;
  *) flags= ;;
esac

cmake --install "$build" --prefix "$scratch/heed" >"$scratch/log" 2>&1 || check "cmake --install" "$(<"$scratch/log")" ""
{
  cmake -S "$root/tests/scripts/install" -B "$scratch/program" -G Ninja -DCMAKE_PREFIX_PATH="$scratch/heed" -DCMAKE_CXX_FLAGS="$flags"
  cmake --build "$scratch/program"
} >"$scratch/log" 2>&1 || check "building with find_package(heed)" "$(<"$scratch/log")" ""
check "what the program says" "$("$scratch/program/uses_heed")" "grösse 8000 plain"
check "no header of the command line is installed" "$(find "$scratch/heed/include" -path '*cli*')" ""
check_matches "nothing of the build folder is named in what was installed" \
  "clean$(grep -rlF "$build" "$scratch/heed/lib" --include='*.cmake' || true)end" "cleanend"
