/* The algebra of access control lists, as in PostgreSQL's utils/adt/acl.c. Lists are short: they are searched and kept
 * sorted by insertion. */
#include <string.h>

#include "kura/mem.h"
#include "kura/owned.h"

void own_acl_done(OwnAcl *acl)
{
    free(acl->v);
    *acl = (OwnAcl){0};
}

void own_acl_copy(OwnAcl *ret, const OwnAcl *acl)
{
    *ret = (OwnAcl){.n = acl->n, .cap = acl->n};
    if (acl->n == 0)
        return;
    ret->v = xcalloc(acl->n, sizeof *ret->v);
    memcpy(ret->v, acl->v, acl->n * sizeof *ret->v);
}

static bool same_place(const OwnGrant *a, const OwnGrant *b)
{
    return a->column == b->column && a->grantee == b->grantee && a->grantor == b->grantor;
}

bool own_acl_equal(const OwnAcl *a, const OwnAcl *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_place(&a->v[i], &b->v[i]) || a->v[i].rights != b->v[i].rights ||
            a->v[i].grantable != b->v[i].grantable)
            return false;
    return true;
}

static int compare_names(const char *a, const char *b)
{
    return a == b ? 0 : a == NULL ? -1 : b == NULL ? 1 : strcmp(a, b);
}

static int compare_places(const OwnGrant *a, const OwnGrant *b)
{
    int order = compare_names(a->column, b->column);
    if (order == 0)
        order = compare_names(a->grantee, b->grantee);
    return order ? order : compare_names(a->grantor, b->grantor);
}

/* Where a grant stands or belongs. */
static size_t place_of(const OwnAcl *acl, const OwnGrant *grant)
{
    size_t from = 0, to = acl->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare_places(&acl->v[middle], grant) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const OwnGrant *own_acl_find(const OwnAcl *acl, const char *column, const char *grantee, const char *grantor)
{
    OwnGrant wanted = {.column = column, .grantee = grantee, .grantor = grantor};
    size_t at = place_of(acl, &wanted);
    return at < acl->n && same_place(&acl->v[at], &wanted) ? &acl->v[at] : NULL;
}

void own_acl_grant(OwnAcl *acl, const OwnGrant *grant)
{
    if ((grant->rights | grant->grantable) == 0)
        return;
    size_t at = place_of(acl, grant);
    if (at == acl->n || !same_place(&acl->v[at], grant)) {
        xgrow(&acl->v, &acl->cap, acl->n);
        memmove(&acl->v[at + 1], &acl->v[at], (acl->n - at) * sizeof *acl->v);
        acl->v[at] = (OwnGrant){.column = grant->column, .grantee = grant->grantee, .grantor = grant->grantor};
        acl->n++;
    }
    acl->v[at].rights |= grant->rights | grant->grantable;
    acl->v[at].grantable |= grant->grantable;
}

void own_acl_revoke(OwnAcl *acl, const OwnGrant *grant)
{
    size_t kept = 0;
    for (size_t i = 0; i < acl->n; i++) {
        OwnGrant *held = &acl->v[i];
        bool meant = (grant->column == NULL || held->column == grant->column) && held->grantee == grant->grantee &&
                     (grant->grantor == NULL || held->grantor == grant->grantor);
        if (meant) {
            held->rights &= ~grant->rights;
            held->grantable &= ~(grant->rights | grant->grantable);
        }
        if (held->rights)
            acl->v[kept++] = *held;
    }
    acl->n = kept;
}

void own_acl_change_owner(OwnAcl *acl, const char *old_owner, const char *new_owner)
{
    OwnAcl changed = {0};
    if (old_owner == new_owner)
        return;
    for (size_t i = 0; i < acl->n; i++) {
        OwnGrant grant = acl->v[i];
        if (grant.grantee && grant.grantee == old_owner)
            grant.grantee = new_owner;
        if (grant.grantor == old_owner)
            grant.grantor = new_owner;
        own_acl_grant(&changed, &grant);
    }
    own_acl_done(acl);
    *acl = changed;
}

void own_acl_default(OwnKind kind, const char *owner, int server_version, OwnAcl *ret)
{
    OwnGrant everybody = {.grantor = owner};
    for (const char *letter = own_kinds[kind].everybody; *letter; letter++)
        everybody.rights |= own_right(*letter);
    *ret = (OwnAcl){0};
    own_acl_grant(ret,
                  &(OwnGrant){.grantee = owner, .grantor = owner, .rights = own_rights(kind, false, server_version)});
    own_acl_grant(ret, &everybody);
}

/* ---- aclitem[] as text ---- */

typedef struct AclText {
    const char *at;
    Buf item; /* an element of the array, unquoted */
} AclText;

static int bad_acl(const char *text, Error *err)
{
    return error_set(err, ERR_CORRUPT, "an access control list that kura does not understand: %.200s", text);
}

/* An element of an array behind '{' or ','; quoted or not. */
static int read_element(AclText *text, Error *err)
{
    buf_clear(&text->item);
    bool quoted = *text->at == '"';
    text->at += quoted;
    while (*text->at && (quoted ? *text->at != '"' : *text->at != ',' && *text->at != '}')) {
        text->at += *text->at == '\\' && text->at[1];
        if (buf_append(&text->item, text->at++, 1, err) < 0)
            return -1;
    }
    if (quoted && *text->at != '"')
        return bad_acl(buf_str(&text->item), err);
    text->at += quoted;
    return 0;
}

/* A role's name up to one of `end`, in double quotes or not; *at moves behind it. To be freed. */
static char *read_role(const char **at, const char *end)
{
    char *name = xmalloc(strlen(*at) + 1), *out = name;
    bool quoted = false;
    for (; **at && (quoted || strchr(end, **at) == NULL); ++*at) {
        if (**at != '"') {
            *out++ = **at;
        } else if (quoted && (*at)[1] == '"') {
            *out++ = '"';
            ++*at;
        } else {
            quoted = !quoted;
        }
    }
    *out = 0;
    return name;
}

static int read_item(OwnNames *names, const char *item, const char *column, OwnAcl *acl, Error *err)
{
    const char *at = item;
    OwnGrant grant = {.column = column};
    _cleanup_free_ char *grantee = read_role(&at, "=");
    if (*at++ != '=')
        return bad_acl(item, err);
    for (; *at && *at != '/'; at++) {
        uint32_t right = own_right(*at); /* a letter of a later server's is passed over */
        grant.rights |= right;
        if (at[1] == '*') {
            grant.grantable |= right;
            at++;
        }
    }
    if (*at++ != '/')
        return bad_acl(item, err);
    _cleanup_free_ char *grantor = read_role(&at, "");
    grant.grantee = *grantee ? own_name(names, grantee) : NULL;
    grant.grantor = own_name(names, grantor);
    own_acl_grant(acl, &grant);
    return 0;
}

int own_acl_parse(OwnNames *names, const char *text, const char *column, OwnAcl *acl, Error *err)
{
    AclText reader = {.at = text + 1, .item = BUF_INIT(4096)};
    int rc = *text == '{' ? 0 : bad_acl(text, err);
    while (rc == 0 && *reader.at && *reader.at != '}') {
        rc = read_element(&reader, err);
        if (rc == 0)
            rc = read_item(names, buf_str(&reader.item), column, acl, err);
        reader.at += *reader.at == ',';
    }
    if (rc == 0 && strcmp(reader.at, "}") != 0)
        rc = bad_acl(text, err);
    buf_done(&reader.item);
    return rc;
}
