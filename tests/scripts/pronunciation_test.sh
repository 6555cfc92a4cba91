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

# more-words, with something in heed's place that spells words and cannot read DUMB.
cat >"$scratch/spell" <<'END'
#!/usr/bin/env bash
echo "$*" >"$SAID"
sed 's/DUMB//; s/./& /g; s/ $//' "${*:(-3):1}" >"${*: -1}"
END
chmod +x "$scratch/spell"
mkdir -p "$scratch"/models/{1,2,none}
touch "$scratch"/models/{1,2}/config.yaml
printf '%s\t%s\n' CAT "K AE T" CAT "K AA T" SAT "S AE T" MAT "M AE T" DUMB "D AH M B" >"$scratch/data/train.tsv"
printf '%s\t%s\n' BAT "B AE T" >"$scratch/data/dev.tsv"
printf '%s\n' aa ab ac ad ae Bo cat bat "bo's" naïve b2 Cy bo af >"$scratch/list"
more_words() {
  SAID=$scratch/said HEED=$scratch/spell "$root/recipes/pronunciation/more-words" --words "$scratch/list" --data "$scratch/data" \
    --models "${models:-$scratch/models}" --out "$scratch/more"
}
check "what it says of more words" "$(more_words 2>/dev/null)" "data: 10 pronunciations, 5 of them of data"
check "names, then others evenly, none that is known" "$(tail -n +6 "$scratch/more/train.tsv")" \
  "$(printf '%s\t%s\n' BO "B O" CY "C Y" AB "A B" AD "A D" AF "A F")"
check "behind what there was" "$(head -n 5 "$scratch/more/train.tsv")" "$(<"$scratch/data/train.tsv")"
check_matches "all models are asked" "$(<"$scratch/said")" "translate $scratch/models/1 $scratch/models/2 -i "
check_matches "again" "$(more_words)" "already there"
rm -r "$scratch/more"
echo dumb >"$scratch/list"
sed -i /DUMB/d "$scratch/data/train.tsv"
check "a word without an output is left out" "$(more_words 2>/dev/null)" "data: 4 pronunciations, 4 of them of data"
rm -r "$scratch/more"
echo cat >"$scratch/list"
check_status "no new word" 2 more_words
models=$scratch/data check_status "no models" 2 more_words
check_matches "they are named" "$(<"$scratch/check_status")" "more-words: $scratch/data holds no model folders"
rm "$scratch/list"
check_status "no list" 2 more_words
check_matches "the package is named" "$(<"$scratch/check_status")" "wamerican-huge"
check_status "no binary" 2 env HEED="$scratch/nowhere" "$root/recipes/pronunciation/more-words" --data "$scratch/data" --out "$scratch/more"
printf 'dumb\n' >"$scratch/list"
printf '#!/bin/sh\nexit 1\n' >"$scratch/spell"
check_status "models that fail" 1 more_words
check "nothing half-made is left of that" "$(find "$scratch" -name more -o -name '.prepare.*')" ""
