#include "kura/mem.h"
#include "kura/ownplan.h"

OwnFinding *own_finding_add(OwnFindings *findings, OwnSeverity severity, const char *code)
{
    xgrow(&findings->v, &findings->cap, findings->n);
    OwnFinding *finding = &findings->v[findings->n++];
    *finding = (OwnFinding){.severity = severity, .code = code};
    return finding;
}

void own_findings_done(OwnFindings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        free(findings->v[i].message);
        free(findings->v[i].consequence);
        free(findings->v[i].cure);
        strvec_done(&findings->v[i].objects);
    }
    free(findings->v);
    *findings = (OwnFindings){0};
}

size_t own_findings_count(const OwnFindings *findings, OwnSeverity at_least)
{
    size_t n = 0;
    for (size_t i = 0; i < findings->n; i++)
        n += findings->v[i].severity >= at_least;
    return n;
}
