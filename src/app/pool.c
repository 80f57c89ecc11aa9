/* The children of the master.
 * SPDX-License-Identifier: MIT */
#include "app/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORK_PAUSE_MS = 1000 };

bool
pool_open(struct pool *p, size_t n_slots, struct log *log, pool_child run, void *arg)
{
	*p = (struct pool){ .n_slots = n_slots, .log = log, .run = run, .arg = arg };
	p->slots = calloc(POOL_SLOTS_MAX, sizeof(*p->slots));
	return p->slots != NULL;
}

bool
pool_watch(struct pool *p)
{
	p->held = held_new(2 * POOL_SLOTS_MAX);
	return p->held != NULL;
}

struct held *
pool_held(const struct pool *p, const struct slot *s, bool old)
{
	return held_at(p->held, 2 * (size_t)(s - p->slots) + (old ? s->old_place : s->place));
}

void
pool_close(struct pool *p)
{
	held_free(p->held, 2 * POOL_SLOTS_MAX);
	p->held = NULL;
	free(p->slots);
	p->slots = NULL;
}

/* The earlier of two times, of which 0 means none. */
static int64_t
sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static void
tell(pid_t pid, int signo)
{
	if (pid > 0)
		kill(pid, signo);
}

/* A child must not outlive its master: whoever starts the service anew would have both. */
static void
become_child(const struct pool *p, const struct slot *s, pid_t master)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != master)
		exit(EXIT_SUCCESS);
	exit(p->run(p->arg, (size_t)(s - p->slots), pool_held(p, s, false)));
}

static void
give_birth(struct pool *p, struct slot *s, int64_t now_ms)
{
	pid_t master = getpid();
	pid_t pid;

	if (s->old > 0)
		s->place = 1 - s->old_place;
	held_reset(pool_held(p, s, false));
	pid = fork();
	if (pid == 0)
		become_child(p, s, master);
	if (pid < 0) {
		log_note(p->log, LOG_ERROR, "无法创建工作进程", "fork_failed", strerror(errno));
		s->due_ms = now_ms + FORK_PAUSE_MS;
		return;
	}
	s->pid = pid;
	s->ready = s->stuck = false;
	s->generation = p->generation;
	s->born_ms = now_ms;
}

/* The slot whose new child is not up yet while the old one still serves, or NULL. */
static struct slot *
in_renewal(const struct pool *p)
{
	for (size_t i = 0; i < p->n_slots; i++) {
		if (p->slots[i].old > 0 && !p->slots[i].old_told)
			return &p->slots[i];
	}
	return NULL;
}

/* One slot at a time: the database sees one connection more than usual, not twice as many. */
static void
renew_next(struct pool *p, int64_t now_ms)
{
	if (in_renewal(p) != NULL)
		return;
	for (size_t i = 0; i < p->n_slots; i++) {
		struct slot *s = &p->slots[i];

		if (s->pid == 0 || s->generation == p->generation)
			continue;
		if (s->old > 0)
			return;           /* still leaving; its death brings us back here */
		s->old = s->pid;
		s->old_place = s->place;
		s->old_stuck = s->stuck;
		s->old_told = false;
		s->pid = 0;
		s->due_ms = now_ms;
		give_birth(p, s, now_ms);
		return;
	}
	for (size_t i = 0; i < p->n_slots; i++) {
		if (!p->slots[i].ready)
			return;
	}
	p->renewing = false;
	log_note(p->log, LOG_INFO, "工作进程已全部更新", "workers_renewed", NULL);
}

static void
kill_overdue(struct pool *p, int64_t now_ms)
{
	for (size_t i = 0; i < POOL_SLOTS_MAX; i++) {
		struct slot *s = &p->slots[i];

		if (p->stopping && now_ms >= p->kill_ms) {
			tell(s->pid, SIGKILL);
			tell(s->old, SIGKILL);
		}
		if (s->kill_ms == 0 || now_ms < s->kill_ms)
			continue;
		s->kill_ms = 0;
		tell(s->old, SIGKILL);
		if (i >= p->n_slots)
			tell(s->pid, SIGKILL);
	}
	if (p->stopping && now_ms >= p->kill_ms)
		p->kill_ms = now_ms + POOL_GRACE_MS;
}

void
pool_tick(struct pool *p, int64_t now_ms)
{
	kill_overdue(p, now_ms);
	if (p->stopping)
		return;
	for (size_t i = 0; i < p->n_slots; i++) {
		if (p->slots[i].pid == 0 && p->slots[i].due_ms <= now_ms)
			give_birth(p, &p->slots[i], now_ms);
	}
	if (p->renewing)
		renew_next(p, now_ms);
}

/* What it died of, "" when it left as it should. */
static const char *
kind_of_death(const struct slot *s, pid_t pid, int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 0 ? "" : "failed";
	return (s->old == pid ? s->old_stuck : s->stuck) ? "stuck" : "crashed";
}

