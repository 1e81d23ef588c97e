#include "entrykind.h"

#include <string.h>

#include "kura/mem.h"

/* In strcmp order. Strings of SERVER, USER MAPPING and SUBSCRIPTION speak of another server's roles, those of COMMENT
 * and SECURITY LABEL of nothing that has an effect. */
static const EntryType types[] = {
    {"<Init>", ENTRY_PLAIN, false, false},
    {"ACCESS METHOD", ENTRY_PLAIN, false, false},
    {"ACL", ENTRY_ACL, false, false},
    {"ACL LANGUAGE", ENTRY_ACL, false, false},
    {"AGGREGATE", ENTRY_PLAIN, true, false},
    {"BLOB", ENTRY_PLAIN, true, false},
    {"BLOB COMMENTS", ENTRY_PLAIN, false, false},
    {"BLOB METADATA", ENTRY_PLAIN, true, false},
    {"BLOBS", ENTRY_PLAIN, false, false},
    {"CAST", ENTRY_PLAIN, false, false},
    {"CHECK CONSTRAINT", ENTRY_PLAIN, false, true},
    {"COLLATION", ENTRY_PLAIN, true, false},
    {"COMMENT", ENTRY_PLAIN, false, false},
    {"CONSTRAINT", ENTRY_PLAIN, false, true},
    {"CONVERSION", ENTRY_PLAIN, true, false},
    {"DATABASE", ENTRY_PLAIN, true, false},
    {"DATABASE PROPERTIES", ENTRY_DB_SETTINGS, false, true},
    {"DEFAULT", ENTRY_PLAIN, false, true},
    {"DEFAULT ACL", ENTRY_DEFAULT_ACL, false, false},
    {"DOMAIN", ENTRY_PLAIN, true, true},
    {"ENCODING", ENTRY_PLAIN, false, false},
    {"EVENT TRIGGER", ENTRY_PLAIN, true, false},
    {"EXTENSION", ENTRY_PLAIN, false, false},
    {"FK CONSTRAINT", ENTRY_PLAIN, false, false},
    {"FOREIGN DATA WRAPPER", ENTRY_PLAIN, true, false},
    {"FOREIGN TABLE", ENTRY_PLAIN, true, true},
    {"FUNCTION", ENTRY_PLAIN, true, true},
    {"INDEX", ENTRY_PLAIN, false, true},
    {"INDEX ATTACH", ENTRY_PLAIN, false, false},
    {"MATERIALIZED VIEW", ENTRY_PLAIN, true, true},
    {"MATERIALIZED VIEW DATA", ENTRY_PLAIN, false, false},
    {"OPERATOR", ENTRY_PLAIN, true, false},
    {"OPERATOR CLASS", ENTRY_PLAIN, true, false},
    {"OPERATOR FAMILY", ENTRY_PLAIN, true, false},
    {"POLICY", ENTRY_POLICY, false, true},
    {"PROCEDURAL LANGUAGE", ENTRY_PLAIN, true, false},
    {"PROCEDURE", ENTRY_PLAIN, true, true},
    {"PUBLICATION", ENTRY_PLAIN, true, false},
    {"PUBLICATION TABLE", ENTRY_PLAIN, false, true},
    {"PUBLICATION TABLES IN SCHEMA", ENTRY_PLAIN, false, false},
    {"ROW SECURITY", ENTRY_PLAIN, false, false},
    {"RULE", ENTRY_PLAIN, false, true},
    {"SCHEMA", ENTRY_PLAIN, true, false},
    {"SEARCHPATH", ENTRY_PLAIN, false, false},
    {"SECURITY LABEL", ENTRY_PLAIN, false, false},
    {"SEQUENCE", ENTRY_PLAIN, true, false},
    {"SEQUENCE OWNED BY", ENTRY_PLAIN, false, false},
    {"SEQUENCE SET", ENTRY_PLAIN, false, false},
    {"SERVER", ENTRY_PLAIN, true, false},
    {"SHELL TYPE", ENTRY_PLAIN, false, false},
    {"STATISTICS", ENTRY_PLAIN, true, true},
    {"STATISTICS DATA", ENTRY_PLAIN, false, false},
    {"STDSTRINGS", ENTRY_PLAIN, false, false},
    {"SUBSCRIPTION", ENTRY_PLAIN, true, false},
    {"SUBSCRIPTION TABLE", ENTRY_PLAIN, false, false},
    {"TABLE", ENTRY_PLAIN, true, true},
    {"TABLE ATTACH", ENTRY_PLAIN, false, true},
    {"TABLE DATA", ENTRY_PLAIN, false, false},
    {"TEXT SEARCH CONFIGURATION", ENTRY_PLAIN, true, false},
    {"TEXT SEARCH DICTIONARY", ENTRY_PLAIN, true, false},
    {"TEXT SEARCH PARSER", ENTRY_PLAIN, false, false},
    {"TEXT SEARCH TEMPLATE", ENTRY_PLAIN, false, false},
    {"TRANSFORM", ENTRY_PLAIN, false, false},
    {"TRIGGER", ENTRY_PLAIN, false, true},
    {"TYPE", ENTRY_PLAIN, true, false},
    {"USER MAPPING", ENTRY_USER_MAPPING, false, false},
    {"VIEW", ENTRY_PLAIN, true, true},
    {"WARNING", ENTRY_PLAIN, false, false},
    {"pg_largeobject", ENTRY_PLAIN, false, false},
};

static int compare_desc(const void *desc, const void *type)
{
    return strcmp(desc, ((const EntryType *)type)->desc);
}

const EntryType *entry_type(const char *desc)
{
    static const EntryType unknown = {"", ENTRY_UNKNOWN, true, true};
    const EntryType *type = bsearch(desc ? desc : "", types, ARRAY_SIZE(types), sizeof *types, compare_desc);
    return type ? type : &unknown;
}

bool entry_is_owned(const TocEntry *entry)
{
    return entry_type(entry->desc)->ownable && entry->owner && entry->owner[0] && entry->drop_stmt &&
           entry->drop_stmt[0];
}

char *entry_label(const TocEntry *entry)
{
    const char *desc = entry->desc ? entry->desc : "", *tag = entry->tag ? entry->tag : "";
    if (entry->namespace && entry->namespace[0])
        return xasprintf("%s %s.%s", desc, entry->namespace, tag);
    return xasprintf("%s %s", desc, tag);
}
