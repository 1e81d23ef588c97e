/* The roles of a rehearsal. What belonged to a superuser goes to the target's, where that is possible: a view or a
 * function of his would not work as somebody else's. */
#include <ctype.h>
#include <string.h>

#include "flow_priv.h"
#include "kura/export.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "rehearse_priv.h"

enum { READABLE_MAX = 24 };

/* A part of a name by which a person recognises it: ASCII alone, because a target's databases may have any encoding. */
static void readable(const char *name, char ret[READABLE_MAX + 1])
{
    size_t n = 0;
    for (; *name && n < READABLE_MAX; name++) {
        if (isascii(*name) && isalnum(*name))
            ret[n++] = (char)tolower(*name);
        else if (n > 0 && ret[n - 1] != '_')
            ret[n++] = '_';
    }
    while (n > 0 && ret[n - 1] == '_')
        n--;
    ret[n] = 0;
}

static int add_rule(Rehearse *rehearse, const RoleUse *use, size_t number, const char *superuser, Error *err)
{
    const DbRole *role = dbfacts_role(&rehearse->manifest->database.facts, use->name);
    char part[READABLE_MAX + 1];
    readable(use->name, part);
    _cleanup_free_ char *old = sql_quote_ident(use->name);
    _cleanup_free_ char *made = xasprintf("%s_%zu%s%s", rehearse->name, number, part[0] ? "_" : "", part);
    bool is_superuser = role && role->superuser && superuser;
    _cleanup_free_ char *to = sql_quote_ident(is_superuser ? superuser : made);
    _cleanup_free_ char *rule = xasprintf("%s=%s", old, to);
    if (!is_superuser) {
        strvec_push(&rehearse->roles, use->name);
        strvec_push(&rehearse->made, made);
    }
    return rolemap_add(rehearse->options->map, rule, err);
}

int rehearse_map_roles(Rehearse *rehearse, const CatalogTarget *target, bool as_superuser, Error *err)
{
    const ManifestDatabase *database = &rehearse->manifest->database;
    RoleMap *map = rehearse->options->map;
    RoleUses uses = {0};
    Toc *toc;
    if (flow_load_toc(rehearse->repo, database, &toc, err) < 0)
        return -1;
    int rc = rolemap_survey(toc, &database->facts, map, &uses, err);
    toc_free(toc);
    for (size_t i = 0; rc == 0 && i < uses.n; i++) {
        const RoleUse *use = &uses.v[i];
        bool mapped = use->ruled || use->new_name == NULL || strcmp(use->new_name, use->name) != 0;
        if (!mapped && role_is_needed(use))
            rc = add_rule(rehearse, use, i + 1, as_superuser ? target->superuser_name : NULL, err);
    }
    roleuses_done(&uses);
    return rc < 0 ? error_wrap(err, "the roles of the rehearsal") : 0;
}

/* Names that are made begin with the rehearsal's own, which is in no other text. */
char *rehearse_old_names(const Rehearse *rehearse, const char *text)
{
    Buf out = BUF_INIT(SIZE_MAX);
    size_t prefix = strlen(rehearse->name);
    for (const char *at; (at = strstr(text, rehearse->name)) != NULL;) {
        size_t best = rehearse->made.n, len = 0;
        for (size_t i = 0; i < rehearse->made.n; i++) {
            size_t n = strlen(rehearse->made.v[i]);
            if (n > len && strncmp(at, rehearse->made.v[i], n) == 0) {
                best = i;
                len = n;
            }
        }
        buf_append(&out, text, (size_t)(at - text), NULL);
        if (len > 0)
            buf_append_str(&out, rehearse->roles.v[best], NULL);
        else
            buf_append(&out, at, len = prefix, NULL);
        text = at + len;
    }
    buf_append_str(&out, text, NULL);
    char *ret = xstrdup(buf_str(&out));
    buf_done(&out);
    return ret;
}
