#!/usr/bin/env bash
# Fetches the binary of a release for this machine, checks its digest against the one that the commit of the release holds,
# and puts it into the folder that is named. For runners without containers: macOS, and Actions Runner Controller.
#   install.sh FOLDER
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
folder=${1:?name the folder for the program}

fail() { echo "setup: $*" >&2; exit 1; }

[[ -f $here/release ]] || fail "this commit is no release, and has no binaries: use the commit of a tag, such as v1"
version=$(sed -n 's/^version //p' "$here/release")
repository=$(sed -n 's/^repository //p' "$here/release")

case "$(uname -s)" in
  Linux) system=linux ;;
  Darwin) system=macos ;;
  *) fail "there is no binary for $(uname -s); Linux and macOS have one" ;;
esac
case "$(uname -m)" in
  x86_64 | amd64) machine=x86_64 ;;
  aarch64 | arm64) machine=aarch64 ;;
  *) fail "there is no binary for $(uname -m); x86_64 and aarch64 have one" ;;
esac
name=backend-implementer-$system-$machine
wanted=$(sed -n "s/^\([0-9a-f]\{64\}\)  $name\$/\1/p" "$here/release")
[[ -n $wanted ]] || fail "the release $version has no $name"

server=${BACKEND_IMPLEMENTER_DOWNLOADS:-${GITHUB_SERVER_URL:-https://github.com}/$repository/releases/download}
mkdir -p "$folder"
fetched=$(mktemp "$folder/.backend-implementer-XXXXXX")
trap 'rm -f "$fetched"' EXIT
curl --fail --silent --show-error --location --retry 3 --output "$fetched" "$server/v$version/$name" ||
  fail "$name of $version cannot be downloaded from $server"
if command -v sha256sum >/dev/null; then found=$(sha256sum "$fetched"); else found=$(shasum -a 256 "$fetched"); fi
found=${found%% *}
[[ $found == "$wanted" ]] || fail "$name has the digest $found, and the release says $wanted: it is not used"
chmod 755 "$fetched"
mv "$fetched" "$folder/backend-implementer"
# Under this name it works as a step of GitHub Actions.
ln -sf backend-implementer "$folder/backend-implementer-action"
trap - EXIT
echo "$folder/backend-implementer is version $version"
