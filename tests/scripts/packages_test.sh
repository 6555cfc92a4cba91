#!/usr/bin/env bash
# scripts/packages with a package system of our own: what is installed, how, and what is said when it cannot be.
set -euo pipefail
source "$(dirname "$0")/check.sh"

packages=$root/scripts/packages
bin=$scratch/bin
mkdir "$bin"
export SCRATCH=$scratch
stub() {
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$bin/$1"
  chmod +x "$bin/$1"
}
# shellcheck disable=SC2016  # the stubs expand these, not this script
{
  stub dpkg-query 'grep -qx "${@: -1}" "$SCRATCH/installed" && printf installed'
  stub apt-get 'echo "$*" >>"$SCRATCH/calls"
[[ "$*" != *update* ]] || { touch "$SCRATCH/lists"; exit; }
[[ -e "$SCRATCH/lists" ]] || { echo "E: Unable to locate package"; exit 100; }'
  stub id 'echo "$USER_ID"'
  stub sudo '[[ -e "$SCRATCH/may_sudo" ]] || exit 1
[[ "$1" != -n ]] || exit 0
echo sudo >>"$SCRATCH/calls"
"$@"'
}
export PATH=$bin:$PATH
export USER_ID=0

"$packages" --list data test >"$scratch/names"
check "a list, each name once" "$(<"$scratch/names")" "$(sort -u "$scratch/names")"
check "nothing missing" "$(cp "$scratch/names" "$scratch/installed" && "$packages" data test)" \
  "packages ok ($(wc -l <"$scratch/names") already there)"
check "then nothing is called" "$(ls "$scratch/calls" 2>/dev/null)" ""

grep -v -e gettext -e shellcheck "$scratch/names" >"$scratch/installed"
check "what is missing" "$("$packages" --missing data test)" $'gettext\nshellcheck'
check "asking installs nothing" "$(ls "$scratch/calls" 2>/dev/null)" ""
there=$(wc -l <"$scratch/installed")
check "installed, after an update of the lists" "$("$packages" data test </dev/null 2>/dev/null)" \
  "packages ok ($there already there, 2 installed)"
check_matches "only what is missing" "$(tail -n 1 "$scratch/calls")" "--no-install-recommends gettext shellcheck"

: >"$scratch/calls"
USER_ID=1000 check_status "neither root nor sudo" 2 "$packages" data
check_matches "the command to run" "$(<"$scratch/check_status")" \
  "apt-get update && apt-get install -y --no-install-recommends gettext"
check "and nothing was called" "$(<"$scratch/calls")" ""
touch "$scratch/may_sudo"
USER_ID=1000 check_status "with sudo" 0 "$packages" data
check_matches "through sudo" "$(<"$scratch/calls")" "sudo"

stub apt-get 'echo "E: no network"; exit 100'
check_status "an installation that fails" 1 "$packages" data
check_matches "in apt's words" "$(<"$scratch/check_status")" "E: no network"
check_status "an unknown group" 2 "$packages" everything
