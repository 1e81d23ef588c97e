#!/bin/bash
# The suite that every store must pass, against two real S3 servers: prefixes with all that a URL makes difficult, keys up
# to the longest, buckets in the path and in the host's name, with and without TLS.
. "$(dirname "$0")/lib.sh"

suite=$BUILD/tests/store/test-store-conformance
[ -x "$suite" ] || die "\"$suite\" is not built"

# conforms LOCATION [NAME=VALUE...]: all tests pass, none is skipped, and the bucket is as empty as before.
conforms() {
    local location=$1 bucket=${1#s3://} before after
    bucket=${bucket%%/*}
    before=$(s3_client list "$bucket" | wc -l)
    env KURA_TEST_S3_ENDPOINT="$S3_ENDPOINT" KURA_TEST_S3_REGION="$S3_REGION" CMOCKA_MESSAGE_OUTPUT=TAP "${@:2}" \
        timeout -k 5 120 "$suite" "$location" >"$WORK/tap" 2>&1 || { cat "$WORK/tap" && return 1; }
    if [ "$(grep -c '^ok ' "$WORK/tap")" -lt 20 ] || grep -E '# SKIP|^not ok' "$WORK/tap"; then
        cat "$WORK/tap"
        return 1
    fi
    after=$(s3_client list "$bucket" | wc -l)
    echo "objects in the bucket before $before, after $after"
    [ "$before" = "$after" ]
}

long=$(printf 'x%.0s' $(seq 1 511)) # and a slash: the longest prefix; with a store's longest key 1,024 bytes
prefixes=('' plain 'a b/c+d %20%2F&e=f?g#h' "!\$'()*,;:@~[]{}|^\`\"<>\\" '写真/みすきー 🦊' $'nfd e\xcc\x81/nfc \xc3\xa9' "$long")

s3_start rgw ceph tls || die 'no Ceph'
s3_bucket ceph conformance || die 'no bucket'
for prefix in "${prefixes[@]}"; do
    check "Ceph, prefix \"${prefix:0:40}\"" conforms "s3://conformance/$prefix"
done
check 'Ceph, bucket in the host name' conforms s3://conformance/host KURA_TEST_S3_ENDPOINT="http://localhost:${S3_PORT[ceph]}" KURA_TEST_S3_PATH_STYLE=no
check 'Ceph, TLS with a private CA' conforms s3://conformance/tls KURA_TEST_S3_ENDPOINT="$S3_TLS_ENDPOINT" KURA_TEST_S3_CA="$S3_CA_FILE"
check 'Ceph, TLS by address' conforms s3://conformance/tls KURA_TEST_S3_ENDPOINT="${S3_TLS_ENDPOINT/localhost/127.0.0.1}" KURA_TEST_S3_CA="$S3_CA_FILE"

s3_start swift swift || die 'no Swift'
s3_bucket swift conformance || die 'no bucket'
for prefix in "${prefixes[@]}"; do
    check "Swift, prefix \"${prefix:0:40}\"" conforms "s3://conformance/$prefix"
done
check 'Swift, a wrong region is corrected' conforms s3://conformance/region KURA_TEST_S3_REGION=eu-central-1
check 'Swift, bucket in the host name' conforms s3://conformance/host KURA_TEST_S3_ENDPOINT="http://localhost:${S3_PORT[swift]}" KURA_TEST_S3_PATH_STYLE=no

finish
