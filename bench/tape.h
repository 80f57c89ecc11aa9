/* tape - the statements of each op, as bench/record.py took them from the server's log, with holes for what differs
 * from call to call.
 * Shape:     lines of a kind, a tab and a text in which \t, \n and \\ stand for themselves:
 *              op NAME       its statements follow; "session": what a connection is set up with
 *              query TEXT    sent as text
 *              stmt TEXT     prepared; its arguments follow in order
 *              int TEXT, str TEXT
 *            Holes: ${r} room, ${a} ${b} people, ${u0} an id for an event (the same number, the same id), ${n60000}
 *            now + that in ms, ${s-1} in s, ${d} now as the Go server's columns have it, ${c3.0.1} statement 3's
 *            row 0, column 1, ${i3.0} the row number statement 3 made, + 0.
 * Ownership: tape_free frees what tape_read made. SPDX-License-Identifier: MIT */
#ifndef BENCH_TAPE_H
#define BENCH_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ids.h"

enum { TAPE_OPS = 16, OP_STMTS = 64, OP_UUIDS = 16, CAPTURE_ROWS = 8, CAPTURE_COLS = 48, TEXT_MAX = 16384 };

enum tape_kind { TAPE_QUERY, TAPE_STMT, TAPE_INT, TAPE_STR, TAPE_COUNT };

struct tape_text { enum tape_kind kind; char *text; bool has_holes; };
struct tape_stmt {
	struct tape_text text;
	struct tape_text *args;
	size_t n_args;
	bool begins;                  /* a transaction: what is played anew after a deadlock begins here */
};
struct tape_op {
	char *name;
	struct tape_stmt stmts[OP_STMTS];
	size_t n_stmts;
	size_t n_uuids;               /* so many events' ids are needed, */
	bool tells_time;              /* and the time as text */
};
struct tape {
	struct tape_op ops[TAPE_OPS];
	size_t n_ops;
};

/* What fills the holes, for one playing of an op. */
struct fill {
	struct ids ids;
	int64_t now_ms;
	char now[32], uuids[OP_UUIDS][48];
	int64_t got[OP_STMTS][CAPTURE_ROWS][CAPTURE_COLS], made[OP_STMTS];
};

/* False: no such file, or not a tape; said on stderr. */
bool tape_read(const char *path, struct tape *out);
void tape_free(struct tape *t);
const struct tape_op *tape_find(const struct tape *t, const char *name);
/* What the op needs of f, but for what statements leave in it. seed: another for each playing. */
void fill_begin(struct fill *f, const struct tape_op *op, const struct ids *ids, uint64_t seed);
/* out[TEXT_MAX]; the length, 0 when it would be longer. */
size_t tape_fill(const struct tape_text *t, const struct fill *f, char *out);

#endif
