# Puts before each pair (English, tab, translation; one a line) a hash of the English text and the text's key, and
# drops pairs seen before. The key is the text without case and punctuation: pairs with one key stay together when the
# sorted output is split, so nothing held out was seen in training. The hash makes the choice stable and the order mixed.
# Runs in the C locale.

BEGIN {
  FS = OFS = "\t"
  for (i = 0; i < 256; i++) code[sprintf("%c", i)] = i
}

function key_of(s) {
  s = tolower(s)
  gsub(/\342\200[\220-\277]/, "", s)  # typographic dashes, quotes and dots
  gsub(/[^a-z0-9\200-\377]/, "", s)
  return s
}

# A polynomial modulo the prime 2^31 - 1, stirred by two multiplications; exact in doubles.
function hash(s, h, i) {
  h = 5381
  for (i = 1; i <= length(s); i++) h = (h * 263 + code[substr(s, i, 1)]) % 2147483647
  h = (h * 1000003) % 2147483647
  return (h * 48271) % 2147483647
}

NF == 2 && !seen[$0]++ {
  key = key_of($1)
  printf "%010d\t%s\t%s\t%s\n", hash(key), key, $1, $2
}
