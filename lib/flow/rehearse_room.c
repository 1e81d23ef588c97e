/* How much disk a rehearsal takes, before it takes it. */
#include "rehearse_priv.h"
#include "room.h"

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

int rehearse_check_room(Rehearse *rehearse, PgConn *admin, Error *err)
{
    uint64_t wanted = rehearse->result->estimated_bytes = room_for_database(rehearse->manifest), left, size;
    uint64_t most = rehearse->options->max_size;
    if (most > 0 && wanted > most) {
        error_set(err, ERR_FAILED, "the rehearsal would take about %.1f MiB of disk, --max-size allows %.1f MiB",
                  mib(wanted), mib(most));
        return error_hint(err, "Allow more, or rehearse on another server with --server.");
    }
    if (!room_of_server(admin, &left, &size))
        return 0;
    uint64_t reserve = room_reserve(size);
    if (wanted + reserve <= left)
        return 0;
    error_set(err, ERR_FAILED,
              "the rehearsal would take about %.1f MiB of disk; the server's has %.1f MiB left, of which %.1f MiB must "
              "stay free",
              mib(wanted), mib(left), mib(reserve));
    return error_hint(err, "Make room, or rehearse on another server with --server.");
}
