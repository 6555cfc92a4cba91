#!/usr/bin/env bash
# What the tests of the scripts share: a folder to work in, and checks that say what was found and what was expected.
# shellcheck disable=SC2034  # for those who source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# check WHAT FOUND EXPECTED
check() {
  [[ "$2" == "$3" ]] && return
  printf 'FAILED: %s\nfound:\n%s\nexpected:\n%s\n' "$1" "$2" "$3"
  exit 1
}

# check_matches WHAT FOUND TEXT: the text is somewhere in what was found.
check_matches() {
  [[ "$2" == *"$3"* ]] && return
  printf 'FAILED: %s\nfound:\n%s\nexpected somewhere:\n%s\n' "$1" "$2" "$3"
  exit 1
}

# check_status WHAT STATUS COMMAND...
check_status() {
  local what=$1 expected=$2 status=0
  shift 2
  "$@" >"$scratch/check_status" 2>&1 || status=$?
  [[ $status -eq $expected ]] && return
  printf 'FAILED: %s\nexit status %s, expected %s, after saying:\n%s\n' "$what" "$status" "$expected" \
    "$(<"$scratch/check_status")"
  exit 1
}
