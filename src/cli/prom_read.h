/* prom_read - figures out of a text in Prometheus' format, as our own /metrics prints it.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_PROM_READ_H
#define CLI_PROM_READ_H

#include "base/str.h"

/* Which series: all of a name, or those whose labels have these values. */
struct prom_ask {
	const char *name;
	struct { const char *name; struct str value; } labels[2];     /* name NULL: any */
};
/* The sum of the series that fit. False: there is none of that name at all. */
bool prom_sum(struct str text, const struct prom_ask *ask, double *sum_out) MUST_CHECK;

#endif
