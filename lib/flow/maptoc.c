#include "maptoc.h"

#include "kura/mem.h"
#include "kura/words.h"

static int check(const RoleMap *map, const RoleUses *uses, Findings *findings, Error *err)
{
    size_t before = findings_count(findings, FINDING_ERROR);
    rolemap_check(map, uses, findings);
    size_t errors = findings_count(findings, FINDING_ERROR) - before;
    if (errors > 0)
        return error_set(err, ERR_FAILED,
                         ngettext("the role map does not fit: %zu problem found",
                                  "the role map does not fit: %zu problems found", errors),
                         errors);
    return 0;
}

int maptoc(const RoleMap *map, const DbFacts *facts, Toc *toc, RoleUses *ret, Findings *findings, Error *err)
{
    _cleanup_(roleuses_done) RoleUses uses = {0};
    if (rolemap_survey(toc, facts, map, &uses, err) < 0)
        return error_wrap(err, "looking for roles");
    if (map != NULL) {
        if (check(map, &uses, findings, err) < 0)
            return -1;
        if (rolemap_apply(map, toc, err) < 0)
            return error_wrap(err, "applying the role map");
    }
    *ret = uses;
    uses = (RoleUses){0};
    return 0;
}
