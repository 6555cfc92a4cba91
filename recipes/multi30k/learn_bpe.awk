# Learns byte-pair codes from tokenised text (Sennrich et al. 2016) and prints them in the format of subword-nmt 0.2,
# merge for merge as its learn-bpe does: the most frequent pair, of equals the one that sorts last; no pair seen once.
#
#   cat train.en train.de | LC_ALL=C awk -v merges=10000 -f learn_bpe.awk >codes
#
# Words are kept as their symbols, each between two blanks; a pair knows the words it may be in.

{ for (i = 1; i <= NF; i++) frequency[$i]++ }

# Splits a word into UTF-8 characters, the last one marked as the end of the word.
function symbols_of(word, s, i, n, c) {
  n = length(word)
  s = " "
  for (i = 1; i <= n; i++) {
    c = substr(word, i, 1)
    s = s (c ~ /[\200-\277]/ ? "" : i > 1 ? " " : "") c
  }
  return s "</w> "
}

# Adds sign times its frequency to every pair of word w.
function count_pairs(w, sign, n, i, symbol, pair) {
  n = split(symbols[w], symbol, " ")
  for (i = 1; i < n; i++) {
    pair = symbol[i] " " symbol[i + 1]
    if (!(pair in count)) known[++pairs] = pair
    count[pair] += sign * times[w]
    if (sign > 0) list(pair)
    if (sign > 0 && !((pair, w) in within)) {
      within[pair, w]
      words_with[pair] = words_with[pair] w " "
    }
  }
}

function merge(best, joined, n, numbers, i, w, at) {
  joined = best
  sub(/ /, "", joined)
  n = split(words_with[best], numbers, " ")
  for (i = 1; i <= n; i++) {
    w = numbers[i]
    if (!(at = index(symbols[w], " " best " "))) continue
    count_pairs(w, -1)
    while (at) {
      symbols[w] = substr(symbols[w], 1, at) joined substr(symbols[w], at + length(best) + 1)
      at = index(symbols[w], " " best " ")
    }
    count_pairs(w, 1)
  }
  count[best] = 0
}

# Looking at every pair for every merge would take minutes. The candidates are the pairs at least half as frequent as the
# best was when they were gathered; when none is left they are gathered again.
function list(pair) {
  if (count[pair] < least || pair in listed) return
  listed[pair]
  candidate[++candidates] = pair
}

function gather(i, top) {
  for (i = 1; i <= pairs; i++) if (count[known[i]] > top) top = count[known[i]]
  least = top > 4 ? int(top / 2) : 2
  for (i = 1; i <= pairs; i++) list(known[i])
}

function most_frequent(i, kept, pair, best) {
  for (i = 1; i <= candidates; i++) {
    pair = candidate[i]
    if (count[pair] < least) {
      delete listed[pair]
      continue
    }
    candidate[++kept] = pair
    if (best == "" || count[pair] > count[best] || (count[pair] == count[best] && pair > best)) best = pair
  }
  candidates = kept + 0
  return best
}

END {
  print "#version: 0.2"
  least = 1e15  # no candidates before all is counted
  for (word in frequency) {
    symbols[++words] = symbols_of(word)
    times[words] = frequency[word]
    count_pairs(words, 1)
  }
  gather()
  for (done = 0; done < merges; done++) {
    best = most_frequent()
    if (best == "") {
      gather()
      best = most_frequent()
      if (best == "") exit
    }
    print best
    merge(best)
  }
}
