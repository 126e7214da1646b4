#!/bin/sh
# Copies a release to a bucket that serves it, as Cloudflare's R2 does:
#
#   deploy/mirror.sh FOLDER vX.Y.Z s3://BUCKET
#
# FOLDER is what `cargo xtask release` laid out. The AWS command line finds keys and address in its
# own variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, AWS_REGION=auto.
#
# Whatever ends it, no manifest names a file that is not there: manifests come last.
set -eu

# R2 knows no other checksums of uploads than those that it must.
export AWS_REQUEST_CHECKSUM_CALCULATION=when_required

fail() {
    printf 'mirror: %s\n' "$*" >&2
    exit 1
}

copy() { aws s3 cp --only-show-errors "$@"; }

[ $# = 3 ] || fail 'give the folder, the version as vX.Y.Z and s3://BUCKET'
folder=$1 version=$2 bucket=${3%/}
[ -f "$folder/$version/SHA256SUMS" ] || fail "there is no release $version in $folder"
[ -f "$folder/manifest.json" ] || fail "there is no manifest.json in $folder"
(cd "$folder/$version" && sha256sum --quiet -c SHA256SUMS) || fail "$version is damaged: nothing was copied"

# They never change, under this name.
copy --recursive --cache-control 'public, max-age=31536000, immutable' \
    "$folder/$version" "$bucket/$version"
# A manifest changes with each release; its signature belongs to these very bytes.
for manifest in "$folder"/*/manifest.json "$folder/manifest.json"; do
    for file in "$manifest" "$manifest.minisig"; do
        copy --cache-control 'public, max-age=60' "$file" "$bucket/${file#"$folder/"}"
    done
done
