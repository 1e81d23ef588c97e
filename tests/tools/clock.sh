# shellcheck shell=bash
# Clocks that are wrong, to be sourced after lib.sh. Not by the program faketime: what a killed process leaves makes it
# fail by chance.

FAKETIME_LIB=$(dpkg -L libfaketime | grep '/libfaketimeMT\.so') || die 'no libfaketime'

# faked COMMAND...: runs a command by the clock of $FAKETIME, or of the file $FAKETIME_TIMESTAMP_FILE.
faked() { LD_PRELOAD=$FAKETIME_LIB DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 "$@"; }
# at OFFSET COMMAND...: by a clock so far off ("+5h").
at() { FAKETIME=$1 faked "${@:2}"; }

# What processes that are gone left in shared memory.
clocks_end() {
    local file
    for file in /dev/shm/*faketime_s*_[0-9]*; do
        [ -e "/proc/${file##*_}" ] || rm -f "$file"
    done
}
at_end+=(clocks_end)
