/* Extensions that the site needs, and those that the newest backup holds. */
#include <string.h>

#include "doctor_priv.h"
#include "kura/catalog.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "packages.h"

static const CatalogExtension *find(const CatalogExtensions *extensions, const char *name)
{
    for (size_t i = 0; i < extensions->n; i++)
        if (strcmp(extensions->v[i].name, name) == 0)
            return &extensions->v[i];
    return NULL;
}

/* To be freed. */
static char *how_to_install(const DoctorScene *scene, const char *name)
{
    _cleanup_free_ char *package = package_of_extension(name, pg_server_version(scene->conn) / 10000);
    return package ? xasprintf(_("Install it on the server's host: \"apt install %s\"."), package)
                   : xstrdup(_("Install the package that has it on the server's host; \"apt-cache search postgresql\" "
                               "lists what there is."));
}

static void look_for_backups(DoctorScene *scene, const CatalogExtensions *available)
{
    if (scene->newest == NULL || !scene->newest->has_database)
        return;
    const DbFacts *facts = &scene->newest->database.facts;
    for (size_t i = 0; i < facts->n_extensions; i++) {
        const char *name = facts->extensions[i].name;
        if (find(available, name) || (scene->site && strvec_contains(&scene->site->extensions, name)))
            continue;
        _cleanup_free_ char *remedy = how_to_install(scene, name);
        doctor_report(scene, remedy,
                      "the newest backup holds the extension \"%s\", which the server does not have: a restore on it "
                      "would fail",
                      name);
    }
}

int check_extensions_available(DoctorScene *scene, Error *err)
{
    CatalogExtensions available = {0};
    if (!doctor_has_connection(scene))
        return 0;
    if (catalog_extensions(scene->conn, &available, err) < 0)
        return -1;
    for (size_t i = 0; scene->site && i < scene->site->extensions.n; i++) {
        const char *name = scene->site->extensions.v[i];
        if (find(&available, name))
            continue;
        _cleanup_free_ char *remedy = how_to_install(scene, name);
        doctor_report(scene, remedy, "%s needs the extension \"%s\", which the server does not have",
                      scene->site->title, name);
    }
    look_for_backups(scene, &available);
    catalog_extensions_done(&available);
    return 0;
}

int check_extensions_present(DoctorScene *scene, Error *err)
{
    CatalogExtensions available = {0};
    if (!doctor_has_site(scene) || !doctor_has_connection(scene))
        return 0;
    if (catalog_extensions(scene->conn, &available, err) < 0)
        return -1;
    for (size_t i = 0; i < scene->site->extensions.n; i++) {
        const CatalogExtension *extension = find(&available, scene->site->extensions.v[i]);
        if (extension == NULL || extension->present)
            continue;
        _cleanup_free_ char *remedy =
            xasprintf(extension->trusted ? _("The owner of the database makes it: CREATE EXTENSION \"%s\".")
                                         : _("A superuser makes it in this database: CREATE EXTENSION \"%s\"."),
                      extension->name);
        doctor_report(scene, remedy, "%s needs the extension \"%s\", which %s does not have", scene->site->title,
                      extension->name, pg_where(scene->conn));
    }
    catalog_extensions_done(&available);
    return 0;
}
