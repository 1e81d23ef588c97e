/* The password of a role that a restore creates: the one that the application's configuration has for it, so that the
 * application can log in. */
#ifndef KURA_CMD_ROLEPASSWORD_H
#define KURA_CMD_ROLEPASSWORD_H

#include "session.h"

typedef struct RolePassword {
    Session *session;
    const Manifest *manifest; /* NULL: an archive */
    const char *config_dir;   /* where the configuration was restored; NULL: nowhere */
    const RoleMap *map;
    AppSite *site; /* read there, once; NULL: not yet, or it cannot be */
    bool tried;
} RolePassword;

/* RestoreOptions.password; ctx is a RolePassword. */
char *role_password(void *ctx, const char *role);
void role_password_done(RolePassword *password);

#endif
