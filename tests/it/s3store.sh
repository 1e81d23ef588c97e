#!/bin/bash
# The suite that every store must pass, against two real S3 servers: prefixes with all that a URL makes difficult, keys up
# to the longest, buckets in the path and in the host's name, with and without TLS.
. "$(dirname "$0")/lib.sh"

suite=$BUILD/tests/store/test-store-conformance
[ -x "$suite" ] || die "\"$suite\" is not built"

# conforms LOCATION [NAME=VALUE...]: all tests pass, none is skipped, and the bucket is as it was. The suite runs thrice:
# below this prefix, below one of odd characters and below the longest.
conforms() {
    local bucket=${1#s3://} before after
    bucket=${bucket%%/*}
    before=$(s3_client list "$bucket")
    env KURA_TEST_S3_ENDPOINT="$S3_ENDPOINT" KURA_TEST_S3_REGION="$S3_REGION" CMOCKA_MESSAGE_OUTPUT=TAP "${@:2}" \
        timeout -k 5 120 "$suite" "$1" >"$WORK/tap" 2>&1 || { cat "$WORK/tap" && return 1; }
    if [ "$(grep -c '^ok ' "$WORK/tap")" -lt 60 ] || grep -E '# SKIP|^not ok' "$WORK/tap"; then
        cat "$WORK/tap"
        return 1
    fi
    after=$(s3_client list "$bucket")
    printf 'objects in the bucket before:\n%s\nafter:\n%s\n' "$before" "$after"
    [ "$before" = "$after" ]
}

ugly="it's !\$&'()*,;:@=[]{}|^\`\"<>\\ %20%2F"
s3_start rgw ceph tls || die 'no Ceph'
s3_bucket ceph conformance || die 'no bucket'
host="KURA_TEST_S3_VIRTUAL_HOST=yes"
check 'Ceph' conforms s3://conformance
check 'Ceph, an ugly prefix' conforms "s3://conformance/$ugly"
check 'Ceph, bucket in the host name' conforms s3://conformance/host $host KURA_TEST_S3_ENDPOINT="http://localhost:${S3_PORT[ceph]}"
check 'Ceph, TLS with a private CA' conforms s3://conformance/tls KURA_TEST_S3_ENDPOINT="$S3_TLS_ENDPOINT" KURA_TEST_S3_CA="$S3_CA_FILE"
check 'Ceph, TLS by address' conforms s3://conformance/tls KURA_TEST_S3_ENDPOINT="${S3_TLS_ENDPOINT/localhost/127.0.0.1}" KURA_TEST_S3_CA="$S3_CA_FILE"

s3_start swift swift || die 'no Swift'
s3_bucket swift conformance || die 'no bucket'
check 'Swift' conforms s3://conformance
check 'Swift, an ugly prefix' conforms "s3://conformance/$ugly"
check 'Swift, a wrong region is corrected' conforms s3://conformance/region KURA_TEST_S3_REGION=eu-central-1
check 'Swift, bucket in the host name' conforms s3://conformance/host $host KURA_TEST_S3_ENDPOINT="http://localhost:${S3_PORT[swift]}"

finish
