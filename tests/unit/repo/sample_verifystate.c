#include "fixture.h"
#include "kura/verifystate.h"

void sample_verifystate(VerifyState *ret)
{
    *ret = (VerifyState){.updated = 1795400000, .host = xstrdup("web1.example")};
    VerifyCycle *all = verifystate_want_cycle(ret, NULL);
    *all =
        (VerifyCycle){.started = 1795000000, .done_bytes = 250, .all_bytes = 1000, .read_blobs = 3, .read_bytes = 240};
    memset(all->cursor, '7', sizeof all->cursor - 1);
    for (int i = 0; i < 2; i++)
        verifycycle_complete(all, &(VerifyCompleted){1790000000 + i, 1792000000 + i, 12, 990});
    verifystate_want_cycle(ret, "caf\xe9");
    VerifyKnown *second = verifystate_add_damage(ret, "blobs/bb/bb.tar", "files-damaged", 1795300000);
    strvec_push(&second->backups, SAMPLE_ID);
    strvec_push(&second->affected, "file media/caf\xe9");
    second->more = true;
    verifystate_add_damage(ret, "blobs/aa/aa.zst", "blob-missing", 1795200000);
    ret->more_damages = true;
}
