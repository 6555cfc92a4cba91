#!/usr/bin/env bash
# recipes/sentiment: both forms of a local copy, and what a wrong one is answered.
set -euo pipefail
source "$(dirname "$0")/check.sh"

prepare=$root/recipes/sentiment/prepare
check_status "no such folder" 2 "$prepare" --from "$scratch/nowhere" --out "$scratch/out"
check_status "an unknown option" 2 "$prepare" --form "$scratch"
mkdir "$scratch/copy"
check_status "a folder without the data" 2 "$prepare" --from "$scratch/copy" --out "$scratch/out"
check_matches "said what is missing" "$(<"$scratch/check_status")" "neither train.tsv(.gz) nor the folders"
printf 'pos\tone review\n' >"$scratch/copy/train.tsv"
check_status "too few reviews" 2 "$prepare" --from "$scratch/copy" --out "$scratch/out"
check_matches "said how many" "$(<"$scratch/check_status")" "has 1 training reviews; IMDB has 25000"
check "nothing half-made is left" "$(find "$scratch" -name out -o -name '.prepare.*')" ""

seq 25000 | awk '{ print ($1 % 2 ? "pos" : "neg") "\tline " $1 "<br />and <br/>more" }' >"$scratch/copy/train.tsv"
gzip "$scratch/copy/train.tsv"
check_status "a whole copy" 0 "$prepare" --from "$scratch/copy" --out "$scratch/out"
check "the first are learnt from" "$(sed -n '1p;$p' "$scratch/out/train.tsv")" "pos	line 1 and  more
neg	line 20000 and  more"
check "the last are held out" "$(sed -n '1p;$p' "$scratch/out/dev.tsv")" "pos	line 20001 and  more
neg	line 25000 and  more"
check_status "made already" 0 "$prepare" --from "$scratch/copy" --out "$scratch/out"
check_matches "said so" "$(<"$scratch/check_status")" "already there"

mkdir -p "$scratch/aclImdb/train/pos" "$scratch/aclImdb/train/neg"
printf 'good\tfilm' >"$scratch/aclImdb/train/pos/0_9.txt"
printf 'bad film' >"$scratch/aclImdb/train/neg/0_2.txt"
check_status "the public folder, cut short" 2 "$prepare" --from "$scratch/aclImdb" --out "$scratch/public"
check_matches "its reviews were counted" "$(<"$scratch/check_status")" "has 2 training reviews"
