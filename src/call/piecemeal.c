/* piecemeal - the loop around the pieces of a long operation.
 * SPDX-License-Identifier: MIT */
#include "call/piecemeal.h"

#include "base/clock.h"

enum { PIECE_BYTES = 32 << 20 };

enum err
piecemeal(struct op *op, piece one, void *arg, int64_t most_ms, bool *end_out)
{
	int64_t start_us = clock_mono_us();
	struct op part = *op;
	enum err e;

	*end_out = false;
	part.arena = arena_new(PIECE_BYTES);
	do {
		arena_reset(part.arena);
		e = one(&part, arg, end_out);
	} while (e == ERR_OK && !*end_out && (most_ms == 0 || clock_mono_us() - start_us < most_ms * 1000));
	op->n_sql = part.n_sql;
	op->db_us = part.db_us;
	arena_free(part.arena);
	return e;
}
