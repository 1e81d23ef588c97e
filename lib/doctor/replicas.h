/* The application's replicas, connected to and asked once for all checks. */
#ifndef KURA_DOCTOR_REPLICAS_H
#define KURA_DOCTOR_REPLICAS_H

#include "doctor_priv.h"
#include "kura/replication.h"

typedef struct DoctorReplica {
    char *name; /* "dbSlaves[0] (db-ro:5432)" */
    PgConn *conn;
    Error unreachable; /* why there is no connection */
    ReplServer server;
} DoctorReplica;

struct DoctorReplicas {
    ReplPrimary primary;
    char *role; /* the application's */
    DoctorReplica *v;
    size_t n;
};

/* The primary alone is asked where no application is named. False: there is no connection, and the check is skipped;
 * or it fails with err, whose code is set then. */
bool doctor_replication(DoctorScene *scene, const DoctorReplicas **ret, Error *err);

/* Whether a replica of the configuration is the very server that the application writes to. */
bool replica_is_primary(const DoctorReplicas *replicas, const DoctorReplica *replica);
/* Whether both tell which system they are of, and that differs. */
bool replica_is_foreign(const DoctorReplicas *replicas, const DoctorReplica *replica);

#endif
