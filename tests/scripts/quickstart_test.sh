#!/usr/bin/env bash
# scripts/quickstart from end to end, with a heed, a build and a package list that only say what they were asked.
set -euo pipefail
source "$(dirname "$0")/check.sh"

tree=$scratch/tree
mkdir -p "$tree/scripts" "$tree/build" "$scratch/bin"
cp "$root/scripts/quickstart" "$tree/scripts/"
cp -r "$root/recipes" "$tree/"
rm -rf "$tree"/recipes/*/data
export SCRATCH=$scratch
stub() {
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$1"
  chmod +x "$1"
}
# shellcheck disable=SC2016  # the stubs expand these, not this script
{
  stub "$tree/scripts/packages" 'if [[ $1 == --missing ]]; then
  [[ ! -e "$SCRATCH/no_compiler_package" ]] || echo g++
else
  [[ ! -e "$SCRATCH/no_packages" ]] || { echo "packages: run apt-get install $*" >&2; exit 2; }
  echo "packages ok (14 already there)"
fi'
  stub "$scratch/bin/cmake" 'echo "cmake $*" >>"$SCRATCH/calls"; touch build/CMakeCache.txt
[[ ! -e "$SCRATCH/no_library" ]] || exit 1
touch build/build.ninja'
  stub "$scratch/bin/ninja" 'echo "ninja $*" >>"$SCRATCH/calls"; [[ ! -e "$SCRATCH/no_compiler" ]]'
  stub "$scratch/bin/apt-get" 'exit 100'
  stub "$tree/build/heed" 'echo "heed $*" >>"$SCRATCH/calls"
case $1 in
  train)
    mkdir -p "$4"
    printf "train:\n  updates: 1234\n" >"$4/config.yaml"
    for update in 1 11 21; do
      printf "{\"event\":\"update\",\"update\":%s,\"loss\":1,\"seconds\":%s}\n" $update $((update / 10)).5
    done >"$4/log.jsonl"
    [[ ! -e "$SCRATCH/refuse" ]] || exit 2
    [[ ! -e "$SCRATCH/interrupt" ]] || exit 130 ;;
  translate) if [[ "${3:-}" == -i ]]; then cp "$4" "$6"; else cat >/dev/null; echo "1984-03-03"; fi ;;
  evaluate) printf "%s\n" "chrF2|nrefs:1 = 87.5" "BLEU|nrefs:1 = 61.2 70.0/60.0/50.0/40.0 (BP = 1.000)" ;;
esac'
}
export PATH=$scratch/bin:$PATH
quickstart=$tree/scripts/quickstart

touch "$scratch/no_library"
check_status "a configuration that fails" 1 "$quickstart"
rm "$scratch/no_library"
touch "$scratch/no_compiler"
check_status "a build that fails" 1 "$quickstart"
rm "$scratch/no_compiler"

# apt-get downloads nothing here, so the generated task stands in.
touch "$scratch/interrupt"
check_status "training interrupted" 130 "$quickstart" --minutes 5
check_matches "it says that the task is a generated one" "$(<"$scratch/check_status")" "the task is a generated one"
check_matches "configured again" "$(grep -c cmake "$scratch/calls")" 2
# Ten updates a second for what was left of 240 seconds, and a twentieth more. However slow this machine is, training then
# gets what is left of 270 seconds, which is no more than thirty seconds longer.
read -r updates tenths < <(sed -n 's/^heed train .*--set train.updates=\([0-9]*\) --minutes \([0-9]\)\.\([0-9]\)$/\1 \2\3/p' "$scratch/calls")
left=$(((2 * updates + 20) / 21))
check "updates for whole seconds" "$updates" "$((21 * left / 2))"
check "as many updates as fit" "$((60 <= left && left <= 240 && 6 * tenths <= left + 30))" 1
rm "$scratch/interrupt"
touch "$scratch/refuse"
check_status "a training that is refused" 2 "$quickstart"
check_matches "what to do" "$(<"$scratch/check_status")" "remove runs/dates"
rm "$scratch/refuse"
check "help, from another folder" "$(cd "$tree/scripts" && ./quickstart --help | head -n 1)" \
  "From a checkout to a translator of your own: installs what is missing, builds heed, makes the data, trains, measures"

: >"$scratch/calls"
check_status "gone on with" 0 "$quickstart"
said=$(<"$scratch/check_status")
check "from the checkpoint" "$(grep -c -- '--set train.updates=1234 --minutes [0-9.]* --resume$' "$scratch/calls")" 1
check_matches "the scores" "$said" "best model: runs/dates   test chrF 87.5  BLEU 61.2"
check_matches "a translation" "$said" "1984-03-03"
check_matches "what to try next" "$said" "Next: build/heed"

: >"$scratch/calls"
check_status "again" 0 "$quickstart"
check "nothing trained or configured twice" "$(grep -E 'train|cmake|-i .*test.human -o' "$scratch/calls")" ""

# Text that is there is used; a minute is the least that training gets.
mkdir -p "$tree/recipes/localisation/data/en-de"
echo "English-German" >"$tree/recipes/localisation/data/en-de/counts"
echo x | tee "$tree/recipes/localisation/data/en-de/test.en" >"$tree/recipes/localisation/data/en-de/test.de"
check_status "with text" 0 "$quickstart" --minutes 1
check_matches "trains on it" "$(<"$scratch/calls")" \
  "heed train recipes/localisation/quickstart.yaml --out runs/localisation --set train.updates=630 --minutes 1.0"

touch "$scratch/no_packages"
check_status "no packages for the data" 0 "$quickstart"
check_matches "what they are for" "$(<"$scratch/check_status")" "that is for the data"
check_matches "another task then" "$(<"$scratch/check_status")" "the task is a generated one"
touch "$scratch/no_compiler_package"
check_status "no packages at all" 2 "$quickstart"
check_matches "the command to run" "$(<"$scratch/check_status")" "run apt-get install build data"
check_status "minutes that are none" 2 "$quickstart" --minutes soon
