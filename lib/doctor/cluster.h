/* The clusters of PostgreSQL on this host, as Debian and its relatives keep them: one directory below /etc/postgresql
 * for each, with the configuration, and the data elsewhere. */
#ifndef KURA_DOCTOR_CLUSTER_H
#define KURA_DOCTOR_CLUSTER_H

#include <stdint.h>

#include "host.h"

typedef struct Cluster {
    char *name;       /* "16/main" */
    char *data_dir;   /* NULL: the configuration does not say */
    char *port;       /* "5432" */
    char *socket_dir; /* as it is here; NULL: it has none */
    char *start;      /* "auto", "manual", "disabled" */
    bool running;

    /* What it holds of the database that is asked for. */
    bool looked;     /* .. was tried */
    bool known;      /* the rest can be believed */
    bool exists;     /* there is a database of this name */
    uint64_t tables; /* of users, in it */
    uint64_t bytes;  /* of it; of a cluster that is down: of all its databases */
} Cluster;

typedef struct Clusters {
    Cluster *v;
    size_t n;
} Clusters;

/* Those of the scene, found at the first call. */
Clusters *clusters_of(DoctorScene *scene);
void clusters_free(Clusters *clusters); /* NULL-safe */

/* The running cluster of this host that the site is set to, by its port; NULL: none, or nobody knows. */
const Cluster *cluster_of_site(DoctorScene *scene);

/* Looks into a cluster for a database of this name, once, as whom and with what conninfo says: through the socket, and
 * where that is of no use through host. Of one that is down the size of its data is taken. */
void cluster_look(Cluster *cluster, const DoctorScene *scene, const char *conninfo, const char *host,
                  const char *database);

#endif
