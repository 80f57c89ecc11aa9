/* ids - the call a number stands for: the same for bench/load, which asks for it, and bench/loop, which plays the
 * statements. Ids look made by chance, as a backend's do, so that indexes are hit all over.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_IDS_H
#define BENCH_IDS_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

struct ids { char room[33], a[18], b[18]; };      /* the call, who made it, who is called */

/* Every bit of the argument reaches every bit of the value. */
static inline uint64_t
ids_mix(uint64_t v)
{
	v += 0x9e3779b97f4a7c15u;
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
	v = (v ^ v >> 27) * 0x94d049bb133111ebu;
	return v ^ v >> 31;
}

static inline void
ids_of(const char *prefix, uint64_t n, struct ids *out)
{
	uint64_t seed = 0, v;

	for (const char *p = prefix; *p != '\0'; p++)
		seed = ids_mix(seed ^ (unsigned char)*p);
	v = ids_mix(seed + n);
	(void)snprintf(out->room, sizeof(out->room), "%016" PRIx64 "%016" PRIx64, ids_mix(v), v);
	(void)snprintf(out->a, sizeof(out->a), "a%016" PRIx64, v);
	(void)snprintf(out->b, sizeof(out->b), "b%016" PRIx64, v);
}

#endif
