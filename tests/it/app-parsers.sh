#!/bin/bash
# Configuration files as kura reads them, against the libraries that applications read them with: js-yaml, PyYAML, hjson
# and Ruby's dotenv, on the fixtures and on generated files. What kura reads must be what the library reads; that it
# refuses what the library reads may be, for a few files in a hundred.
# KURA_PARSER_SEED, KURA_PARSER_FILES: other files, more of them. KURA_DOTENV: a directory with other versions of dotenv,
# as dotenv-VERSION/lib, which are compared too; Debian has 2.4 only.
. "$(dirname "$0")/lib.sh"
. "$HERE/../tools/parsers.sh"

parsers_setup || die 'no parsers to compare with'
seed=${KURA_PARSER_SEED:-1} files=${KURA_PARSER_FILES:-2000}
echo "# seed $seed, $files files of each kind"
settings=$BUILD/tests/tools/app-settings
apps=$TOP/tests/fixtures/apps

theirs() { # theirs LIBRARY FILE...
    local library=$1
    shift
    case $library in
    js-yaml) node "$PARSERS/read.cjs" yaml "$@" ;;
    hjson) node "$PARSERS/read.cjs" hjson "$@" ;;
    PyYAML) python3 "$PARSERS/read.py" "$@" ;;
    dotenv) ruby "$PARSERS/read.rb" "$@" ;;
    *) ruby -I "$library/lib" "$PARSERS/read.rb" "$@" ;;
    esac
}

# compare FORMAT LIBRARY PERCENT FILE...: PERCENT of the files may be refused by kura alone.
compare() {
    local format=$1 library=$2 percent=$3
    shift 3
    "$settings" "$format" "$@" >"$WORK/ours" && theirs "$library" "$@" >"$WORK/theirs" &&
        node "$PARSERS/compare.mjs" "$percent" "$WORK/ours" "$WORK/theirs" "$@"
}

generate() { # generate KIND [TAME]: files into $WORK/KIND
    rm -rf "${WORK:?}/$1"
    mkdir "$WORK/$1"
    TAME=${2:-0} node "$PARSERS/generate.mjs" "$1" "$seed" "$files" "$WORK/$1" || die "no files of $1"
}

mapfile -t yaml < <(find "$apps" -path '*misskey*' -name '*.yml' -o -path '*cherrypick*' -name '*.yml' -o -path '*sharkey*' -name '*.yml' -o -path '*peertube*' -name '*.yaml')
check 'yaml: fixtures, against js-yaml' status_is 0 compare yaml js-yaml 0 "${yaml[@]}"
check 'yaml: descriptions of applications, against js-yaml' status_is 0 compare yaml js-yaml 0 "$TOP"/share/profiles/*.yaml
check 'yaml 1.1: fixtures, against PyYAML' status_is 0 compare yaml-1.1 PyYAML 0 "$apps"/synapse*/homeserver.yaml
generate yaml
check 'yaml: generated, against js-yaml' status_is 0 compare yaml js-yaml 8 "$WORK"/yaml/*
# PyYAML knows fewer places for tabs than libyaml.
KURA_MAY_READ=1 check 'yaml 1.1: generated, against PyYAML' status_is 0 compare yaml-1.1 PyYAML 8 "$WORK"/yaml/*

check 'hjson: fixtures' status_is 0 compare hjson hjson 0 "$apps"/lemmy*/lemmy.hjson
generate hjson
check 'hjson: generated' status_is 0 compare hjson hjson 15 "$WORK"/hjson/*

mapfile -t dotenv < <(find "$apps" -path '*mastodon-[23]*' -name '.env.production')
check 'dotenv: fixtures' status_is 0 compare dotenv-2 dotenv 0 "${dotenv[@]}"
generate dotenv 1
check 'dotenv: generated, what all versions read alike' status_is 0 compare dotenv-2 dotenv 0 "$WORK"/dotenv/*
generate dotenv
for library in ${KURA_DOTENV:+"$KURA_DOTENV"/dotenv-*}; do
    case $(basename "$library") in
    dotenv-2.[5-7].*) format=dotenv-2 ;;
    dotenv-2.8.*) format=dotenv-2.8 ;;
    *) format=dotenv ;;
    esac
    check "dotenv: generated, against $(basename "$library")" status_is 0 compare "$format" "$library" 0 "$WORK"/dotenv/*
done

# --- that a difference is seen
printf 'a: 1\n' >"$WORK/a.yml"
echo '{"settings":{"a":"1"}}' >"$WORK/ours"
for other in '{"settings":{"a":"2"}}' '{"settings":{}}' '{"error":"no"}'; do
    echo "$other" >"$WORK/theirs"
    check "a difference is seen: $other" status_is 1 node "$PARSERS/compare.mjs" 100 "$WORK/ours" "$WORK/theirs" "$WORK/a.yml"
done
finish
