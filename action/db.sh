#!/usr/bin/env bash
# Gets the advisory database for the gate.
#   db.sh key    prints the folder and the cache key of the day as outputs
#   db.sh fetch  gets the database of the day into that folder
# IN_DB_REF names a registry reference, IN_DB_MIRROR web servers (one a line).
# A database that cannot be fetched is no error here: the gate itself fails with
# code 5 where there is none, or when it is older than the policy allows.
set -euo pipefail

out="${GITHUB_OUTPUT:-/dev/stdout}"
folder="${RUNNER_TEMP:-${TMPDIR:-/tmp}}/portcullis-db"

case "$1" in
  key)
    if command -v sha256sum > /dev/null; then sum=sha256sum; else sum="shasum -a 256"; fi
    source="$(printf '%s\n%s' "${IN_DB_REF:-}" "${IN_DB_MIRROR:-}" | $sum | cut -c 1-16)"
    {
      printf 'folder=%s\n' "$folder"
      printf 'prefix=portcullis-db-1-%s-\n' "$source"
      printf 'key=portcullis-db-1-%s-%s\n' "$source" "$(date -u +%Y-%m-%d)"
    } >> "$out"
    ;;
  fetch)
    mkdir -p "$folder"
    args=(db)
    if [ -n "${IN_DB_REF:-}" ]; then
      args+=(pull "--db=$folder" -- "$IN_DB_REF")
    else
      args+=(update "--db=$folder")
      while IFS= read -r mirror; do
        [ -z "$mirror" ] || args+=("--mirror=$mirror")
      done <<< "${IN_DB_MIRROR:-}"
    fi
    "$IN_BIN" "${args[@]}" || echo "::warning title=Portcullis: advisory database::It could not be fetched; what an earlier run left in the cache is used, if anything is there."
    ;;
  *)
    echo "db.sh: expected key or fetch" >&2
    exit 2
    ;;
esac
