/* tally - how long each of many took, and the line of JSON that says so.
 * Ownership: tally_free frees what tally_add made. SPDX-License-Identifier: MIT */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct tally {
	uint32_t *us;
	size_t n, n_max;
	int64_t n_requests, n_errors, n_again;    /* again: played anew after a deadlock */
	int64_t first_ns, last_ns;
};

int64_t tally_now_ns(void);                   /* never steps back */
/* One that began and ended then. Ends the program when there is no memory left. */
void tally_add(struct tally *t, int64_t from_ns, int64_t to_ns);
/* All of `from` into t, which then spans both. */
void tally_take(struct tally *t, const struct tally *from);
void tally_print(struct tally *t, const char *op);
void tally_free(struct tally *t);

#endif
