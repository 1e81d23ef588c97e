# shellcheck shell=sh
# apt with lists and a status file of its own, so that the host stays as it is. To be sourced.
#
# Where packages come from is read from the machine's own apt sources; apt checks their signatures as always.

# Sets apt_mirror, and apt_security where the machine has one.
apt_mirrors() {
    apt_uris=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages')
    apt_mirror=$(echo "$apt_uris" | awk '$2 !~ /security/ { print $1; exit }')
    apt_security=$(echo "$apt_uris" | awk '$2 ~ /security/ { print $1; exit }')
    if [ -z "$apt_mirror" ]; then
        echo "no Debian mirror in this machine's apt sources" >&2
        return 1
    fi
}

# aptonly SUITE DIR TYPES DEBS: makes apt's files in DIR and sets APT_CONFIG to them. TYPES: "deb", "deb-src" or both.
# DEBS: where apt keeps the packages that it downloads.
aptonly() {
    apt_mirrors || return 1
    mkdir -p "$2/sources" "$2/empty" "$2/lists/partial" "$2/cache"
    : >"$2/status"
    cat >"$2/sources/suite.sources" <<END_OF_SOURCES
Types: $3
URIs: $apt_mirror
Suites: $1
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END_OF_SOURCES
    if [ -n "$apt_security" ] && [ "$1" != sid ]; then
        sed "s|^URIs:.*|URIs: $apt_security|; s|^Suites:.*|Suites: $1-security|" "$2/sources/suite.sources" \
            >"$2/sources/security.sources"
    fi
    cat >"$2/apt.conf" <<END_OF_CONF
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$2/sources";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$2/empty";
Dir::State "$2";
Dir::State::Lists "$2/lists";
Dir::State::Status "$2/status";
Dir::Cache "$2/cache";
Dir::Cache::Archives "$4";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::Check-Valid-Until "false"; // of a suite that is no longer updated, and of a frozen mirror; signatures still count
END_OF_CONF
    APT_CONFIG=$2/apt.conf
    export APT_CONFIG
}
