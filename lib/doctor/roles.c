/* The role that the application connects as. */
#include <string.h>

#include "doctor_priv.h"
#include "kura/audit.h"
#include "kura/condition.h"
#include "kura/mem.h"
#include "kura/words.h"

/* Its name, from the application's own configuration; NULL: nothing can be said, and the check is skipped. */
static const char *role_of(DoctorScene *scene)
{
    if (!doctor_has_site(scene) || !doctor_has_connection(scene))
        return NULL;
    if (scene->site->database.user == NULL)
        doctor_skip(scene, "the application's configuration names no role");
    return scene->site->database.user;
}

int check_role(DoctorScene *scene, Error *err)
{
    CatalogRole state;
    const char *role = role_of(scene);
    if (role == NULL)
        return 0;
    if (catalog_role(scene->conn, role, &state, err) < 0)
        return -1;
    if (!state.exists)
        doctor_report(scene, "Make it with \"createuser\", with the password of the application's configuration.",
                      "the application connects as role \"%s\", which does not exist on this server", role);
    else if (!state.login)
        doctor_report(scene, "ALTER ROLE .. LOGIN lets it.", "role \"%s\" of the application may not log in", role);
    else if (state.expired)
        doctor_report(scene, "ALTER ROLE .. VALID UNTIL 'infinity' makes it valid again.",
                      "the password of role \"%s\" of the application has expired", role);
    return 0;
}

int check_role_power(DoctorScene *scene, Error *err)
{
    CatalogRole state;
    const char *role = role_of(scene);
    if (role == NULL)
        return 0;
    if (catalog_role(scene->conn, role, &state, err) < 0)
        return -1;
    if (state.superuser)
        doctor_report(scene,
                      "On a server of its own, as in a container, one can live with that: give restores a map, such as "
                      "--map postgres=misskey. Elsewhere let a plain role own the tables.",
                      "role \"%s\" of the application is a superuser", role);
    return 0;
}

static Severity severity_of(OwnSeverity severity)
{
    return severity == OWN_ERROR ? FINDING_ERROR : FINDING_WARNING;
}

static void report_ownership(DoctorScene *scene, const OwnFinding *finding)
{
    if (finding->consequence)
        doctor_report_as(scene, severity_of(finding->severity), finding->cure, "%s: %s", finding->message,
                         finding->consequence);
    else
        doctor_report_as(scene, severity_of(finding->severity), finding->cure, "%s", finding->message);
}

int check_role_owns(DoctorScene *scene, Error *err)
{
    CatalogRole state;
    _cleanup_(audit_report_done) AuditReport report = {0};
    const char *role = role_of(scene);
    if (role == NULL)
        return 0;
    if (catalog_role(scene->conn, role, &state, err) < 0)
        return -1;
    if (!state.exists)
        return doctor_skip(scene, "the application's role does not exist");
    RoleMap *map = rolemap_new();
    const AuditOptions options = {
        .db = scene->db, .map = map, .app_role = role, .cure_command = _("\"kura repair\" with --app-role")};
    int rc = audit_run(&options, &report, scene->findings, err);
    rolemap_free(map);
    for (size_t i = 0; rc == 0 && i < report.findings.n; i++)
        if (report.findings.v[i].severity >= OWN_WARNING)
            report_ownership(scene, &report.findings.v[i]);
    return rc;
}
