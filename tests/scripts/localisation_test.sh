#!/usr/bin/env bash
# recipes/localisation on a package made here: marks, markup, plurals, context, what is dropped, the split.
set -euo pipefail
source "$(dirname "$0")/check.sh"

# One catalog as its text, one expected list of pairs. The unit under test is pairs.awk.
pairs() { LC_ALL=C awk -v marks="$1" -f "$root/recipes/localisation/pairs.awk"; }

check "marks before a key" "$(pairs '~_' <<'PO'
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"

msgctxt "menu"
msgid "Save ~As..."
msgstr "Speichern ~unter…"

msgid "E_xit"
msgstr "B_eenden"

msgid "File"
msgstr "文件(~F)"

msgid "The name file_name is taken"
msgstr "Der Name file_name ist vergeben"

msgid "Two_marks in_it"
msgstr "Zwei Marken"
PO
)" "Save As...	Speichern unter…
Exit	Beenden
File	文件
The name file_name is taken	Der Name file_name ist vergeben
Two_marks in_it	Zwei Marken"

check "ampersands that are none" "$(pairs '&' <<'PO'
msgid "&Open"
msgstr "Ö&ffnen"

msgid "R&D department"
msgstr "F&E-Abteilung"

msgid "Cut && paste"
msgstr "Schneiden && kleben"

msgid "Black & white"
msgstr "Schwarz & weiß"

msgid "a &lt; b &amp; &quot;c&quot; together"
msgstr "a &lt; b &amp; &quot;c&quot; zusammen"
PO
)" 'Open	Öffnen
R&D department	F&E-Abteilung
Cut & paste	Schneiden & kleben
Black & white	Schwarz & weiß
a < b & "c" together	a < b & "c" zusammen'

check "no marks, so nothing is taken out" "$(pairs '' <<'PO'
msgid "invalid _Atomic &x"
msgstr "ungültiges _Atomic &x"
PO
)" "invalid _Atomic &x	ungültiges _Atomic &x"

check "lines, escapes, markup and plurals" "$(pairs '' <<'PO'
#, c-format
msgid ""
"first line\n"
"say \"yes\"\tto C:\\new"
msgstr ""
"erste Zeile\n"
"„ja“ zu C:\\neu"

msgid "<b>Bold</b>, and <a href=\"x\">linked</a>.<br/>Next"
msgstr "<b>Fett</b> und <a href=\"x\">verlinkt</a>.<br/>Weiter"

msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d Datei"
msgstr[1] "%d Dateien"
PO
)" 'first line say "yes" to C:\new	erste Zeile „ja“ zu C:\neu
Bold, and linked. Next	Fett und verlinkt. Weiter
%d file	%d Datei
%d files	%d Dateien'

check "what is dropped: no words, not translated" "$(pairs '' <<'PO'
msgid "%s: %ld"
msgstr "%s: %ld"

msgid "- 12 -"
msgstr "- 12 -"

msgid "→ 0° …"
msgstr "→ 0° …"

msgid "not translated yet"
msgstr ""

msgid "this sentence was left alone"
msgstr "this sentence was left alone"

msgid "PulseAudio"
msgstr "PulseAudio"
PO
)" "PulseAudio	PulseAudio"

# The whole program, on a package of 7,000 messages, some of which differ in case and punctuation only.
tree=$scratch/tree
mkdir -p "$tree/DEBIAN" "$tree/usr/share/locale/de/LC_MESSAGES" "$scratch/debs"
printf 'Package: vlc-l10n\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: test\n' \
  >"$tree/DEBIAN/control"
{
  printf 'msgid ""\nmsgstr "Content-Type: text/plain; charset=ISO-8859-1\\n"\n'
  for ((i = 0; i < 6500; i++)); do printf 'msgid "&Message number %d"\nmsgstr "&Nachricht Nummer %d \344"\n' "$i" "$i"; done
  for ((i = 0; i < 500; i++)); do printf 'msgid "MESSAGE number %d!"\nmsgstr "NACHRICHT Nummer %d!"\n' "$i" "$i"; done
} >"$scratch/vlc.po"
msgfmt -o "$tree/usr/share/locale/de/LC_MESSAGES/vlc.mo" "$scratch/vlc.po"
head -c 300 /dev/urandom >"$tree/usr/share/locale/de/LC_MESSAGES/broken.mo"
dpkg-deb --root-owner-group -b "$tree" "$scratch/debs/vlc-l10n_1_all.deb" >/dev/null

prepare=$root/recipes/localisation/prepare
said=$(cd "$scratch" && "$prepare" --from debs --out out 2>"$scratch/errors")
check_matches "a damaged catalog is left out, the rest used" "$(<"$scratch/errors")" "broken.mo of vlc-l10n left out"
check_matches "a package that is not there is left out" "$(<"$scratch/errors")" "krita-l10n left out"
check "lines of dev" "$(wc -l <"$scratch/out/dev.en")" 500
check "lines of test" "$(wc -l <"$scratch/out/test.de")" 500
check "as many lines on both sides" "$(wc -l <"$scratch/out/train.en")" "$(wc -l <"$scratch/out/train.de")"
check "marks out, Latin-1 turned into UTF-8" "$(grep -c '^Nachricht Nummer [0-9]* ä$' "$scratch/out/test.de")" \
  "$(grep -c '^Message' "$scratch/out/test.en")"
plain() { tr -d '!' <"$1" | tr '[:upper:]' '[:lower:]' | sort -u; }
check "nothing held out was seen in training" \
  "$(comm -12 <(plain "$scratch/out/train.en") <(cat "$scratch"/out/{dev,test}.en | plain /dev/stdin))" ""
check_matches "counts" "$said" "English-German from message catalogs of 1 packages"
check_matches "what was not to be had" "$said" "gcc-12-locales krita-l10n gnucash-common; to try again, remove the folder"
before=$(stat -c %Y.%i "$scratch/out/train.en")
check_matches "again" "$("$prepare" --from "$scratch/debs" --out "$scratch/out")" "already there"
check "nothing done twice" "$(stat -c %Y.%i "$scratch/out/train.en")" "$before"
check_status "a folder of somebody else" 2 "$prepare" --from "$scratch/debs" --out "$scratch/debs"
check_status "no text" 1 "$prepare" --from "$scratch/tree" --out "$scratch/none"
rm "$tree/usr/share/locale/de/LC_MESSAGES/broken.mo"
mkdir "$scratch/little"
head -n 200 "$scratch/vlc.po" | msgfmt -o "$tree/usr/share/locale/de/LC_MESSAGES/vlc.mo" -
dpkg-deb --root-owner-group -b "$tree" "$scratch/little/vlc-l10n_1_all.deb" >/dev/null
check_status "too little text" 1 "$prepare" --from "$scratch/little" --out "$scratch/none"
check_matches "said how little" "$(<"$scratch/check_status")" "only 99 pairs for 'de', too few"
check_status "no language" 2 "$prepare" --lang ../de
check_status "an unknown option" 2 "$prepare" --language de
check "no temporary folder is left" "$(find "$scratch" -name '.prepare.*')" ""
