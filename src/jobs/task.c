/* The loop of a task: pass, sleep, pass.
 * SPDX-License-Identifier: MIT */
#include "jobs/task.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "i18n/i18n.h"
#include "store/jobs_store.h"

enum {
	ARENA_CAP_BYTES = 512 * 1024 * 1024,      /* bounds one pass */
	LISTEN_MS = 1000                          /* an ear is asked so often whether it still hears */
};

static int64_t
now_ms(void)
{
	return clock_mono_us() / 1000;
}

static int64_t
least_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
most_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

struct census
task_census(const struct task *t)
{
	return (struct census){ .conf = t->sv.conf, .multi = t->sv.multi, .livekit_kv = t->sv.livekit_kv,
	    .clock = registry_clock(t->sv.registry) };
}

void
task_begin(struct task *t, struct op *op)
{
	arena_reset(t->arena);
	*op = (struct op){ .arena = t->arena, .log = t->sv.log, .meter = t->sv.meter,
	    .lang = LANG_DEFAULT, .started_us = clock_mono_us(),
	    .nodes_ahead_s = node_clock_ahead_s(registry_clock(t->sv.registry)) };
	op->request_id = arena_printf(t->arena, "jobs-%s", t->kind->name);
}

static void
take_signal(struct task *t, int signo)
{
	if (signo != SIGUSR1)
		t->stopping = true;
	else if (!log_reopen(t->sv.log))
		log_note(t->sv.log, LOG_ERROR, "日志无法重新打开", "log_reopen_failed", strerror(errno));
}

void
task_signals(struct task *t)
{
	struct signalfd_siginfo si;

	while (read(t->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		take_signal(t, (int)si.ssi_signo);
}

/* One that fails is tried again with the next pass; why it failed stands in the log. */
void
task_beat(struct task *t, struct op *op)
{
	int64_t now_us = clock_mono_us();
	char host[65] = "";
	struct beat b = { .id = t->id, .instance = t->instance, .task = str_of(t->kind->name),
	    .version = S(PACKAGE_VERSION), .pid = getpid() };

	if (t->beat_at_us != 0 && now_us - t->beat_at_us < TASK_BEAT_MS * 1000LL)
		return;
	(void)gethostname(host, sizeof(host) - 1);
	b.host = str_of(host);
	if (jobs_store_beat(op, t->sv.db, &b) == ERR_OK)
		t->beat_at_us = now_us;
}

/* What was said since the last time brings the end of the sleep nearer. An ear that was deaf may have missed a
 * word, also when it hears again by now. */
static void
hear(struct task *t, int64_t *until_ms)
{
	bool deaf = kv_ear_fd(t->ear) < 0;
	int64_t now = now_ms(), wake = now, least = 0;
	size_t n = kv_ear_hear(t->ear, &least);

	if (deaf)
		*until_ms = least_of(*until_ms, now + TASK_DEAF_POLL_MS);
	if (n == 0)
		return;
	if (t->kind->hears == EAR_DEADLINE && least > 0)
		wake += most_of(least - (clock_wall_ms() + t->db_ahead_ms), 0);
	wake = most_of(wake, t->awake_at_ms + t->kind->gap_ms);
	*until_ms = least_of(*until_ms, wake);
}

void
task_sleep(struct task *t, int64_t ms)
{
	int64_t until = now_ms() + most_of(least_of(ms, TASK_POLL_MS), 0);
	struct pollfd fds[2] = { { .fd = t->signal_fd, .events = POLLIN }, { .events = POLLIN } };
	int64_t left;

	do {
		if (t->ear != NULL)
			hear(t, &until);
		fds[1].fd = t->ear != NULL ? kv_ear_fd(t->ear) : -1;
		left = most_of(until - now_ms(), 0);
		(void)poll(fds, N_ELEMS(fds), (int)(t->ear != NULL ? least_of(left, LISTEN_MS) : left));
		task_signals(t);
	} while (!t->stopping && now_ms() < until);
}

int64_t
task_failed(struct task *t, int64_t pause)
{
	t->failed = true;
	return pause;
}

void
task_passed(struct task *t)
{
	struct str name = str_of(t->kind->name);

	meter_add(t->sv.meter, METER_PASSES, name, t->failed ? S("failed") : S("ok"), 1);
	meter_set(t->sv.meter, METER_LAST_PASS, name, clock_wall_ms() / 1000);
	t->failed = false;
}

static void
pass_by_pass(struct task *t, void *state)
{
	struct op op;
	int64_t ms;

	while (!t->stopping) {
		t->awake_at_ms = now_ms();
		task_begin(t, &op);
		task_beat(t, &op);
		ms = t->kind->pass(t, &op, state);
		task_passed(t);
		task_sleep(t, ms);
	}
}

/* A graceful end: others need not wait for what this process held. */
static void
say_goodbye(struct task *t, void *state)
{
	struct op op;

	task_begin(t, &op);
	if (t->kind->close != NULL)
		t->kind->close(t, &op, state);
	(void)!jobs_store_gone(&op, t->sv.db, t->id);
}

static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static bool
open_task(struct task *t, void **state)
{
	t->signal_fd = open_signals();
	t->arena = arena_new(ARENA_CAP_BYTES);
	*state = calloc(1, t->kind->state_size > 0 ? t->kind->state_size : 1);
	if (t->kind->hears != EAR_NONE)
		t->ear = kv_ear_open(t->sv.conf, t->kind->channel);
	return t->signal_fd >= 0 && t->arena != NULL && *state != NULL &&
	    (t->ear != NULL || t->kind->hears == EAR_NONE);
}

static void
close_task(struct task *t, void *state)
{
	if (t->ear != NULL)
		kv_ear_close(t->ear);
	free(state);
	arena_free(t->arena);
	if (t->signal_fd >= 0)
		close(t->signal_fd);
}

int
task_main(const struct task_kind *k, const struct services *sv, struct str instance)
{
	struct task t = { .kind = k, .sv = *sv, .instance = instance, .signal_fd = -1 };
	int status = EXIT_FAILURE;
	void *state = NULL;
	struct strbuf id;
	char text[40];

	strbuf_init(&id, text, sizeof(text));
	rng_hex32(&id);
	t.id = strbuf_str(&id);
	if (open_task(&t, &state)) {
		if (k->run != NULL)
			k->run(&t, state);
		else
			pass_by_pass(&t, state);
		say_goodbye(&t, state);
		status = EXIT_SUCCESS;
	} else {
		log_note(sv->log, LOG_ERROR, "后台任务无法启动", "task_failed", k->name);
	}
	close_task(&t, state);
	return status;
}
