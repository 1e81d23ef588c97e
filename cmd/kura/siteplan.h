/* What kura finds of an application, looked at once and shown by `kura init --app-dir`. */
#ifndef KURA_CMD_SITEPLAN_H
#define KURA_CMD_SITEPLAN_H

#include "kura/fileset.h"
#include "session.h"

typedef struct SitePlan {
    const AppSite *site;
    bool has_database; /* its configuration names one */
    bool connected;    /* .. and it can be reached; else a finding tells why */
    char *server_version;
    uint64_t database_bytes;
    char *bucket; /* that holds the media; NULL: none, or not known */
    struct SitePlanFiles {
        bool there;
        FilesetSurvey survey;
    } * filesets; /* one for each of the site's */
} SitePlan;

/* Connects, and walks the filesets without reading any file. What is missing or cannot be reached becomes a finding.
 * siteplan_done for *ret. */
int siteplan_make(Session *session, SitePlan *ret, Error *err);
void siteplan_done(SitePlan *plan);

/* with_cache: nothing is left out. No password or key is shown. */
json_t *json_of_siteplan(const SitePlan *plan, bool with_cache);
void print_siteplan(FILE *out, const SitePlan *plan, bool with_cache);

#endif
