#include "kura/rehearsal.h"

#include <string.h>

#include "document_priv.h"
#include "jsonnode_priv.h"
#include "kura/manifest.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "rehearsal_priv.h"

const char *const rehearsal_verdicts[] = {N_("passed"), N_("findings"), N_("failed"), NULL};
const char *const rehearsal_severities[] = {"note", "warning", "error", NULL};
const char *const rehearsal_change_kinds[] = {"added", "removed", "changed", NULL};

const char *verdict_name(Verdict verdict)
{
    return rehearsal_verdicts[verdict];
}

bool verdict_parse(const char *name, Verdict *ret)
{
    for (Verdict verdict = VERDICT_PASSED; rehearsal_verdicts[verdict]; verdict++) {
        if (strcmp(rehearsal_verdicts[verdict], name) == 0) {
            *ret = verdict;
            return true;
        }
    }
    return false;
}

Rehearsal *rehearsal_new(void)
{
    Rehearsal *rehearsal = xcalloc(1, sizeof(Rehearsal));
    rehearsal->newest_row_age = -1;
    return rehearsal;
}

/* Frees an array of structs, each one's texts first. */
#define FREE_LIST(list, n, ...)                                                                                        \
    do {                                                                                                               \
        for (size_t i_ = 0; i_ < (n); i_++) {                                                                          \
            __typeof__(*(list)) *item = &(list)[i_];                                                                   \
            char *texts[] = {__VA_ARGS__};                                                                             \
            for (size_t j_ = 0; j_ < ARRAY_SIZE(texts); j_++)                                                          \
                free(texts[j_]);                                                                                       \
        }                                                                                                              \
        free(list);                                                                                                    \
    } while (0)

static void run_done(RehearsalRun *run)
{
    free(run->command);
    free(run->output);
    FREE_LIST(run->changes, run->n_changes, item->what, item->name, item->before, item->after);
    FREE_LIST(run->locks, run->n_locks, item->table, item->mode);
    FREE_LIST(run->rows, run->n_rows, item->table);
}

static void lists_done(Rehearsal *rehearsal)
{
    FREE_LIST(rehearsal->phases, rehearsal->n_phases, item->name);
    FREE_LIST(rehearsal->proofs, rehearsal->n_proofs, item->name, item->title, item->unit, item->skipped);
    FREE_LIST(rehearsal->tables, rehearsal->n_tables, item->schema, item->name);
    FREE_LIST(rehearsal->filesets, rehearsal->n_filesets, item->name);
    FREE_LIST(rehearsal->findings, rehearsal->n_findings, item->code, item->message, item->hint);
}

void rehearsal_free(Rehearsal *rehearsal)
{
    if (rehearsal == NULL)
        return;
    char *const texts[] = {rehearsal->id,       rehearsal->backup,         rehearsal->app,
                           rehearsal->host,     rehearsal->kura_version,   rehearsal->started,
                           rehearsal->finished, rehearsal->backup_started, rehearsal->backup_finished,
                           rehearsal->error,    rehearsal->hint,           rehearsal->newest_row_where,
                           rehearsal->kept};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(texts[i]);
    lists_done(rehearsal);
    run_done(&rehearsal->run);
    free(rehearsal);
}

static int check(const void *text, size_t len, Error *err)
{
    _cleanup_(rehearsal_free_cleanup) Rehearsal *copy = NULL;
    return rehearsal_parse(text, len, &copy, err);
}

static const DocumentKind kind = {
    .what = N_("rehearsal"),
    .prefix = "rehearsals/",
    .sealed = "sealed-rehearsal",
    .max = REHEARSAL_MAX,
    .check = check,
};

int rehearsal_commit(Repo *repo, const Rehearsal *rehearsal, Error *err)
{
    _cleanup_(json_unref) json_t *document = rehearsal_to_json(rehearsal);
    return document_put(repo, &kind, rehearsal->id, document, true, err);
}

int rehearsal_load(Repo *repo, const char *id, Rehearsal **ret, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(kind.max);
    _cleanup_(rehearsal_free_cleanup) Rehearsal *rehearsal = NULL;
    if (document_get(repo, &kind, id, &text, err) < 0)
        return -1;
    if (rehearsal_parse(text.data, text.len, &rehearsal, err) < 0)
        return error_wrap(err, "reading rehearsal %s", id);
    if (strcmp(rehearsal->id, id) != 0)
        return error_set(err, ERR_CORRUPT, "rehearsal %s holds the document of another one, %s", id, rehearsal->id);
    *ret = steal(rehearsal);
    return 0;
}

int rehearsal_list(Repo *repo, StrVec *ret, Error *err)
{
    return document_list(repo, &kind, "", ret, err);
}

char *rehearsal_new_id(const Repo *repo, const char *app)
{
    return manifest_new_id(repo, app);
}

/* Whether another document would do as well without this one. */
static bool can_be_left_out(ErrorCode code)
{
    return code == ERR_CORRUPT || code == ERR_UNSUPPORTED || code == ERR_KEY || code == ERR_NOT_FOUND;
}

/* Takes one over if it is of that application. */
static int take_earlier(Repo *repo, const char *id, const char *app, Rehearsal **list, size_t *n, Error *err)
{
    Error why = ERROR_INIT;
    _cleanup_(rehearsal_free_cleanup) Rehearsal *one = NULL;
    if (rehearsal_load(repo, id, &one, &why) < 0) {
        if (can_be_left_out(why.code))
            return 0;
        if (err)
            *err = why;
        return -1;
    }
    if (strcmp(one->app, app) == 0)
        list[(*n)++] = steal(one);
    return 0;
}

static void reverse(Rehearsal **list, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        Rehearsal *last = list[n - 1 - i];
        list[n - 1 - i] = list[i];
        list[i] = last;
    }
}

int rehearsal_earlier(Repo *repo, const Rehearsal *rehearsal, size_t max, Rehearsal ***ret, size_t *ret_n, Error *err)
{
    _cleanup_(strvec_done) StrVec ids = {0};
    size_t n = 0;
    if (rehearsal_list(repo, &ids, err) < 0)
        return -1;
    Rehearsal **list = xcalloc(max + 1, sizeof *list);
    for (size_t i = ids.n; i-- > 0 && n < max;) {
        const char *id = ids.v[i];
        if (strcmp(id, rehearsal->id) >= 0 || !manifest_id_fits_app(repo, id, rehearsal->app))
            continue;
        if (take_earlier(repo, id, rehearsal->app, list, &n, err) < 0) {
            rehearsals_free(list, n);
            return -1;
        }
    }
    reverse(list, n);
    *ret = list;
    *ret_n = n;
    return 0;
}

void rehearsals_free(Rehearsal **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rehearsal_free(list[i]);
    free(list);
}
