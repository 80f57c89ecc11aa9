/* held - what a worker is doing and since when, in memory its master sees: so that one which a peer holds, or which
 * hangs, can be replaced. The worker writes its own, the master only looks.
 * Shape:     the clock starts when a connection is taken and runs until the worker is idle again, whatever it does
 *            meanwhile. State and clock are one word: nobody reads half of a change.
 * Memory:    one shared mapping, made before the fork. A NULL one is nobody's: nothing is noted.
 * Times:     clock_mono_us, in ms; the same for all processes of a host.
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_HELD_H
#define HTTP_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

/* HEAD: waits for BEGIN_REQUEST and PARAMS; BODY: reads STDIN; WRITING: until the peer has closed. */
enum held_state { HELD_IDLE, HELD_HEAD, HELD_BODY, HELD_WORKING, HELD_WRITING, HELD_COUNT };
struct held;

/* A head is there whole within half a second or the peer is hung up on (door.h), and nginx sends it at once: whoever
 * is at it for longer hangs. */
enum { HELD_HEAD_MAX_MS = 3000 };

/* n of them, idle; NULL with errno. */
struct held *held_new(size_t n) MUST_CHECK;
void held_free(struct held *all, size_t n);
struct held *held_at(struct held *all, size_t i);

/* The worker's. */
void held_take(struct held *h);                            /* a connection: HELD_HEAD, the clock starts */
void held_turn(struct held *h, enum held_state s);         /* the clock runs on */
void held_idle(struct held *h);

/* The master's. */
struct held_look { enum held_state state; int64_t since_ms; };
void held_reset(struct held *h);                           /* for the next process: idle, nothing taken */
struct held_look held_look(const struct held *h);
uint64_t held_n_taken(const struct held *h);
const char *held_name(enum held_state s);
/* Pure. A request may hold a worker for stuck_ms, its head alone for HELD_HEAD_MAX_MS at most. */
bool held_too_long(struct held_look l, int64_t stuck_ms, int64_t now_ms);

#endif
