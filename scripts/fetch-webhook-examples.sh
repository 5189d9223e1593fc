#!/usr/bin/env bash
# Fetches the recorded webhook payloads that a test posts (npm @octokit/webhooks-examples, MIT) into
# target/webhooks-examples, or into the directory in COUNTERSIGN_WEBHOOK_EXAMPLES. Does nothing if they are there.
# Needs npm and tar.
set -euo pipefail

version=7.6.1
root=$(cd "$(dirname "$0")/.." && pwd)
target=${COUNTERSIGN_WEBHOOK_EXAMPLES:-$root/target/webhooks-examples}

if [ -f "$target/.version" ] && [ "$(cat "$target/.version")" = "$version" ]; then
  echo "webhook examples $version are in $target"
  exit 0
fi

unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
echo "fetching @octokit/webhooks-examples $version"
(cd "$unpacked" && npm pack --silent "@octokit/webhooks-examples@$version" > /dev/null)
tar -xzf "$unpacked"/*.tgz -C "$unpacked"

mkdir -p "$target"
for index in "$unpacked"/package/*/index.json; do
  product=$(basename "$(dirname "$index")")
  mkdir -p "$target/$product"
  cp "$index" "$target/$product/"
done
cp "$unpacked/package/README.md" "$target/"
# Last, so that an interrupted run is repeated.
echo "$version" > "$target/.version"
echo "webhook examples $version are in $target"
