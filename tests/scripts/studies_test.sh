#!/usr/bin/env bash
# recipes/studies: each in its quick size ends in a table and a picture; started again, it trains nothing anew.
set -euo pipefail
source "$(dirname "$0")/check.sh"
export HEED=$HEED_BINARY_DIR/heed

# BLEU in two decimals: 100 exp(1 - 8/5); and 3.7e-42, whose exponent must not be lost.
echo "a b c d e" >"$scratch/five"
echo "a b c d e f g h" >"$scratch/eight"
echo "a b c d e" f{1..500} >"$scratch/many"
# shellcheck source=/dev/null  # it sets what the rest of this file sets
found=$(source "$root/recipes/studies/common.sh" && bleu_of "$scratch/five" "$scratch/eight" &&
  bleu_of "$scratch/five" "$scratch/many")
check "BLEU of two files" "$found" $'54.88\n0.00'

# study NAME RUNS TITLE: the table has a line for each run and numbers in it, the picture its title.
study() {
  local said
  said=$("$root/recipes/studies/$1" --quick --out "$scratch/$1" 2>"$scratch/$1.said") || {
    cat "$scratch/$1.said"
    exit 1
  }
  check "$1: lines of its table" "$(($(wc -l <"$scratch/$1/table.tsv") - 1))" "$2"
  check "$1: empty cells" "$(grep -c -P '\t(\t|$)' "$scratch/$1/table.tsv")" "0"
  check_matches "$1: its picture" "$(<"$scratch/$1/picture.svg")" "$3"
  check_matches "$1: its report" "$(head -c 100 "$scratch/$1/report.html")" "<!DOCTYPE html>"
  check_matches "$1: where they are" "$said" "$scratch/$1/picture.svg"
  "$root/recipes/studies/$1" --quick --out "$scratch/$1" >"$scratch/again" 2>"$scratch/said"
  check "$1: nothing is trained again" "$(<"$scratch/said")" ""
  check "$1: the same again" "$(<"$scratch/again")" "$said"
}
study attention 6 "BLEU by length of the source"
check_matches "attention: sentences in its report" "$(<"$scratch/attention/report.html")" "<h2>Attention</h2>"
study beam 9 "BLEU on dev by beam"
study guided-attention 4 "Attention within 0.2 of the diagonal"
# What is not found in a log would stand in the table as 0.
# shellcheck source=/dev/null disable=SC2030,SC2031,SC2034  # as above; logged reads $out
found=$(source "$root/recipes/studies/common.sh" && out=$scratch/guided-attention &&
  for run in rnn rnn-guided transformer transformer-guided; do
    for key in diagonal dev_loss wer; do logged "$run" "$key"; done
  done | cut -d ' ' -f 1 | sort -n | uniq -c | tr -s ' ')
check "guided-attention: the validations in its logs" "$found" $' 12 50\n 12 100\n 12 150\n 12 200\n 12 250\n 12 300'
# A guide shows its effect within seconds: 22 and 38 points more near the diagonal in f32; half of the lesser is asked.
check "guided models that are nearer to the diagonal" "$(awk -F '\t' '{ near[$1] = $3 }
  END { for (m in near) if (m "-guided" in near)
    print m, (near[m "-guided"] >= near[m] + 11 ? "yes" : near[m] " " near[m "-guided"]) }' \
  "$scratch/guided-attention/table.tsv" | sort)" $'rnn yes\ntransformer yes'
study norms 6 "BLEU on dev"
study scheduled-sampling 6 "BLEU on dev, three seeds"
check "scheduled-sampling: sentences in its report" \
  "$(grep -c "<h2>Attention</h2>" "$scratch/scheduled-sampling/report.html")" "0"

# Another's data, and data that is cut short, are not taken for the study's own.
mkdir "$scratch/data"
for name in val.en val.de codes.de train.de; do echo "a b" >"$scratch/data/$name"; done
seq 9999 | gzip | head -c 9999 >"$scratch/data/train.en.gz"
norms=("$root/recipes/studies/norms" --from "$scratch/data" --out)
check_status "the quick study's folder" 2 "${norms[@]}" "$scratch/norms"
check_matches "said what it is" "$(<"$scratch/check_status")" "was made from --quick"
for _ in once twice; do
  check_status "data cut short" 2 "${norms[@]}" "$scratch/short"
  check_matches "it is named" "$(<"$scratch/check_status")" "train.en.gz is damaged"
done
# What fails while it is measured is no result.
# shellcheck disable=SC2016  # for the script that it writes
printf '#!/usr/bin/env bash\n[[ $1 != translate ]] || exit 2\nexec "%s" "$@"\n' "$HEED" >"$scratch/half_a_heed"
chmod +x "$scratch/half_a_heed"
rm "$scratch"/norms/*.dev
HEED=$scratch/half_a_heed check_status "a translation that fails" 2 "$root/recipes/studies/norms" --quick --out "$scratch/norms"

check_status "no data" 2 "$root/recipes/studies/norms" --out "$scratch/none"
check_status "no such folder" 2 "$root/recipes/studies/norms" --from "$scratch/nowhere" --out "$scratch/none"
check_status "an unknown option" 2 "$root/recipes/studies/norms" --quik
