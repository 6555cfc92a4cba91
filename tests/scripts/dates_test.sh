#!/usr/bin/env bash
# recipes/dates: right dates, the same ones everywhere, none of them held out and trained on.
set -euo pipefail
source "$(dirname "$0")/check.sh"

prepare=$root/recipes/dates/prepare
said=$("$prepare" --out "$scratch/data" --pairs 2000)
check "what it says" "$said" "data: dates in words to ISO dates, 2000 pairs (dev 500, test 500 held out)"
check "the same text as ever" "$(cat "$scratch/data"/{train,dev,test}.{human,iso} | cksum)" "1541405277 88661"
check "no date in two sets" "$(for set in train dev test; do sort -u "$scratch/data/$set.iso"; done | sort | uniq -d)" ""

# The C library knows the weekdays: a line that names one must name the right one.
paste -d ' ' "$scratch/data/train.human" "$scratch/data/train.iso" | grep -E '^[A-Z][a-z]+day' >"$scratch/named"
check "weekdays" "$(sed 's/.* //' "$scratch/named" | LC_ALL=C date -f - +%A)" "$(grep -oE '^[A-Za-z]+' "$scratch/named")"
check_matches "again" "$("$prepare" --out "$scratch/data")" "already there"
check_status "too few pairs" 2 "$prepare" --out "$scratch/few" --pairs 12
check_status "an unknown option" 2 "$prepare" --pears 2000
