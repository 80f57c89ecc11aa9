/* Replaces workers that are held.
 * SPDX-License-Identifier: MIT */
#include "app/watchdog.h"

#include <signal.h>

static void
replace(const struct pool *p, size_t slot, pid_t pid, struct held_look l, int64_t now_ms)
{
	struct log_line line;

	kill(pid, SIGKILL);
	log_begin(&line, p->log, LOG_ERROR, "工作进程被卡住，已替换", "worker_stuck", S(""));
	log_i64(&line, "pid", pid);
	log_i64(&line, "slot", (int64_t)slot);
	log_z(&line, "state", held_name(l.state));
	log_i64(&line, "held_ms", now_ms - l.since_ms);
	log_end(&line);
}

/* A process that was killed is not dead yet: once is enough. */
static void
look_at(struct pool *p, size_t slot, bool old, int64_t stuck_ms, int64_t now_ms)
{
	struct slot *s = &p->slots[slot];
	pid_t pid = old ? s->old : s->pid;
	bool *stuck = old ? &s->old_stuck : &s->stuck;
	struct held_look l;

	if (pid == 0 || *stuck)
		return;
	l = held_look(pool_held(p, s, old));
	if (!held_too_long(l, stuck_ms, now_ms))
		return;
	*stuck = true;
	replace(p, slot, pid, l, now_ms);
}

void
watchdog_look(struct pool *p, int64_t stuck_ms, int64_t now_ms)
{
	if (p->held == NULL)
		return;
	for (size_t i = 0; i < POOL_SLOTS_MAX; i++) {
		look_at(p, i, false, stuck_ms, now_ms);
		look_at(p, i, true, stuck_ms, now_ms);
	}
}

static bool
is_busy(const struct pool *p, const struct slot *s)
{
	return (s->pid > 0 && held_look(pool_held(p, s, false)).state != HELD_IDLE) ||
	    (s->old > 0 && held_look(pool_held(p, s, true)).state != HELD_IDLE);
}

int
watchdog_idle_ms(const struct pool *p)
{
	if (p->held == NULL)
		return -1;
	for (size_t i = 0; i < POOL_SLOTS_MAX; i++) {
		if (is_busy(p, &p->slots[i]))
			return WATCHDOG_BUSY_MS;
	}
	return WATCHDOG_IDLE_MS;
}
