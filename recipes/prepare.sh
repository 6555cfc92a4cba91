# shellcheck shell=bash disable=SC2034,SC2154  # variables pass between a recipe and this
# What the recipes' prepare programs share: options, a folder that is made whole or not at all. A recipe sources this, sets
# its options' defaults, calls `options NAME... -- "$@"`, `begin`, fills $work/data and calls `finish COUNTS`.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
recipe=recipes/$(basename "$here")/prepare

source "$(dirname "${BASH_SOURCE[0]}")/files.sh"

# stop STATUS LINE...: says why, and ends.
stop() {
  local status=$1
  shift
  printf 'prepare: %s\n' "$@" >&2
  exit "$status"
}

# options NAME... -- ARGUMENT...: --NAME VALUE into $NAME. The help is the comment at the head of the recipe's file.
options() {
  local names=" "
  while [[ $1 != -- ]]; do
    names+="--$1 "
    shift
  done
  shift
  while [[ $# -gt 0 ]]; do
    case "$1" in
      -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    esac
    [[ $names == *" $1 "* ]] || stop 2 "unknown option '$1'; see $recipe --help"
    [[ -n "${2:-}" ]] || stop 2 "$1 needs a value; see $recipe --help"
    declare -g "${1#--}=$2"
    shift 2
  done
}

# Ends when $out is there already.
end_if_there() {
  [[ -e $out ]] || return 0
  [[ -f $out/counts ]] || stop 2 "$out is there but was not made by this program; give another folder with --out"
  echo "data: $(<"$out/counts") (already there: $out)"
  exit 0
}

# needs PROGRAM:PACKAGE...
needs() {
  local tool
  for tool; do
    command -v "${tool%:*}" >/dev/null ||
      stop 2 "${tool%:*} is missing; it comes with the package ${tool#*:}: scripts/packages data"
  done
}

# Makes $work/data, to be filled; ends when $out is there already. Whole paths: some work in other folders.
begin() {
  end_if_there
  mkdir -p "$(dirname "$out")"
  trap 'rm -rf "${work:-}"' EXIT
  work=$(mktemp -d "$(cd "$(dirname "$out")" && pwd)/.prepare.XXXXXX")
  mkdir "$work/data"
}

# finish COUNTS: what was made, in words; $work/data becomes $out.
finish() {
  echo "$1" >"$work/data/counts"
  chmod 755 "$work/data"
  mv -T "$work/data" "$out"
  echo "data: $1"
}
