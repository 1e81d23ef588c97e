#!/bin/bash
# The suite that every store must pass, against two real S3 servers: prefixes with all that a URL makes difficult, keys up
# to the longest, buckets in the path and in the host's name, with and without TLS.
. "$(dirname "$0")/lib.sh"

suite=$BUILD/tests/store/test-store-conformance
[ -x "$suite" ] || die "\"$suite\" is not built"

# conforms LOCATION [NAME=VALUE...]: all tests pass, none is skipped, and the bucket is as it was.
conforms() {
    local bucket=${1#s3://} before after
    bucket=${bucket%%/*}
    before=$(s3_client list "$bucket")
    env KURA_TEST_S3_ENDPOINT="$S3_ENDPOINT" KURA_TEST_S3_REGION="$S3_REGION" CMOCKA_MESSAGE_OUTPUT=TAP "${@:2}" \
        timeout --foreground -k 5 300 "$suite" "$1" >"$WORK/tap" 2>&1 || { cat "$WORK/tap" && return 1; }
    if [ "$(grep -c '^ok ' "$WORK/tap")" -lt 20 ] || grep -E '# SKIP|^not ok' "$WORK/tap"; then
        cat "$WORK/tap"
        return 1
    fi
    after=$(s3_client list "$bucket")
    printf 'objects in the bucket before:\n%s\nafter:\n%s\n' "$before" "$after"
    [ "$before" = "$after" ]
}

# All that a URL, a signature or XML makes difficult; and the longest: with the longest key of a store 1,024 bytes.
odd="it's/a b+c=d&e %20%2F?#/!\$(*),;:@~[]{}|^\`\"<>\\/日本語 "$'e\xcc\x81'
longest=$odd/$(printf 'x%.0s' $(seq 1 512))
longest=$(printf '%s' "$longest" | head -c 511)

s3_start rgw ceph tls || die 'no Ceph'
s3_bucket ceph conformance || die 'no bucket'
check 'Ceph' conforms s3://conformance
check 'Ceph, the longest prefix, of odd characters' conforms "s3://conformance/$longest"
check 'Ceph, the bucket in the host name' conforms "s3://conformance/$odd" KURA_TEST_S3_VIRTUAL_HOST=yes KURA_TEST_S3_ENDPOINT="http://localhost:${S3_PORT[ceph]}"
check 'Ceph, TLS with a private CA' conforms s3://conformance/tls KURA_TEST_S3_ENDPOINT="$S3_TLS_ENDPOINT" KURA_TEST_S3_CA="$S3_CA_FILE"
s3_stop ceph

s3_start swift swift || die 'no Swift'
s3_bucket swift conformance || die 'no bucket'
unconditional=KURA_TEST_S3_UNCONDITIONAL=yes
check 'Swift, the longest prefix, of odd characters' conforms "s3://conformance/$longest" $unconditional
check 'Swift, the bucket in the host name' conforms s3://conformance $unconditional \
    KURA_TEST_S3_VIRTUAL_HOST=yes KURA_TEST_S3_ENDPOINT="http://localhost:${S3_PORT[swift]}"

finish
