/* What a host remembers of its runs as metrics for Prometheus, in the text format that node_exporter's textfile
 * collector reads. Pure. */
#ifndef KURA_METRICS_H
#define KURA_METRICS_H

#include "kura/buf.h"
#include "kura/runstate.h"

/* Appends the metrics of all applications; each name comes once, with its help and its type. */
int metrics_format(RunState *const *states, size_t n, Buf *out, Error *err);

#endif
