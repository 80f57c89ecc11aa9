/* The master process.
 * SPDX-License-Identifier: MIT */
#include "app/master.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/pool.h"
#include "app/process.h"
#include "app/watchdog.h"
#include "base/clock.h"

struct master {
	const struct options *options;
	struct setup *setup;
	const struct plan *plan;
	struct pool pool;
	int signal_fd;
	int ready_read, ready_write;      /* a child that is up writes its pid */
};

static int64_t
now_ms(void)
{
	return clock_mono_us() / 1000;
}

/* In the child. */
static int
run_child(void *arg, size_t slot, struct held *held)
{
	const struct master *m = arg;
	struct child c = { .setup = m->setup, .slot = slot, .ready_fd = m->ready_write,
	    .meter = m->plan->meter, .held = held };

	close(m->signal_fd);
	close(m->ready_read);
	meter_use(m->plan->meter, slot);
	log_count_in(m->setup->log, m->plan->meter);
	return m->plan->run(&c, m->plan->arg);
}

static size_t
n_children(const struct master *m, const struct setup *s)
{
	return m->plan->n > 0 ? m->plan->n : (size_t)s->n_workers;
}

static bool
master_open(struct master *m)
{
	int ends[2];
	sigset_t set;

	process_signals(&set);
	sigaddset(&set, SIGCHLD);
	m->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (m->signal_fd < 0)
		return false;
	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
		close(m->signal_fd);
		return false;
	}
	m->ready_read = ends[0];
	m->ready_write = ends[1];
	if (pool_open(&m->pool, n_children(m, m->setup), m->setup->log, run_child, m)) {
		m->pool.meter = m->plan->meter;
		if (!m->plan->watched || pool_watch(&m->pool))
			return true;
	}
	pool_close(&m->pool);
	close(m->signal_fd);
	close(m->ready_read);
	close(m->ready_write);
	return false;
}

static void
master_close(struct master *m)
{
	pool_close(&m->pool);
	close(m->signal_fd);
	close(m->ready_read);
	close(m->ready_write);
}

/* The old set keeps on serving until each process of the new one is up. */
static void
reload(struct master *m)
{
	struct setup fresh;
	char err[SETUP_ERR_CAP] = "";
	struct log_line l;

	if (!setup_load(m->options, &fresh, err, sizeof(err))) {
		/* Ours again, and that of the workers that are still to come; there was memory for it before. */
		(void)conf_use_tz(m->setup->conf);
		log_note(m->setup->log, LOG_ERROR, "新配置被拒绝，继续使用原配置", "config_refused", err);
		return;
	}
	if (m->plan->reloaded != NULL)
		m->plan->reloaded(&fresh, m->plan->arg);
	pool_renew(&m->pool, n_children(m, &fresh), fresh.log, now_ms());
	setup_free(m->setup);
	*m->setup = fresh;
	log_count_in(m->setup->log, m->plan->meter);
	log_begin(&l, m->setup->log, LOG_INFO, "配置已重新读取，逐个更新工作进程", "config_reloaded", S(""));
	log_z(&l, "program", options_name(m->options->program));
	log_i64(&l, "workers", (int64_t)m->pool.n_slots);
	log_end(&l);
}

/* The socket goes first, so that nobody connects to it any more. */
static void
stop(struct master *m, int signo)
{
	struct log_line l;

	if (m->pool.stopping)
		return;
	log_begin(&l, m->setup->log, LOG_INFO, "服务正在停止", "stopping", S(""));
	log_z(&l, "program", options_name(m->options->program));
	log_i64(&l, "signal", signo);
	log_i64(&l, "workers", (int64_t)pool_n_alive(&m->pool));
	log_end(&l);
	if (m->plan->listener != NULL)
		listen_close(m->plan->listener);
	pool_stop(&m->pool, now_ms());
}

static void
take_signal(struct master *m, int signo)
{
	switch (signo) {
	case SIGTERM:
	case SIGINT:
		stop(m, signo);
		break;
	case SIGHUP:
		if (!m->pool.stopping)
			reload(m);
		break;
	case SIGUSR1:
		if (!log_reopen(m->setup->log))
			log_note(m->setup->log, LOG_ERROR, "日志无法重新打开", "log_reopen_failed",
			    strerror(errno));
		pool_signal(&m->pool, SIGUSR1);
		break;
	default:
		break;            /* SIGCHLD only wakes us */
	}
}

static void
take_signals(struct master *m)
{
	struct signalfd_siginfo si;

	while (read(m->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		take_signal(m, (int)si.ssi_signo);
}

static void
take_ready(struct master *m)
{
	pid_t pid;

	while (read(m->ready_read, &pid, sizeof(pid)) == (ssize_t)sizeof(pid))
		pool_is_up(&m->pool, pid, now_ms());
}

/* -1 is never. */
static int
sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Until a signal, a child that is up, or something that is due. */
static void
wait_a_while(struct master *m, struct pollfd *fds, nfds_t n)
{
	int ms = sooner(pool_idle_ms(&m->pool, now_ms()), watchdog_idle_ms(&m->pool));

	if (poll(fds, n, ms) < 0 && errno != EINTR)
		sleep(1);         /* out of kernel memory: the others go on meanwhile */
}

static void
count_children(const struct master *m)
{
	meter_set(m->plan->meter, METER_WORKERS, S("configured"), (int64_t)m->pool.n_slots);
	meter_set(m->plan->meter, METER_WORKERS, S("alive"), (int64_t)pool_n_alive(&m->pool));
}

static void
look_after(struct master *m)
{
	struct pollfd fds[2] = {
		{ .fd = m->signal_fd, .events = POLLIN },
		{ .fd = m->ready_read, .events = POLLIN },
	};

	for (;;) {
		pool_tick(&m->pool, now_ms());
		if (m->pool.stopping && pool_n_alive(&m->pool) == 0)
			return;
		count_children(m);
		wait_a_while(m, fds, N_ELEMS(fds));
		take_ready(m);
		take_signals(m);
		pool_reap(&m->pool, now_ms());
		watchdog_look(&m->pool, m->setup->conf->worker_stuck_ms, now_ms());
	}
}

int
master_run(const struct options *o, struct setup *s, const struct plan *plan)
{
	struct master m = { .options = o, .setup = s, .plan = plan };

	if (!master_open(&m)) {
		log_note(s->log, LOG_ERROR, "主进程无法启动", "master_failed", strerror(errno));
		return EXIT_FAILURE;
	}
	count_children(&m);       /* before a child can be asked */
	look_after(&m);
	master_close(&m);
	return EXIT_SUCCESS;
}
