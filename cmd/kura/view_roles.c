#include "kura/mem.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"
#include "text.h"
#include "view.h"

json_t *json_of_roles(const RoleUses *uses)
{
    json_t *array = json_array();
    for (size_t i = 0; i < uses->n; i++) {
        const RoleUse *use = &uses->v[i];
        json_t *mentioned = json_array();
        for (size_t j = 0; j < use->mentioned_in.n; j++)
            json_array_append_new(mentioned, json_text(use->mentioned_in.v[j]));
        json_array_append_new(
            array,
            json_pack("{s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:o}", "name", json_text(use->name),
                      "becomes", json_text(use->new_name), "ruled", (int)use->ruled, "owns", (json_int_t)use->owns,
                      "grants", (json_int_t)use->grants, "granted_by", (json_int_t)use->granted_by, "default_acls",
                      (json_int_t)use->default_acls, "policies", (json_int_t)use->policies, "user_mappings",
                      (json_int_t)use->user_mappings, "settings", (json_int_t)use->settings, "owns_database",
                      (int)use->owns_database, "mentions", (json_int_t)use->mentions, "mentioned_in", mentioned));
    }
    return array;
}

void print_roles(FILE *out, const RoleUses *uses)
{
    _cleanup_(table_free_cleanup) Table *table =
        table_new(_("role|becomes|>owns|>grants|>granted by|>defaults|>policies|>mappings|>settings|>mentions"));
    for (size_t i = 0; i < uses->n; i++) {
        const RoleUse *use = &uses->v[i];
        char counts[8][TEXT_SIZE];
        table_row(table, use->name, use->new_name ? use->new_name : _("(dropped)"),
                  view_count(use->owns + use->owns_database, counts[0]), view_count(use->grants, counts[1]),
                  view_count(use->granted_by, counts[2]), view_count(use->default_acls, counts[3]),
                  view_count(use->policies, counts[4]), view_count(use->user_mappings, counts[5]),
                  view_count(use->settings, counts[6]), view_count(use->mentions, counts[7]));
    }
    fputs(_("roles\n"), out);
    table_print(table, out, 2);
    for (size_t i = 0; i < uses->n; i++) {
        if (uses->v[i].mentioned_in.n == 0)
            continue;
        _cleanup_free_ char *where = view_join(&uses->v[i].mentioned_in);
        _cleanup_free_ char *line = xasprintf(_("%s is mentioned in: %s"), uses->v[i].name, where);
        _cleanup_free_ char *text = text_escaped(line);
        fprintf(out, "  %s\n", text);
    }
}