static void
log_death(const struct pool *p, size_t slot, pid_t pid, int status, const char *kind, int64_t pause_ms)
{
	struct log_line l;
	bool left = kind[0] == '\0';

	if (!left)
		meter_add(p->meter, METER_PROCESS_DEATHS, str_of(kind), S(""), 1);
	log_begin(&l, p->log, left ? LOG_DEBUG : LOG_ERROR, left ? "工作进程已退出" : "工作进程异常退出",
	    left ? "worker_left" : "worker_died", S(""));
	log_i64(&l, "pid", pid);
	log_i64(&l, "slot", (int64_t)slot);
	log_z(&l, "kind", kind);
	if (WIFSIGNALED(status))
		log_i64(&l, "signal", WTERMSIG(status));
	else
		log_i64(&l, "status", WEXITSTATUS(status));
	log_i64(&l, "pause_ms", pause_ms);
	log_end(&l);
}

/* A child that was up and left with status 0 was asked to, or has served its share: no back-off. */
static int64_t
bury(const struct pool *p, struct slot *s, pid_t pid, int status, int64_t now_ms)
{
	bool left = s->ready && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool worked = held_n_taken(pool_held(p, s, false)) > 0;
	int64_t pause_ms = 0;

	if (s->old == pid) {
		s->old = 0;
		s->old_stuck = false;
		s->kill_ms = 0;
		return 0;
	}
	if (!left)
		pause_ms = backoff_died(&s->backoff, now_ms - s->born_ms, worked);
	s->pid = 0;
	s->ready = false;
	s->due_ms = now_ms + pause_ms;
	return pause_ms;
}

void
pool_reap(struct pool *p, int64_t now_ms)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < POOL_SLOTS_MAX; i++) {
			struct slot *s = &p->slots[i];
			const char *kind;

			if (s->pid != pid && s->old != pid)
				continue;
			kind = kind_of_death(s, pid, status);
			log_death(p, i, pid, status, kind, bury(p, s, pid, status, now_ms));
			break;
		}
	}
}

void
pool_is_up(struct pool *p, pid_t pid, int64_t now_ms)
{
	for (size_t i = 0; i < p->n_slots; i++) {
		struct slot *s = &p->slots[i];

		if (s->pid != pid)
			continue;
		s->ready = true;
		if (s->old > 0 && !s->old_told) {
			tell(s->old, SIGTERM);
			s->old_told = true;
			s->kill_ms = now_ms + POOL_GRACE_MS;
		}
		return;
	}
}

void
pool_renew(struct pool *p, size_t n_slots, struct log *log, int64_t now_ms)
{
	for (size_t i = n_slots; i < p->n_slots; i++) {
		struct slot *s = &p->slots[i];

		tell(s->pid, SIGTERM);
		tell(s->old, SIGTERM);
		s->old_told = true;
		s->kill_ms = now_ms + POOL_GRACE_MS;
	}
	/* A slot that comes back from retirement keeps nobody's deadline, and what made the
	 * children die may just have been mended. */
	for (size_t i = p->n_slots; i < n_slots; i++)
		p->slots[i].kill_ms = 0;
	for (size_t i = 0; i < n_slots; i++) {
		p->slots[i].backoff = (struct backoff){ 0 };
		p->slots[i].due_ms = sooner(p->slots[i].due_ms, now_ms);
	}
	p->n_slots = n_slots;
	p->log = log;
	p->generation++;
	p->renewing = true;
}

void
pool_stop(struct pool *p, int64_t now_ms)
{
	if (p->stopping)
		return;
	p->stopping = true;
	p->kill_ms = now_ms + POOL_GRACE_MS;
	pool_signal(p, SIGTERM);
}

void
pool_signal(struct pool *p, int signo)
{
	for (size_t i = 0; i < POOL_SLOTS_MAX; i++) {
		tell(p->slots[i].pid, signo);
		tell(p->slots[i].old, signo);
	}
}

size_t
pool_n_alive(const struct pool *p)
{
	size_t n = 0;

	for (size_t i = 0; i < POOL_SLOTS_MAX; i++)
		n += (size_t)(p->slots[i].pid > 0) + (size_t)(p->slots[i].old > 0);
	return n;
}

int
pool_idle_ms(const struct pool *p, int64_t now_ms)
{
	int64_t next = p->stopping ? p->kill_ms : 0;

	for (size_t i = 0; i < POOL_SLOTS_MAX; i++) {
		const struct slot *s = &p->slots[i];

		next = sooner(next, s->kill_ms);
		if (!p->stopping && i < p->n_slots && s->pid == 0)
			next = sooner(next, s->due_ms);
	}
	if (next == 0)
		return -1;
	return next > now_ms ? (int)(next - now_ms) : 0;
}
