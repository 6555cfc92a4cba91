#!/usr/bin/env bash
# recipes/pronunciation: what becomes of cmudict.dict, of a split, and of what is neither.
set -euo pipefail
source "$(dirname "$0")/check.sh"
prepare=$root/recipes/pronunciation/prepare

# The public file: comments, stress, numbered pronunciations, words with odd characters, one that differs in stress only.
mkdir "$scratch/public"
{
  cat <<'END'
;;; a comment
'tis T IH1 Z
ab AE1 B # place, an abbreviation
ab(2) EY1 B IY1
ab(3) EY0 B IY0
naïve N AA0 IY1 V
END
  for a in a b c d e f g h i j; do
    for b in a b c d e f g h i j; do echo "q$a$b K UW1 $a"; done
  done
} >"$scratch/public/cmudict.dict"
"$prepare" --from "$scratch/public" --out "$scratch/data" >"$scratch/said"
check "stress, numbers, repeats" "$(cat "$scratch/data"/{train,dev}.tsv | grep -v '^Q' | sort)" \
  "$(printf "%s\t%s\n" "'TIS" "T IH Z" AB "AE B" AB "EY B IY")"
check "all words are there" "$(cat "$scratch/data"/{train,dev}.tsv | grep -c '^Q')" 100
check "no word is in both" "$(for set in train dev; do cut -f 1 "$scratch/data/$set.tsv" | sort -u; done | sort | uniq -d)" ""
check_matches "again" "$("$prepare" --from "$scratch/public" --out "$scratch/data")" "already there"

# A split: its sets stay, and a word's pronunciations come together.
mkdir "$scratch/split"
printf 'CAT\tK AE T\n' | gzip >"$scratch/split/train.tsv.gz"
printf 'READ\tR IY D\nDOG\tD AO G\nREAD\tR EH D\n' >"$scratch/split/dev.tsv"
check "what it says" "$("$prepare" --from "$scratch/split" --out "$scratch/two")" \
  "data: CMUdict, 1 pronunciations; held out 3, of 2 words"
check "words" "$(cat "$scratch/two/dev.words")" "$(printf 'READ\nDOG')"
check "their pronunciations" "$(cat "$scratch/two/dev.phonemes")" "$(printf 'R IY D\tR EH D\nD AO G')"

echo "no tab" >"$scratch/split/dev.tsv"
check_status "a line without a tab" 2 "$prepare" --from "$scratch/split" --out "$scratch/three"
check_matches "it is named" "$(<"$scratch/check_status")" "dev.tsv:1: not a word"
check_status "no such folder" 2 "$prepare" --from "$scratch/nowhere" --out "$scratch/three"
check_status "an empty folder" 2 "$prepare" --from "$(mktemp -d -p "$scratch")" --out "$scratch/three"
check "nothing half-made is left" "$(find "$scratch" -name three -o -name '.prepare.*')" ""
