#!/usr/bin/env bash
# Runs the gate with the action's inputs, which arrive as IN_* variables and are
# never part of a command's text. The binary writes annotations, outputs and the
# step summary itself. This script never fails because the gate does: a later
# step ends with the code, so that reports are uploaded in between.
set -euo pipefail

out="${GITHUB_OUTPUT:-/dev/stdout}"
output() { printf '%s=%s\n' "$1" "$2" >> "$out"; }

finish() {
  output exit-code "$1"
  exit 0
}

usage() {
  echo "::error title=Portcullis: wrong input::$1"
  finish 2
}

# Overwritten by the binary when it comes to an outcome.
output result error

# Plain one-line text for a message: the value of an input is foreign.
plain() { printf '%s' "$1" | tr -c '[:alnum:]._/*?,-' '_' | cut -c 1-100; }

if [ -n "${IN_WORKING_DIRECTORY:-}" ]; then
  cd -- "$IN_WORKING_DIRECTORY" || usage "the working-directory $(plain "$IN_WORKING_DIRECTORY") does not exist"
fi

args=(gate)
add() { [ -z "$2" ] || args+=("$1=$2"); }

# add_files FLAG PATTERNS INPUT: one flag for each file that a line of PATTERNS
# matches. A pattern that matches nothing is an error: a renamed file must not
# turn a gate into one that looks at nothing.
shopt -s nullglob
shopt -s globstar 2> /dev/null || true
add_files() {
  local pattern file matched
  while IFS= read -r pattern; do
    pattern="${pattern#"${pattern%%[![:space:]]*}"}"
    pattern="${pattern%"${pattern##*[![:space:]]}"}"
    [ -n "$pattern" ] || continue
    matched=0
    local IFS=
    # shellcheck disable=SC2206 # expansion of the pattern is the point; IFS is empty
    local files=($pattern)
    for file in ${files[@]+"${files[@]}"}; do
      [ -e "$file" ] || continue
      args+=("$1=$file")
      matched=1
    done
    [ "$matched" = 1 ] || usage "$3: nothing matches $(plain "$pattern")"
  done <<< "$2"
}

# flag NAME VALUE: a boolean input.
flag() {
  case "$2" in
    true) args+=("--$1") ;;
    '' | false) ;;
    *) usage "$1 is $(plain "$2"), expected true or false" ;;
  esac
}

add --image "${IN_IMAGE:-}"
add --sbom "${IN_SBOM:-}"
add_files --dockerfile "${IN_DOCKERFILE:-}" dockerfile
add_files --manifests "${IN_K8S:-}" k8s
[ "${#args[@]}" -gt 1 ] || usage "nothing to examine: give at least one of image, sbom, dockerfile and k8s"
add --name "${IN_IMAGE_NAME:-}"
add --config "${IN_CONFIG:-}"
add --fail-on "${IN_FAIL_ON:-}"
add --report-severity "${IN_REPORT_SEVERITY:-}"
add --baseline "${IN_BASELINE:-}"
add_files --vex "${IN_VEX:-}" vex
add --waivers "${IN_WAIVERS:-}"
add --platform "${IN_PLATFORM:-}"
add --db "${IN_DB_PATH:-}"
add --db-max-age "${IN_DB_MAX_AGE:-}"
add --category "${IN_CATEGORY:-}"
flag only-fixed "${IN_ONLY_FIXED:-}"
flag only-new "${IN_ONLY_NEW:-}"
flag offline "${IN_OFFLINE:-}"
if [ -n "${IN_SBOM_FILE:-}" ]; then
  add --sbom-out "$IN_SBOM_FILE"
  add --sbom-format "${IN_SBOM_FORMAT:-}"
fi

folder="$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/portcullis-reports.XXXXXX")"
sarif="${IN_SARIF_FILE:-$folder/portcullis.sarif}"
args+=("--output=sarif=$sarif" "--output=json=$folder/report.json" "--output=markdown=$folder/summary.md" "--output=html=$folder/report.html")

# The lines that a pull request adds, so that findings on them come first. The
# base is there where the checkout fetched it (fetch-depth: 2); nothing is
# fetched here, and without it only the order differs.
changes() {
  local base="${IN_BASE_SHA:-}"
  [[ "$base" =~ ^[0-9a-f]{40,64}$ ]] && command -v git > /dev/null || return 1
  # The commit of a pull request's run merges it into the base.
  if [[ "${GITHUB_REF:-}" == refs/pull/*/merge ]] && git rev-parse -q --verify 'HEAD^2' > /dev/null; then
    base='HEAD^1'
  else
    base="$(git merge-base "$base" HEAD)" || return 1
  fi
  git -c core.quotePath=false diff --no-color --no-ext-diff --no-textconv --no-relative --unified=0 \
    --src-prefix=a/ --dst-prefix=b/ "$base" HEAD -- > "$1"
}
if [ -z "${PORTCULLIS_DIFF:-}" ] && changes "$folder/changes.diff" 2> /dev/null; then
  export PORTCULLIS_DIFF="$folder/changes.diff"
fi

# Credentials go into a configuration of their own, so that they reach neither
# the command line nor the configuration that later steps see.
if [ -n "${IN_REGISTRY_USERNAME:-}${IN_REGISTRY_PASSWORD:-}" ]; then
  # The runner undoes these escapes, and masks each line of what it then has.
  mask="${IN_REGISTRY_PASSWORD:-}" mask="${mask//'%'/%25}" mask="${mask//$'\r'/%0D}" mask="${mask//$'\n'/%0A}"
  [ -z "$mask" ] || echo "::add-mask::$mask"
  reference="${IN_IMAGE#registry:}"
  host="${reference%%/*}"
  case "$host" in
    "$reference") host=https://index.docker.io/v1/ ;;
    docker.io | index.docker.io) host=https://index.docker.io/v1/ ;;
    *.* | *:* | localhost) ;;
    *) host=https://index.docker.io/v1/ ;;
  esac
  [[ "$host" =~ ^[A-Za-z0-9.:/_-]+$ ]] || usage "image: the name of the registry is not one"
  DOCKER_CONFIG="$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/portcullis-login.XXXXXX")"
  export DOCKER_CONFIG
  trap 'rm -rf "$DOCKER_CONFIG"' EXIT
  auth="$(printf '%s:%s' "${IN_REGISTRY_USERNAME:-}" "${IN_REGISTRY_PASSWORD:-}" | base64 | tr -d '\n')"
  (umask 077 && printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$host" "$auth" > "$DOCKER_CONFIG/config.json")
fi
unset IN_REGISTRY_PASSWORD

code=0
"$IN_BIN" "${args[@]}" || code=$?

# upload: whether the SARIF file goes to code scanning. Not when something was
# not examined (4) or data was missing (5): the host would close the alerts that
# this run could not confirm.
upload=false
case "${IN_UPLOAD_SARIF:-auto}" in
  true) upload=true ;;
  false) ;;
  auto)
    # A token of a fork's or of Dependabot's pull request may not write, and
    # Gitea and Forgejo have no code scanning.
    if [ "${GITEA_ACTIONS:-}${FORGEJO_ACTIONS:-}" = '' ] && [ "${IN_FORK:-}" != true ] && [ "${GITHUB_ACTOR:-}" != 'dependabot[bot]' ]; then
      upload=true
    fi
    ;;
  *) usage "upload-sarif is $(plain "$IN_UPLOAD_SARIF"), expected true, false or auto" ;;
esac
case "$code" in 0 | 1 | 3) ;; *) upload=false ;; esac
[ -s "$sarif" ] || upload=false
output upload "$upload"
finish "$code"
