/* pool - the children of the master: one slot each, a birth for every death, and renewal.
 * Shape:     a slot holds the child that serves (or is about to) and, during renewal, the one
 *            before it, which goes on serving until its successor says that it is up.
 *
 *                birth            ready, TERM to `old`
 *            empty ---> starting ---------------------> serving ---(death: back-off)---> empty
 *
 *            Each of the two has a place of its own in `held`, where it notes what it does.
 * Ownership: pool_open and pool_close; `run` and what it points at live as long.
 * Times:     `now_ms` is a clock that never steps back.
 * Fork:      children leave by exit(), with what run() returned; no child returns from pool_tick.
 * SPDX-License-Identifier: MIT */
#ifndef APP_POOL_H
#define APP_POOL_H

#include <sys/types.h>

#include "app/backoff.h"
#include "base/log.h"
#include "base/meter.h"
#include "http/held.h"

enum { POOL_SLOTS_MAX = 1024, POOL_GRACE_MS = 10 * 1000 };

typedef int (*pool_child)(void *arg, size_t slot, struct held *held);

struct slot {
	pid_t pid, old;           /* 0: none */
	bool ready;               /* pid said that it is up */
	bool old_told;            /* old got its TERM */
	bool stuck, old_stuck;    /* the watchdog killed it */
	unsigned place, old_place;        /* 0 or 1: which of the slot's two in `held` is its own */
	unsigned generation;      /* of pid */
	int64_t born_ms;          /* of pid */
	int64_t due_ms;           /* no birth before */
	int64_t kill_ms;          /* old, or in a retired slot both, are killed then */
	struct backoff backoff;
};

struct pool {
	struct slot *slots;       /* POOL_SLOTS_MAX; those from n_slots on are retired */
	size_t n_slots;
	unsigned generation;
	bool renewing, stopping;
	int64_t kill_ms;          /* when stopping */
	struct log *log;
	struct meter *meter;      /* counts deaths; NULL: nobody does */
	struct held *held;        /* two a slot; NULL: children that note nothing, and no watchdog */
	pool_child run;
	void *arg;
};

bool pool_open(struct pool *p, size_t n_slots, struct log *log, pool_child run, void *arg)
    MUST_CHECK;
/* Before the first birth: the children note what they do. False with errno. */
bool pool_watch(struct pool *p) MUST_CHECK;
void pool_close(struct pool *p);
/* Where the child (or the one before it) of a slot notes what it does; NULL without pool_watch. */
struct held *pool_held(const struct pool *p, const struct slot *s, bool old);
/* Births that are due, the next step of a renewal, kills of those that overstayed. */
void pool_tick(struct pool *p, int64_t now_ms);
/* Collects the dead. */
void pool_reap(struct pool *p, int64_t now_ms);
/* The child `pid` is up. */
void pool_is_up(struct pool *p, pid_t pid, int64_t now_ms);
/* From now on n_slots children, all of them born after this call; a new log. */
void pool_renew(struct pool *p, size_t n_slots, struct log *log, int64_t now_ms);
void pool_stop(struct pool *p, int64_t now_ms);
void pool_signal(struct pool *p, int signo);
size_t pool_n_alive(const struct pool *p);
/* How long nothing is due: for poll(). -1: until something happens. */
int pool_idle_ms(const struct pool *p, int64_t now_ms);

#endif
