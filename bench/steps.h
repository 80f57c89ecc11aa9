/* steps - what bench/load can ask for: each op a list of requests about one call.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_STEPS_H
#define BENCH_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "ids.h"

enum step { STEP_HEALTH, STEP_GET, STEP_SYNC, STEP_CREATE, STEP_JOIN_A, STEP_JOIN_B, STEP_LEAVE_B, STEP_COUNT };

enum { STEPS_MAX = 8, BODY_MAX = 256, REQUEST_MAX = 1024 };

struct op {
	const char *name;
	enum step steps[STEPS_MAX];
	size_t n_steps;
};

/* NULL: there is none of that name. */
const struct op *op_find(const char *name);

struct request { const char *method; char path[BODY_MAX], body[BODY_MAX]; };
void step_describe(enum step s, const struct ids *of, struct request *out);
/* As it goes to nginx; its length. key "": without a header for it. */
size_t step_write(enum step s, const struct ids *of, const char *key, char out[REQUEST_MAX]);

#endif
