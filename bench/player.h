/* player - plays an op of a tape on one connection of its own: prepared once, bound, sent, every row read.
 * Ownership: player_close frees what player_open made. SPDX-License-Identifier: MIT */
#ifndef BENCH_PLAYER_H
#define BENCH_PLAYER_H

#include "tape.h"

struct player;

enum played {
	PLAYED,
	PLAYED_AGAIN,                 /* after a deadlock, from where its transaction begins */
	PLAY_FAILED,                  /* said on stderr */
	PLAYED_COUNT
};

/* Connects as DB_SOCKET (or DB_HOST, DB_PORT), DB_USER, DB_PASSWORD and DB_NAME say; NULL: said on stderr. */
struct player *player_open(const struct tape *t, const struct tape_op *op);
void player_close(struct player *p);
enum played player_play(struct player *p, const struct ids *ids, uint64_t seed);

#endif
