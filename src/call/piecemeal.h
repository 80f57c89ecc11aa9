/* piecemeal - a long operation in pieces: each has memory of its own, which is free again after it, and between two
 * of them somebody may say that time is up.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_PIECEMEAL_H
#define CALL_PIECEMEAL_H

#include "base/op.h"

/* One piece; what it leaves behind is in arg, and nothing of it in op->arena. *end_out: it was the last. */
typedef enum err (*piece)(struct op *op, void *arg, bool *end_out);

/* Piece by piece until the last, an error, or, where most_ms > 0, until so much time has passed (then
 * *end_out is false). At least one is done. */
enum err piecemeal(struct op *op, piece one, void *arg, int64_t most_ms, bool *end_out) MUST_CHECK;

#endif
