/* Which application a backup is of. */
#ifndef KURA_FLOW_APPLICATION_H
#define KURA_FLOW_APPLICATION_H

#include "kura/app.h"
#include "kura/findings.h"
#include "kura/manifest.h"
#include "kura/pg.h"

/* What the manifest tells of it. To be freed. */
ManifestApplication *application_stamp(const AppSite *site);
/* How far its database is migrated, as the open transaction of conn sees it, which goes on whatever happens. What is
 * not known is a note. */
int application_stamp_schema(ManifestApplication *application, const AppSite *site, PgConn *conn, Findings *findings,
                             Error *err);

#endif
