#!/usr/bin/env bash
# Puts the portcullis binary into reach and prints its path as output "bin".
#
# PORTCULLIS_BIN     a binary that is here already; nothing is downloaded
# IN_VERSION         release to run instead of the one that belongs to the action
# IN_SHA256          sum of that release's archive; needed with IN_VERSION
# PORTCULLIS_MIRROR  where releases lie, when not on GitHub
# GH_TOKEN           token with which gh verifies the provenance, if both are there
# RUNNER_OS, RUNNER_ARCH, RUNNER_TEMP, GITHUB_OUTPUT: set by the runner
#
# An archive whose sum is not known is never unpacked.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
sums="${PORTCULLIS_SUMS:-$here/SHA256SUMS}"

fail() {
  echo "::error title=Portcullis was not installed::$1"
  exit 1
}

found() {
  printf 'bin=%s\n' "$1" >> "${GITHUB_OUTPUT:-/dev/stdout}"
  exit 0
}

sha256() {
  if command -v sha256sum > /dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

if [ -n "${PORTCULLIS_BIN:-}" ]; then
  if [ ! -f "$PORTCULLIS_BIN" ] || [ ! -x "$PORTCULLIS_BIN" ]; then
    fail "PORTCULLIS_BIN does not name an executable file."
  fi
  found "$PORTCULLIS_BIN"
fi

case "${RUNNER_OS:-$(uname -s)}" in
  Linux) os=linux ;;
  macOS | Darwin) os=darwin ;;
  Windows | MINGW* | MSYS*) os=windows ;;
  *) fail "There is no release for this operating system; name a binary in PORTCULLIS_BIN." ;;
esac
case "${RUNNER_ARCH:-$(uname -m)}" in
  X64 | x86_64 | amd64) arch=amd64 ;;
  ARM64 | aarch64 | arm64) arch=arm64 ;;
  *) fail "There is no release for this processor; name a binary in PORTCULLIS_BIN." ;;
esac

# The sums belong to one release, whose version is part of the archives' names.
line="$(grep -E "^[0-9a-f]{64}  portcullis_[0-9][0-9A-Za-z.-]*_${os}_${arch}\.tar\.gz$" "$sums" || true)"
if [ -n "${IN_VERSION:-}" ]; then
  [[ "$IN_VERSION" =~ ^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "The input version is not a version such as 1.2.3."
  [[ "${IN_SHA256:-}" =~ ^[0-9a-f]{64}$ ]] || fail "The input version needs the input sha256: the 64 hexadecimal digits of the archive's sum."
  version="${IN_VERSION#v}"
  sum="$IN_SHA256"
elif [ -n "$line" ]; then
  name="${line#*  portcullis_}"
  version="${name%"_${os}_${arch}.tar.gz"}"
  sum="${line%% *}"
else
  fail "This version of the action has no sum for a release for $os on $arch, so there is nothing it could verify. Use a released version of the action, the inputs version and sha256, or name a binary in PORTCULLIS_BIN."
fi

archive="portcullis_${version}_${os}_${arch}.tar.gz"
base="${PORTCULLIS_MIRROR:-https://github.com/portcullis-ci/portcullis/releases/download}"
folder="$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/portcullis.XXXXXX")"
curl --proto '=https,file' --proto-redir '=https' --tlsv1.2 -fsSL --retry 3 --max-time 300 \
  -o "$folder/$archive" "$base/v$version/$archive" || fail "The archive $archive could not be downloaded."
got="$(sha256 "$folder/$archive")"
[ "$got" = "$sum" ] || fail "The sum of $archive is $got, but $sum was expected. The archive was not unpacked."

# The sum ties the archive to this commit of the action. Where the means are
# there, the attestation ties it to the workflow that built it as well.
if [ "${GITHUB_SERVER_URL:-}" = https://github.com ] && [ -z "${PORTCULLIS_MIRROR:-}${IN_VERSION:-}" ] && [ -n "${GH_TOKEN:-}" ] && command -v gh > /dev/null; then
  gh attestation verify "$folder/$archive" --repo portcullis-ci/portcullis || fail "The provenance of $archive could not be verified."
fi

binary=portcullis
[ "$os" = windows ] && binary=portcullis.exe
tar -xzf "$folder/$archive" -C "$folder" "$binary" || fail "The archive $archive has no $binary."
rm -f "$folder/$archive"
chmod 0755 "$folder/$binary"
found "$folder/$binary"
