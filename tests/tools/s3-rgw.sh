# shellcheck shell=bash
# Ceph's gateway for s3.sh: a monitor, one OSD without replicas, and radosgw; no manager, no authentication among them.
# It uses the options of s3_start by their names there.

s3_start_rgw() {
    local name=$1 dir=${S3_DIR[$1]} osd
    s3_unpack rgw radosgw ceph-mon ceph-osd ceph-common || return 1
    # shellcheck disable=SC2046
    set -- $(s3_free_ports 4)
    S3_PORT[$name]=$1 S3_TLS_PORT[$name]=''
    if [ "$tls" = 1 ]; then
        S3_TLS_PORT[$name]=$2
        s3_certificate "$dir" "$address" || return 1
    fi
    osd=$(cat /proc/sys/kernel/random/uuid)
    s3_rgw_conf "$name" "$(cat /proc/sys/kernel/random/uuid)" "$3" "$4" >"$dir/ceph.conf"
    : >"$dir/keyring"
    mkdir -p "$dir/mon" "$dir/osd" "$dir/rgw" "$dir/sockets"

    s3_tool "$name" sh -ec 'monmaptool --create --clobber --fsid "$1" --addv a "$2" /mnt/monmap
        ceph-mon -c /mnt/ceph.conf --mkfs -i a --monmap /mnt/monmap' sh \
        "$(sed -n 's/^fsid = //p' "$dir/ceph.conf")" "$(sed -n 's/^mon_host = //p' "$dir/ceph.conf")" || return 1
    s3_daemon "$name" mon ceph-mon -c /mnt/ceph.conf -i a -f
    S3_OTHERS[$name]=$!
    s3_tool "$name" sh -ec '[ "$(ceph -c /mnt/ceph.conf osd new "$1")" = 0 ]
        ceph-osd -c /mnt/ceph.conf -i 0 --mkfs --osd-uuid "$1"' sh "$osd" || return 1
    s3_daemon "$name" osd ceph-osd -c /mnt/ceph.conf -i 0 -f
    S3_OTHERS[$name]+=" $!"
}

s3_gateway_rgw() { s3_daemon "$1" gateway radosgw -c /mnt/ceph.conf -n client.rgw -f; }

s3_key_rgw() {
    s3_tool "$1" radosgw-admin -c /mnt/ceph.conf user create --uid=test --display-name=test \
        --access-key="$S3_ACCESS" --secret-key="$S3_SECRET"
}

# The monitor's clients ask for encryption unless ms_mon_client_mode says otherwise, which cannot be had without
# authentication. paxos_*: a change of the cluster's maps else takes a second each.
s3_rgw_conf() { # s3_rgw_conf NAME CLUSTER-ID MONITOR-PORT MONITOR-PORT
    local ssl=''
    [ -z "${S3_TLS_PORT[$1]}" ] || ssl=" ssl_endpoint=${S3_ADDRESS[$1]}:${S3_TLS_PORT[$1]} ssl_certificate=/mnt/server.pem ssl_private_key=/mnt/server.pem"
    cat <<CONF
[global]
fsid = $2
mon_initial_members = a
mon_host = [v2:127.0.0.1:$3,v1:127.0.0.1:$4]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
run_dir = /mnt/sockets
admin_socket = /mnt/sockets/\$name.\$pid
log_file = /mnt/log/\$name
keyring = /mnt/keyring
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_crit = 1
mon_data_avail_warn = 2
[mon]
mon_data = /mnt/mon
mon_cluster_log_file = /mnt/log/cluster
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
[osd]
osd_data = /mnt/osd
osd_objectstore = $store
osd_memory_target = 1073741824
memstore_device_bytes = 4294967296
bluestore_block_path =
bluestore_block_create = true
bluestore_block_size = $size
bluestore_fsck_on_mount = false
[client]
rgw_frontends = beast endpoint=${S3_ADDRESS[$1]}:${S3_PORT[$1]}$ssl
rgw_data = /mnt/rgw
rgw_dns_name = $names
rgw_thread_pool_size = 32
rgw_enable_usage_log = false
$conf
CONF
}

# A CA in DIR/ca.pem, and in DIR/server.pem what it certified, with its key.
s3_certificate() {
    (
        cd "$1" || exit 1
        printf 'subjectAltName=DNS:localhost,IP:%s,DNS:s3.test,DNS:*.s3.test' "$2" >san
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj '/CN=CA of a test' -keyout ca.key -out ca.pem &&
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=s3.test' -keyout server.key -out server.csr &&
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile san -out server.crt &&
            cat server.crt server.key >server.pem
    ) >"$1/log/openssl" 2>&1
}
