#!/usr/bin/env bash
# bench/against_peers: medians, spread, the best rival, and one that fails; heed and Python are stood for by scripts.
set -euo pipefail
source "$(dirname "$0")/check.sh"

# heed gives 30, 50 and 40 sentences/s in turn; the rivals in f32 9.5 and in bf16 10; packed in bf16 fails.
export HEED=$scratch/heed
cat >"$HEED" <<'SH'
#!/usr/bin/env bash
echo "$*" >>"$0.calls"
figures=(50 30 40)
echo "{\"sentences_per_s\":${figures[$(wc -l <"$0.calls") % 3]},\"ratio_to_forward\":0.9234567,\"peak_rss_mb\":1}"
SH
cat >"$scratch/python" <<'SH'
#!/usr/bin/env bash
[[ "$*" != *packed*bf16* ]] || { echo "no bf16 here" >&2; exit 1; }
[[ "$1" == "my peers/torch_rnn.py" ]] || exit 1
figure=9.5
[[ "$*" != *bf16* ]] || figure=10.0
echo "{\"peer\": \"torch\", \"sentences_per_s\": $figure, \"loss\": 1}"
SH
chmod +x "$HEED" "$scratch/python"
against=("$root/bench/against_peers" --peers "my peers" --data data --python "$scratch/python")

check_status "a rival that fails" 1 "${against[@]}" --imdb reviews classifier
said=$(<"$scratch/check_status")
check_matches "medians and spread" "$said" "classifier      heed 40.00 (30.00 to 50.00) sentences_per_s"
check_matches "a rival's" "$said" "  9.50 (9.50 to 9.50)  torch_rnn.py --model classifier --layout packed --precision f32"
check_matches "the best rival" "$said" "ratio to the best rival 4.00"
check_matches "which failed" "$said" \
  "no sentences_per_s from: $(printf %q "$scratch/python") my\\ peers/torch_rnn.py --model classifier --layout packed"
check_matches "and why" "$said" "no bf16 here"
check "what heed was asked" "$(sort -u "$HEED.calls")" \
  "bench train --model classifier --data reviews --updates 20 --skip 3"

check "without a rival" "$("${against[@]}" --rounds 1 decode-bahdanau)" \
  "decode-bahdanau heed 0.92 (0.92 to 0.92) ratio_to_forward"
check_status "the classifier without its data" 2 "${against[@]}" classifier
check_status "an option without its value" 2 "${against[@]}" --imdb
check "help, from another folder" "$(cd / && "$root/bench/against_peers" --help | head -n 1)" \
  "Runs heed and its rivals in turn on the same work and prints medians, spread and ratios, as docs/performance.md has them."
check_status "an unknown work" 2 "${against[@]}" tyni
check_status "an unknown option" 2 "${against[@]}" --rouns 3
