#!/bin/sh
# embed-profiles.sh SOURCE FILE.yaml..: the table of profiles that are built in, in this order, their comments left out.
set -eu
source=$1
shift
{
    printf '#include <stddef.h>\n\n#include "builtin.h"\n\nconst BuiltinProfile builtin_profiles[] = {\n'
    for file in "$@"; do
        printf '    {"%s",\n' "$(basename "$file" .yaml)"
        sed -e '/^[[:space:]]*#/d' -e 's/[\\"]/\\&/g' -e 's/^/     "/' -e 's/$/\\n"/' "$file"
        printf '    },\n'
    done
    printf '    {NULL, NULL},\n};\n'
} >"$source"
