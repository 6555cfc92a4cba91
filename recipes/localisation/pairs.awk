# Reads a gettext catalog as text (what msgunfmt prints, in UTF-8) and prints one cleaned pair a line: English, tab,
# translation. Runs in the C locale, so a character beyond ASCII is some bytes from \200 on.
#
#   awk -v marks='~_' -f pairs.awk catalog.po
#
# marks: the characters that stand before the key of a menu entry in this program; "" for a program without menus.

function unquote(s) {
  s = substr(s, index(s, "\"") + 1)
  sub(/"[ \t\r]*$/, "", s)
  gsub(/\\\\/, "\001", s)
  gsub(/\\[ntrvfab]/, " ", s)
  gsub(/\\"/, "\"", s)
  gsub(/\\./, " ", s)
  gsub(/\001/, "\\", s)
  return s
}

# The word of s around position at, between blanks.
function word_at(s, at, first, last) {
  first = last = at
  while (first > 1 && substr(s, first - 1, 1) !~ /[ ]/) first--
  while (last < length(s) && substr(s, last + 1, 1) !~ /[ ]/) last++
  return substr(s, first, last - first + 1)
}

# Takes the accelerator out of s: one mark before a letter. What is no accelerator stays: an entity (&amp;), a letter
# pair (R&D), a name (file_name, the same word on the other side), several marks in one text.
function without_mark(s, mark, other, i, n, at, before, after, word) {
  # Scripts without Latin letters append the key: "文件(~F)".
  i = index(s, "(" mark)
  if (i > 0 && substr(s, i + 2, 2) ~ /^[A-Za-z0-9]\)/) {
    before = substr(s, 1, i - 1)
    sub(/ +$/, "", before)
    return before substr(s, i + 4)
  }
  n = 0
  for (i = 1; i < length(s); i++) {
    if (substr(s, i, 1) != mark) continue
    if (substr(s, i + 1, 1) == mark) { i++; continue }
    if (substr(s, i + 1, 1) !~ /[A-Za-z0-9\200-\377]/) continue
    if (mark == "&" && substr(s, i) ~ /^&#?[A-Za-z0-9]+;/) continue
    n++
    at = i
  }
  if (n == 1) {
    before = at > 1 ? substr(s, at - 1, 1) : " "
    after = substr(s, at + 1, 1)
    word = word_at(s, at)
    if (!(before ~ /[A-Za-z0-9]/ && ((mark == "&" && before after ~ /^[A-Z][A-Z]$/) ||
                                     (word != s && index(" " other " ", " " word " ")))))
      s = substr(s, 1, at - 1) substr(s, at + 1)
  }
  if (mark == "&") gsub(/&&/, "\\&", s)
  return s
}

function tidy(s) {
  gsub(/[\001-\037\177]/, " ", s)
  gsub(/\302\240|\342\200\257/, " ", s)  # no-break spaces, wide and narrow
  gsub(/  +/, " ", s)
  sub(/^ /, "", s)
  sub(/ $/, "", s)
  return s
}

# A text with a word in it: two letters side by side that are no directive such as %ld. Beyond ASCII any byte counts but
# those of symbols: U+0080 to U+00BF (degrees, guillemets) and U+2000 to U+2BFF (dashes, arrows, boxes).
function has_word(s) {
  gsub(/\302[\200-\277]|\342[\200-\257][\200-\277]/, " ", s)
  gsub(/%[-+ #0-9.*$]*(hh?|ll?|[jztqLw])?[A-Za-z]/, " ", s)
  return s ~ /[A-Za-z][A-Za-z]|[\200-\377]/
}

# Markup that only dresses the text: the small tags of GTK and HTML.
function undressed(s) {
  gsub(/<\/?(a|b|i|u|em|strong|small|big|tt|span|font)( [^<>]*)?>/, "", s)
  gsub(/<\/?(p|br|hr|center|body|html|head|qt|h[1-6]|ul|ol|li)([ \/][^<>]*)?>/, " ", s)
  return s
}

# The entities of marked-up text, as the characters they stand for.
function decoded(s) {
  gsub(/&quot;/, "\"", s)
  gsub(/&apos;|&#39;/, "'", s)
  gsub(/&nbsp;/, " ", s)
  gsub(/&lt;/, "<", s)
  gsub(/&gt;/, ">", s)
  gsub(/&amp;/, "\\&", s)
  return s
}

function give(english, translation, i, mark, plain, words) {
  english = tidy(undressed(english))
  translation = tidy(undressed(translation))
  for (i = 1; i <= length(marks); i++) {
    mark = substr(marks, i, 1)
    plain = without_mark(english, mark, translation)
    translation = without_mark(translation, mark, english)
    english = plain
  }
  english = decoded(english)
  translation = decoded(translation)
  if (english == "" || translation == "" || !has_word(english) || !has_word(translation)) return
  # A sentence that equals its translation was never translated; a name or a term may well be equal.
  if (english == translation && split(english, words, " ") > 3) return
  print english "\t" translation
}

# An entry is complete: the singular goes with the first form, the plural with the last.
function flush_entry() {
  if (id != "" && forms > 0) {
    if (plural == "") {
      give(id, form[0])
    } else {
      if (forms > 1) give(id, form[0])
      give(plural, form[forms - 1])
    }
  }
  id = plural = field = ""
  forms = 0
}

/^#/ { next }
/^msgctxt / { flush_entry(); field = "context"; next }
/^msgid / { if (field != "context") flush_entry(); field = "id"; id = unquote($0); next }
/^msgid_plural / { field = "plural"; plural = unquote($0); next }
/^msgstr/ { field = "form"; form[forms++] = unquote($0); next }
/^"/ {
  if (field == "id") id = id unquote($0)
  else if (field == "plural") plural = plural unquote($0)
  else if (field == "form") form[forms - 1] = form[forms - 1] unquote($0)
  next
}
END { flush_entry() }
