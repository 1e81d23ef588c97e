# shellcheck shell=bash
# Swift for s3.sh: one account, container and object server on one directory, memcached, which its tempauth needs, and
# the proxy with s3api, which is the gateway.

s3_start_swift() {
    local name=$1 dir=${S3_DIR[$1]} kind port
    s3_unpack swift swift-proxy swift-account swift-container swift-object memcached || return 1
    # shellcheck disable=SC2046
    set -- $(s3_free_ports 5)
    S3_PORT[$name]=$1 S3_TLS_PORT[$name]=''
    mkdir -p "$dir/etc" "$dir/devices/one" "$dir/cache"
    printf '[swift-hash]\nswift_hash_path_prefix = kura\nswift_hash_path_suffix = kura\n' >"$dir/etc/swift.conf"
    s3_swift_proxy_conf "$1" "$2" >"$dir/etc/proxy-server.conf"

    s3_daemon "$name" memcached memcached -u root -l 127.0.0.1 -p "$2" -m 64
    S3_OTHERS[$name]=$!
    shift 2
    for kind in account container object; do
        s3_swift_conf $kind "$1" >"$dir/etc/$kind-server.conf"
        shift
    done
    s3_swift_rings "$name" || return 1
    for kind in account container object; do
        s3_daemon "$name" $kind "swift-$kind-server" /mnt/etc/$kind-server.conf -v
        S3_OTHERS[$name]+=" $!"
    done
}

s3_gateway_swift() { s3_daemon "$1" proxy swift-proxy-server /mnt/etc/proxy-server.conf -v; }

s3_key_swift() { :; } # it is in the configuration

# By Swift's own module: its program would have to be started nine times.
s3_swift_rings() {
    s3_tool "$1" python3 -c '
import configparser
from swift.common.ring import RingBuilder
for kind in ["account", "container", "object"]:
    conf = configparser.ConfigParser()
    conf.read(f"/mnt/etc/{kind}-server.conf")
    builder = RingBuilder(part_power=2, replicas=1, min_part_hours=0)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": conf.getint("DEFAULT", "bind_port"), "device": "one", "weight": 1})
    builder.rebalance()
    builder.get_ring().save(f"/mnt/etc/{kind}.ring.gz")'
}

s3_swift_conf() { # s3_swift_conf KIND PORT
    cat <<CONF
[DEFAULT]
devices = /mnt/devices
mount_check = false
bind_ip = 127.0.0.1
bind_port = $2
workers = 0
user = root
swift_dir = /mnt/etc
log_level = WARNING
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
recon_cache_path = /mnt/cache
CONF
}

s3_swift_proxy_conf() { # s3_swift_proxy_conf PORT MEMCACHED-PORT
    cat <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $1
workers = 0
user = root
swift_dir = /mnt/etc
log_level = WARNING
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = $S3_OWNER_SECRET .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
storage_domain = localhost
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$2
CONF
    local filter
    for filter in catch_errors gatekeeper healthcheck listing_formats bulk slo versioned_writes; do
        printf '[filter:%s]\nuse = egg:swift#%s\n' $filter $filter
    done
}
