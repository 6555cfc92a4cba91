#!/usr/bin/env bash
# recipes/multi30k: the byte-pair codes by hand, and what a wrong copy of the data is answered.
set -euo pipefail
source "$(dirname "$0")/check.sh"

learn() { LC_ALL=C awk -v merges="$1" -f "$root/recipes/multi30k/learn_bpe.awk"; }

# low 5, lower 2, newest 6, widest 3: the words of Sennrich et al. 2016. "e s", "s t</w>" are both 9, and of equals the
# one that sorts last comes first.
check "merges by frequency" "$(for word in low:5 lower:2 newest:6 widest:3; do
  yes "${word%:*}" | head -n "${word#*:}"; done | learn 4)" "#version: 0.2
s t</w>
e st</w>
l o
w est</w>"
check "characters, not bytes" "$(printf 'aß aß üü üü üü\n' | learn 9)" "#version: 0.2
ü ü</w>
a ß</w>"
check "nothing seen once is merged" "$(echo 'ab cd' | learn 9)" "#version: 0.2"
check "overlapping pairs" "$(echo 'aaaa aaaa' | learn 9)" "#version: 0.2
a a
aa a
aaa a</w>"

prepare=$root/recipes/multi30k/prepare
check_status "no such folder" 2 "$prepare" --from "$scratch/nowhere" --out "$scratch/out"
mkdir "$scratch/copy"
check_status "a folder without the data" 2 "$prepare" --from "$scratch/copy" --out "$scratch/out"
printf 'one line\n' >"$scratch/copy/train.lc.norm.tok.en"
check_status "too few lines" 2 "$prepare" --from "$scratch/copy" --out "$scratch/out"
check_matches "said how many" "$(<"$scratch/check_status")" "has 1 lines; Multi30k has 29000"
check "nothing half-made is left" "$(find "$scratch" -name out -o -name '.prepare.*')" ""
