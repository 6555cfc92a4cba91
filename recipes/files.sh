# shellcheck shell=bash
# Text files, plain or .gz: for recipes and studies.

# text_file NAME FOLDER...: where it is, in the first of the folders that has it, plain before .gz; status 1 where none has.
text_file() {
  local name=$1 folder file
  shift
  for folder; do
    for file in "$folder/$name" "$folder/$name.gz"; do
      [[ -f $file ]] && printf '%s\n' "$file" && return
    done
  done
  return 1
}

# unpack FILE OUT: in plain text, whole or not at all; status 1 where it is damaged.
unpack() {
  gzip -dcf "$1" >"$2.part" && mv "$2.part" "$2"
}
