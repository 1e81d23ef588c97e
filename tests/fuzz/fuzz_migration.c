/* Texts of migrations, as code that nobody has read has them. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "kura/mem.h"
#include "schema_priv.h"

/* TypeORM takes no other name than one that ends with a moment. */
static void check_ids(const SchemaHistory *history)
{
    for (size_t i = 0; i < history->n; i++) {
        size_t len = strlen(history->v[i].id);
        fuzz_require(len >= 13 && strspn(history->v[i].id + len - 13, "0123456789") == 13);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SchemaHistory history = {.tool = SCHEMA_TYPEORM};
    StrVec texts = {0};
    char *text = xstrndup((const char *)data, size);
    schema_typeorm_classes(text, &history);
    check_ids(&history);
    schema_history_done(&history);
    schema_python_texts(text, "revision", &texts);
    schema_python_texts(text, "down_revision", &texts);
    strvec_done(&texts);
    free(schema_flyway_version(text, strlen(text)));
    schema_flyway_checksum(data, size);
    free(text);
    return 0;
}
