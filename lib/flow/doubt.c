#include <string.h>

#include "flow_priv.h"
#include "kura/log.h"
#include "kura/verifystate.h"

int flow_doubt_damages(Repo *repo, Uploader *uploader, Error *err)
{
    Error why = ERROR_INIT;
    VerifyState state = {0};
    if (verifystate_load(repo, &state, &why) < 0) {
        if (!error_is_unreadable(&why)) {
            *err = why;
            return -1;
        }
        log_warning("%s: the repository is asked for every blob", why.message);
        state.more_damages = true;
    }
    for (size_t i = 0; i < state.n_damages; i++) {
        BlobRef ref;
        if (blob_ref_from_key(repo, state.damages[i].object, &ref) == 0)
            uploader_doubt(uploader, &ref, strcmp(state.damages[i].code, "blob-missing") != 0);
    }
    if (state.more_damages)
        uploader_distrust(uploader);
    verifystate_done(&state);
    return 0;
}
