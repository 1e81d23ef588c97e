#!/bin/sh
# embed-style.sh STYLE.css HEADER: the style sheet as a string, report_style.
set -eu
{
    printf 'static const char report_style[] =\n'
    sed -e 's/[\\"]/\\&/g' -e 's/^/    "/' -e 's/$/\\n"/' "$1"
    printf '    ;\n'
} >"$2"
