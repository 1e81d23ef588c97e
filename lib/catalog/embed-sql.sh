#!/bin/sh
# embed-sql.sh SOURCE HEADER FILE.sql..: every file becomes a string sql_<its name>, without its comment lines.
set -eu
source=$1 header=$2
shift 2
printf '#include "%s"\n' "$(basename "$header")" > "$source"
printf '#ifndef KURA_CATALOG_SQL_H\n#define KURA_CATALOG_SQL_H\n\n' > "$header"
for file in "$@"; do
    name=sql_$(basename "$file" .sql | tr - _)
    printf 'extern const char %s[];\n' "$name" >> "$header"
    printf '\nconst char %s[] =\n' "$name" >> "$source"
    sed -e '/^[[:space:]]*--/d' -e '/^[[:space:]]*$/d' -e 's/[\\"]/\\&/g' -e 's/^/    "/' -e 's/$/\\n"/' "$file" >> "$source"
    printf '    ;\n' >> "$source"
done
printf '\n#endif\n' >> "$header"
