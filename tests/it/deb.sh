#!/bin/bash
# The Debian package: built, looked at by lintian, installed into a small Debian, used, upgraded, removed and purged.
. "$(dirname "$0")/lib.sh"

src=$WORK/src/kura root=$WORK/root
packages='adduser libarchive13 libcurl4 libexpat1 libhiredis0.14 libjansson4 libpq5 libssl3 libxxhash0 libyaml-0-2 libzstd1 zlib1g man-db
    systemd diffutils'
system=$KURA_TEST_CACHE/system12-$(sha256sum <<<"$packages" | cut -c 1-12)
# shellcheck disable=SC2086
"$HERE/../tools/debsystem.sh" "$system" $packages || die 'no Debian to install into'
mkdir -p "$src"
tar -C "$TOP" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$src" -xf -
(cp -a --reflink=auto "$system" "$root") & # meanwhile
built() { (cd "$src" && unset CC CFLAGS LDFLAGS && DEB_BUILD_OPTIONS="parallel=$(nproc)" dpkg-buildpackage -us -uc -b); }
check 'build' built || die 'no package'
deb=$(ls "$WORK"/src/kura_*.deb)
version=$(dpkg-deb -f "$deb" Version)
wait $!

check 'the version is that of kura' grep -qF "version: '$version'" "$TOP/meson.build"
lint() { TMPDIR=$WORK lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$WORK"/src/kura_*.changes; }
check 'lintian' lint

# inside COMMAND...: in the Debian. There is /proc in it, which goes with the command.
inside() {
    # shellcheck disable=SC2016
    timeout --foreground -k 10 600 unshare --mount --propagation private sh -euc '
        root=$1
        shift
        mount --rbind /proc "$root/proc"
        mount --rbind /dev "$root/dev"
        exec chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"' \
        sh "$root" "$@"
}
as_kura() { inside setpriv --reuid=kura --regid=kura --clear-groups --inh-caps="$1" --ambient-caps="$1" --bounding-set="$1" "${@:2}"; }
files() { (cd "$root" && find . -xdev -path ./proc -prune -o -path ./dev -prune -o -printf '%y %m %u:%g %p\n' | sort); }
# What dpkg and the system's own tools keep for themselves, and the user.
made_by_others() { sed -E '/ \.\/(var\/lib\/dpkg|var\/log|var\/cache\/(man|ldconfig|debconf)|var\/lib\/systemd|etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?|run|root|tmp|etc\/\.pwd\.lock)(\/|$|-)/d'; }

files | made_by_others >"$WORK/before"
cp "$deb" "$root/kura.deb"
check 'install' inside dpkg -i /kura.deb
prints() { inside "${@:2}" | grep -e "$1"; }
owner() { inside stat -c '%a %U:%G' "$1" | grep -x "$2"; }
check 'the configuration is not for everybody' owner /etc/kura/kura.conf '640 root:kura'
check 'state is not for everybody' owner /var/lib/kura '750 root:root'
check 'cache neither' owner /var/cache/kura '700 root:root'
check 'the user cannot log in' grep -E '^kura:x:[0-9]+:[0-9]+:[^:]*:/var/lib/kura:/usr/sbin/nologin' "$root/etc/passwd"
check 'it runs' prints "$version" kura version
check 'the configuration has no error' status_is 2 inside kura list
check 'it names no repository' says 'repo'
for page in 'kura.1' 'kura.conf.5' 'kura-format.5' 'kura-profile.5'; do
    check "man ${page%.*}" prints '^NAME' man -P cat "${page##*.}" "${page%.*}"
done
for file in bash-completion/completions/kura zsh/vendor-completions/_kura fish/vendor_completions.d/kura.fish; do
    check "$file" test -s "$root/usr/share/$file"
done
check 'Japanese words' test -s "$root/usr/share/locale/ja/LC_MESSAGES/kura.mo"
for unit in "$root"/usr/lib/systemd/system/kura*@.*; do
    unit=$(basename "$unit")
    check "unit ${unit/@/@misskey}" inside systemd-analyze verify "${unit/@/@misskey}"
done
check 'an example for cron' test -s "$root/usr/share/doc/kura/cron.example"

cp "$src/debian/tests/smoke" "$root/smoke"
check 'used by root' inside sh /smoke
check 'used by the user kura' as_kura -all sh /smoke
mkdir -m 700 "$root/srv/secret"
echo secret >"$root/srv/secret/file"
chmod 600 "$root/srv/secret/file"
inside install -d -m 700 -o kura -g kura /var/backups/kura
check 'the user may keep a repository' as_kura -all kura init --repo /var/backups/kura
check 'what it may not read is told' status_is 1 as_kura -all kura backup --repo /var/backups/kura --app a --files files=/srv/secret
check 'with the capability it can read it' status_is 0 as_kura -all,+dac_read_search kura backup --repo /var/backups/kura --app b --files files=/srv/secret
check 'root restores it' inside kura restore latest --repo /var/backups/kura --app b --files files=/srv/back
check 'as it was' same_tree "$root/srv/secret" "$root/srv/back"
rm -r "$root/srv/secret" "$root/srv/back" "$root/var/backups/kura"

# An upgrade whose configuration is another, to a machine where somebody has changed it.
newer() {
    dpkg-deb -R "$deb" "$WORK/newer" &&
        sed -i "s/^Version: .*/Version: $version+1/" "$WORK/newer/DEBIAN/control" &&
        echo '# something new' >>"$WORK/newer/etc/kura/kura.conf" &&
        dpkg-deb -b "$WORK/newer" "$root/newer.deb"
}
printf '[app mine]\nfiles = media=/srv\n' >>"$root/etc/kura/kura.conf"
chmod 600 "$root/etc/kura/kura.conf"
chmod 700 "$root/var/lib/kura"
cp -p "$root/etc/kura/kura.conf" "$WORK/mine.conf"
check 'the same again' inside dpkg -i /kura.deb
check 'the configuration is kept' cmp "$WORK/mine.conf" "$root/etc/kura/kura.conf"
check 'a newer one' newer
check 'upgrade' inside dpkg --force-confdef --force-confold -i /newer.deb
check 'the configuration is still kept' cmp "$WORK/mine.conf" "$root/etc/kura/kura.conf"
check 'its mode too' owner /etc/kura/kura.conf '600 root:kura'
check 'that of the state too' owner /var/lib/kura '700 root:root'

touch "$root/var/lib/kura/misskey.json" "$root/var/cache/kura/something"
check 'remove' inside dpkg -r kura
check 'the program is gone' test ! -e "$root/usr/bin/kura"
check 'the configuration is not' cmp "$WORK/mine.conf" "$root/etc/kura/kura.conf"
check 'purge' inside dpkg -P kura
rm "$root/kura.deb" "$root/newer.deb" "$root/smoke"
files | made_by_others >"$WORK/after"
check 'nothing is left' diff "$WORK/before" "$WORK/after"
check 'the number of the user is not given to another' grep -q '^kura:' "$root/etc/passwd"
finish
