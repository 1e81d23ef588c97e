#!/bin/sh
# embed-texts.sh HEADER NAME FILE..: a table of the files, static const struct { const char *name, *text; } NAME[], by their
# names without the ending.
set -eu
header=$1 table=$2
shift 2
{
    printf 'static const struct {\n    const char *name, *text;\n} %s[] = {\n' "$table"
    for file in "$@"; do
        name=${file##*/}
        printf '    {"%s",\n' "${name%.*}"
        sed -e 's/[\\"]/\\&/g' -e 's/^/     "/' -e 's/$/\\n"/' "$file"
        printf '    },\n'
    done
    printf '};\n'
} >"$header"
