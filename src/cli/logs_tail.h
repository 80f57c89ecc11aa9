/* logs_tail - the last lines of many: a ring that forgets the oldest.
 * Ownership: copies of the lines, freed by tail_free.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_LOGS_TAIL_H
#define CLI_LOGS_TAIL_H

#include "base/str.h"

struct tail {
	char **lines;
	size_t *lens;
	size_t cap, n, next;          /* next: where the coming line goes */
};
/* Out of memory is the end: the process says so and exits. */
void tail_init(struct tail *t, size_t cap);
void tail_add(struct tail *t, struct str line);
struct str tail_at(const struct tail *t, size_t i);           /* 0: the oldest kept */
void tail_free(struct tail *t);

#endif
