# shellcheck shell=bash disable=SC2034,SC2154  # variables pass between a study and this
# What the studies share: options, data, runs that go on where they stopped, the table and the picture. A study sources
# this, calls `begin "$@"`, makes its data and configuration, calls `run`, `table` and `picture`.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C
source "$(dirname "${BASH_SOURCE[0]}")/../files.sh"
study=$(basename "$0")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
heed=${HEED:-$root/build/heed}

stop() {
  printf '%s: %s\n' "$study" "$1" >&2
  exit "${2:-2}"
}

# The options of every study, into $from, $out, $quick. The help is the comment at the head of the study's file.
begin() {
  from=
  out=
  quick=false
  while [[ $# -gt 0 ]]; do
    case "$1" in
      -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
      --quick) quick=true; shift ;;
      --from | --out)
        [[ -n "${2:-}" ]] || stop "$1 needs a value; see recipes/studies/$study --help"
        declare -g "${1#--}=$2"
        shift 2 ;;
      *) stop "unknown option '$1'; see recipes/studies/$study --help" ;;
    esac
  done
  [[ -x $heed ]] || stop "$heed is not there; build it, or name it in HEED"
  $quick || [[ -n $from ]] || stop "--from DIR, the folder of the data, is needed; --quick makes its own"
  [[ -z $from || -d $from ]] || stop "--from $from: there is no such folder"
  local made_from=--quick
  $quick || made_from=$(cd "$from" && pwd)
  if [[ -z $out ]]; then
    out=$root/runs/studies/$study
    ! $quick || out+=-quick
  fi
  mkdir -p "$out/data"
  [[ -f $out/made-from ]] || printf '%s\n' "$made_from" >"$out/made-from"
  [[ $(<"$out/made-from") == "$made_from" ]] ||
    stop "$out was made from $(<"$out/made-from"); give another --out, or remove it"
}

# take SIDE NAME...: the first of these files of $from that is there, plain or .gz, as $out/data/SIDE.
take() {
  local side=$1 name file
  shift
  [[ ! -s $out/data/$side ]] || return 0
  for name; do
    file=$(text_file "$name" "$from") || continue
    unpack "$file" "$out/data/$side" || stop "$file is damaged"
    return
  done
  stop "none of $* (or .gz) is in $from"
}

# English and German of Multi30k, from what recipes/multi30k/prepare makes or takes; --quick: dates in words to dates in digits.
translation_data() {
  if $quick; then
    [[ -d $out/dates ]] || "$root/recipes/dates/prepare" --out "$out/dates" --pairs 1000 >&2
    for set in train dev; do
      local lines=400
      [[ $set == train ]] || lines=20
      head -n "$lines" "$out/dates/$set.human" >"$out/data/$set.source"
      head -n "$lines" "$out/dates/$set.iso" >"$out/data/$set.target"
    done
    text="{kind: characters}"
  else
    for set in train dev; do
      local theirs=${set/dev/val}
      # The public repository has the captions as they were written beside these, under the shorter name.
      take "$set.source" "$theirs.lc.norm.tok.en" "$theirs.en"
      take "$set.target" "$theirs.lc.norm.tok.de" "$theirs.de"
    done
    take codes codes.de codes bpe/codes
    text="{kind: bpe, codes: data/codes, shared: true}"
  fi
}

# run NAME KEY=VALUE...: trains $out/config.yaml with these keys into $out/NAME, unless that was done before.
run() {
  local name=$1 key status=0 set=()
  shift
  [[ ! -f $out/$name.done ]] || return 0
  for key; do set+=(--set "$key"); done
  printf '%s: training %s\n' "$study" "$name" >&2
  "$heed" train "$out/config.yaml" --out "$out/$name" --resume "${set[@]}" >"$out/$name.log" 2>&1 || status=$?
  [[ $status -ne 130 ]] || stop "interrupted; started again, it goes on" 130
  [[ $status -eq 0 ]] || {
    tail -n 5 "$out/$name.log" >&2
    stop "$name failed; all of what it said is in $out/$name.log" 1
  }
  touch "$out/$name.done"
}

# logged NAME KEY: "update value" of every validation of a run.
logged() {
  sed -n 's/^.*"event":"validation","update":\([0-9]*\),.*"'"$2"'":\([-+0-9.eE]*\).*$/\1 \2/p' "$out/$1/log.jsonl"
}

# bleu_of OUTPUT REFERENCE: both files in words; two decimals.
bleu_of() {
  "$heed" evaluate -i "$1" --reference "$2" --metric bleu --tokenize none --json |
    sed -n 's/.*"score": *\([-+0-9.eE]*\).*/\1/p' | awk '{ printf "%.2f\n", $1 }'
}

# bleu NAME: of the run's model on dev, beam 5.
bleu() {
  [[ -s $out/$1.dev ]] || "$heed" translate "$out/$1" -i "$out/data/dev.source" -o "$out/$1.dev" 2>>"$out/$1.log"
  bleu_of "$out/$1.dev" "$out/data/dev.target"
}

# table: $out/table.tsv with its columns in line.
table() {
  awk -F '\t' '{ for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > wide[i]) wide[i] = length($i) } columns = NF }
    END { for (r = 1; r <= NR; r++) { line = ""
      for (i = 1; i <= columns; i++) line = line sprintf(i == 1 ? "%-*s" : "  %*s", wide[i], cell[r, i])
      print line } }' "$out/table.tsv"
}

# picture TABLE OPTION...: drawn by heed chart as $out/picture.svg; the runs' curves as one page, with two sentences looked
# at in each run where they are six at most: of more, nobody reads the page to its end.
picture() {
  local sentences=2
  [[ ${#runs[@]} -le 6 ]] || sentences=0
  "$heed" chart "$@" --output "$out/picture.svg"
  "$heed" report "${runs[@]/#/$out/}" --samples "$sentences" --output "$out/report.html" >"$out/report.log" 2>&1 ||
    stop "$(<"$out/report.log")" 1
  printf 'table: %s\npicture: %s\ncurves: %s\n' "$out/table.tsv" "$out/picture.svg" "$out/report.html"
}
