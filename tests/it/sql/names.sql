-- Names that bite, the same ones for the same seed. Variables: seed.
SELECT setseed(:seed / 100000.0), set_config('names.last', '', false) \g /dev/null

-- The longest beginning of a text that fits into a name.
CREATE FUNCTION pg_temp.fit(name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    WHILE octet_length(name) > 63 LOOP
        name := left(name, -1);
    END LOOP;
    RETURN name;
END $$;

CREATE FUNCTION pg_temp.pick(list text[]) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT list[1 + floor(random() * cardinality(list))::int]';

CREATE FUNCTION pg_temp.fresh_name() RETURNS text LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    -- keywords, options, numbers, syntax of PostgreSQL's and of kura's own files and messages, all lengths and scripts
    whole text[] := ARRAY['public', 'PUBLIC', 'Public', 'select', 'SELECT', 'all', 'ALL', 'user', 'current_user', 'CURRENT_USER', 'session_user', 'current_role',
        'null', 'NULL', 'default', 'table', 'to', 'from', 'grant', 'granted', 'with', 'owner', 'postgres', 'template1', 'information_schema', 'pg_toast', 'oid', 'ctid',
        'WITH GRANT OPTION', 'TO PUBLIC', 'GRANTED BY "x"', 'x" TO "y', 'x; DROP TABLE y; --', 'x''); DROP TABLE y; --', '16384', '0', '-1', '1e5', 'a.b', '"a"."b"', '"', '""', '''', '''''',
        '3; 1259 16400 TABLE public x postgres', E'1\n2; 2615 2200 SCHEMA - public postgres', '; 1262 5 DATABASE - x y', E'x\nALTER TABLE y OWNER TO z;', E'x\n\\connect y',
        '--', '--drop', '--help', '-Fc', '-1', '-', '--dbname=x', '-- kura', '/*', '*/', '/* x */', '*', '@drop', '*=x', 'a=b', 'a,b', '#x', '{a,b}', '{"a":1}', '[x]', 'a=r/b', '=r/x', 'x=UC/"y"',
        'host=nowhere.example', 'dbname=''x'' user=y', 'postgresql://nowhere.example/x', 'service=x', '../../etc/passwd', '/dev/null', '.', '..', '~', 'a/b', 'C:\x', 'a b', ' ', '  ', ' lead', 'trail ', E'\n', E'\t', E'tab\there', E'cr\rhere', E'\r\n',
        '$$', '$a$', '$1', '${HOME}', '$(id)', '`id`', '!x', '&x', '|x', '%', '%s%n%d', '%20', '%2525', ':x', ':"x"', ':''x''', '\x', '\', '\\', '\.', '\N', '\restrict x', 'E''\x27', 'U&"\0041"',
        'error: x', 'FATAL:  x', 'pg_restore: error: x', 'pg_restore: from TOC entry 1; 1 1 TABLE x y', 'Command was: x', 'kura kept "x"', 'x_before_y', 'x_kura_0000', 'true', 'false', 'none_', 'COPY x FROM stdin;',
        U&'e\0301', U&'\00E9', U&'\00C9', 'ß', 'ẞ', 'İ', 'ı', U&'\200B', U&'x\200By', U&'\202Erbo', U&'\FEFFx', U&'\00A0', U&'\2028x', U&'\0085', U&'\0301', '😀', '👨‍👩‍👧', '🇯🇵', E'\x1b[31mred\x1b[0m', E'\x07', E'\x7f', E'\x01\x02',
        repeat('蔵', 21), repeat('倉', 20) || 'abc', repeat('x', 63), repeat('X', 63), repeat('"', 63), repeat('''', 63), repeat('\', 63), repeat(E'\n', 63), repeat(' ', 63), repeat('😀', 15), repeat('%s', 31)];
    parts text[] := ARRAY['"', '''', '\', ';', '$$', E'\n', E'\t', E'\r', '%s', '*', '=', '-', '--', '/*', ',', '.', '/', ':', '@', '#', '(', ')', '[', '{', '|', '&', '!', '?', '<', '>', '~', '`', ' ', '  ', 'a', 'B', '0', 'select', 'Öl', '日本', '蔵元', '😀', U&'\0301', ' TO ', E'\x1b['];
    last text := current_setting('names.last');
    dice double precision := random();
    name text := '';
BEGIN
    IF dice < 0.45 OR last = '' THEN
        name := pg_temp.pick(whole);
    ELSIF dice < 0.8 THEN
        FOR i IN 0 .. floor(random() * 9)::int LOOP
            name := name || pg_temp.pick(parts);
        END LOOP;
    ELSIF dice < 0.9 THEN -- differs in case only, or not at all
        name := CASE WHEN random() < 0.5 THEN upper(last) ELSE lower(last) END;
    ELSE
        name := CASE WHEN random() < 0.5 THEN last || pg_temp.pick(parts) ELSE pg_temp.pick(parts) || last END;
    END IF;
    name := pg_temp.fit(name);
    PERFORM set_config('names.last', name, false);
    RETURN name;
END $body$;

-- Runs "before NAME after" with new names until one is free and allowed; tells the name, or NULL when that is not why it
-- is refused.
CREATE FUNCTION pg_temp.run_named(before text, after text DEFAULT '', literal boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOR try IN 1 .. 100 LOOP
        name := pg_temp.fresh_name();
        BEGIN
            EXECUTE before || CASE WHEN literal THEN quote_literal(name) ELSE quote_ident(name) END || after;
            RETURN name;
        EXCEPTION
            WHEN duplicate_object OR duplicate_table OR duplicate_column OR duplicate_schema OR duplicate_function OR duplicate_database OR reserved_name OR unique_violation THEN
                NULL;
            WHEN OTHERS THEN
                RAISE WARNING 'refused: %...%: %', before, after, SQLERRM;
                RETURN NULL;
        END;
    END LOOP;
    RAISE EXCEPTION 'no name will do for %...%', before, after;
END $$;
