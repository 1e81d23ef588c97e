-- The benchmark's tables: a fediverse server's four largest shapes. generate.c makes their rows.
CREATE TABLE accounts (
    id bigint NOT NULL,
    username varchar NOT NULL,
    domain varchar,
    display_name varchar DEFAULT '' NOT NULL,
    note text DEFAULT '' NOT NULL,
    uri varchar NOT NULL,
    fields jsonb,
    public_key text NOT NULL,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
CREATE TABLE statuses (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    uri varchar NOT NULL,
    in_reply_to_id bigint,
    text text DEFAULT '' NOT NULL,
    spoiler_text text DEFAULT '' NOT NULL,
    visibility integer DEFAULT 0 NOT NULL,
    language varchar,
    tags text[] DEFAULT '{}' NOT NULL,
    poll jsonb,
    reactions jsonb DEFAULT '{}' NOT NULL,
    score double precision,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
CREATE TABLE favourites (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    status_id bigint NOT NULL,
    created_at timestamp(6) NOT NULL
);
CREATE TABLE deliveries (
    id bigint NOT NULL,
    inbox integer NOT NULL,
    attempts integer NOT NULL,
    filler char(84) NOT NULL
);
