#!/bin/bash
# A database whose owners and grants were put in disorder, brought back to what a backup says, and from there to the very
# disorder it was in. Many seeds: KURA_TEST_SEEDS (default 25).
. "$(dirname "$0")/lib.sh"

seeds=${KURA_TEST_SEEDS:-25}
start "${KURA_TEST_PG:-15}" main -c wal_level=logical
install_extension "${KURA_TEST_PG:-15}"
createdb_as zoo1
sql_file zoo1 zoo.sql >"$WORK/zoo.log" 2>&1 || { cat "$WORK/zoo.log"; die 'zoo.sql failed'; }
repo=$WORK/repo
cd "$WORK" || die "no $WORK"
check 'init' status_is 0 kura init --repo "$repo"
check 'backup' status_is '0|3' kura backup --repo "$repo" --db "$(conn zoo1)" --pg-bindir "$(pg_bindir "${KURA_TEST_PG:-15}")"

# The grants of one object come in the order in which they were made, which means nothing: they are sorted here, each
# with the role that makes it.
shape() {
    dump "$1" -C -s -b | awk '
        function flush(  i, j, t) {
            for (i = 2; i <= n; i++) { t = line[i]; for (j = i - 1; j > 0 && line[j] > t; j--) line[j + 1] = line[j]; line[j + 1] = t }
            for (i = 1; i <= n; i++) print line[i]
            n = 0
        }
        /^SET SESSION AUTHORIZATION/ { acl = 1; open = 1; line[++n] = $0; next }
        /^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES)/ { acl = 1 }
        acl && open { line[n] = line[n] " | " $0; if (/^RESET SESSION AUTHORIZATION/) open = 0; next }
        acl && NF { line[++n] = $0; next }
        { if (acl) flush(); acl = 0; print }
        END { flush() }'
}
scramble() { psql -XqAt -v ON_ERROR_STOP=1 -v seed="$2" -v roles='^kq' -d "$(conn "$1")" -f "$SQL/scramble.sql" >"$WORK/scramble.out"; }

shape zoo1 >original.sql
check 'audit against the backup is clean' status_is 0 kura audit --repo "$repo" --backup latest --db "$(conn zoo1)"
one_seed() {
    rm -f undo.sql
    scramble zoo1 "$1" || return 1
    echo "seed $1: changes|refused $(cat scramble.out)" | tee -a seeds.out
    shape zoo1 >scrambled.sql
    ! cmp -s original.sql scrambled.sql || { echo 'the scrambler changed nothing'; return 1; }
    status_is 0 kura repair --repo "$repo" --backup latest --db "$(conn zoo1)" --apply --undo-file undo.sql || return 1
    shape zoo1 >repaired.sql
    same original.sql repaired.sql || return 1
    status_is 0 kura repair --db "$(conn zoo1)" --undo undo.sql --apply || return 1
    shape zoo1 >undone.sql
    same scrambled.sql undone.sql
}
for seed in $(seq 1 "$seeds"); do
    check "seed $seed: repaired and taken back" one_seed "$seed" || break
done

cat seeds.out
finish
