/* lease - the written lock of a migration: a row with an end, renewed by us between statements and by
 * a small process of our own while one runs, since a statement takes as long as its table is large.
 * When we die, however hard, the keeper sees our pipe close and the lease runs out.
 * SPDX-License-Identifier: MIT */
#include "schema/schema_private.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"

enum {
	LEASE_MS = 30 * 1000,
	RENEW_MS = 10 * 1000,
	LOOK_AGAIN_MS = 250,
	WAIT_S = 600,
	KEEPER_ARENA = 1 << 20,
};

/* until_ms always changes, so that "no row changed" can only mean "not ours". */
static const struct sql_stmt TAKE = {
	.name = "schema_lock_take",
	.text = "UPDATE schema_lock SET holder = ?, until_ms = GREATEST(until_ms + 1, " SQL_NOW_MS " + ?)"
	    " WHERE id = 1 AND (holder = '' OR holder = ? OR until_ms < " SQL_NOW_MS ")",
};
static const struct sql_stmt RENEW = {
	.name = "schema_lock_renew",
	.text = "UPDATE schema_lock SET until_ms = GREATEST(until_ms + 1, " SQL_NOW_MS " + ?)"
	    " WHERE id = 1 AND holder = ?",
};
static const struct sql_stmt RELEASE = {
	.name = "schema_lock_release",
	.text = "UPDATE schema_lock SET holder = '', until_ms = 0 WHERE id = 1 AND holder = ?",
};

struct holder_row { struct str holder; int64_t left_ms; };

static const struct sql_col HOLDER_COLS[] = {
	SQL_COL(struct holder_row, holder),
	SQL_COL(struct holder_row, left_ms),
};
static const struct sql_stmt HOLDER = {
	.name = "schema_lock_holder",
	.text = "SELECT holder, until_ms - " SQL_NOW_MS " FROM schema_lock WHERE id = 1",
	.cols = HOLDER_COLS, .n_cols = N_ELEMS(HOLDER_COLS),
};

static void
name_holder(char *to, size_t cap)
{
	char host[64] = "host";
	struct strbuf b;

	(void)gethostname(host, sizeof(host) - 1);
	strbuf_init(&b, to, cap);
	strbuf_addf(&b, "%.40s:%ld:%08x", host, (long)getpid(), (unsigned)rng_below(UINT32_MAX));
}

static enum err
renew(struct op *op, struct sql_link *l, const char *holder, bool *ours_out)
{
	struct sql_arg args[] = { sql_i64(LEASE_MS), sql_str(str_of(holder)) };
	struct sql_done done = { 0 };
	enum err e = sql_run(op, l, &RENEW, args, N_ELEMS(args), &done);

	*ours_out = done.n_affected == 1;
	return e;
}

/* The keeper: its own link, until the other end of the pipe is gone or the lease is not ours. */
NORETURN static void
keep(const struct schema_job *j, const char *holder, int fd)
{
	struct op op = { .arena = arena_new(KEEPER_ARENA), .log = j->op->log, .lang = j->op->lang };
	struct sql_link *l = sql_twin(j->link);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool ours = true;

	while (ours && poll(&p, 1, RENEW_MS) == 0) {
		/* A failure is tried again at the next turn: the lease outlives two of them. */
		if (renew(&op, l, holder, &ours) != ERR_OK)
			ours = true;
		arena_reset(op.arena);
	}
	sql_close(l);
	arena_free(op.arena);
	/* Not exit(): what the parent has buffered and registered is the parent's. */
	_exit(0);
}

static void
keeper_start(const struct schema_job *j, struct lease *lease)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		(void)close(fds[1]);
		keep(j, lease->holder, fds[0]);
	}
	(void)close(fds[0]);
	if (pid < 0) {
		(void)close(fds[1]);
		return;
	}
	lease->keeper_fd = fds[1];
	lease->keeper_pid = pid;
}

static enum err
try_once(const struct schema_job *j, const char *holder, bool *taken_out)
{
	struct sql_arg args[] = { sql_str(str_of(holder)), sql_i64(LEASE_MS), sql_str(str_of(holder)) };
	struct sql_done done = { 0 };
	enum err e = sql_run(j->op, j->link, &TAKE, args, N_ELEMS(args), &done);

	*taken_out = done.n_affected == 1;
	/* Taking it twice is harmless, so an unknown outcome is simply tried again. */
	return e == ERR_SQL_AGAIN || e == ERR_OUTCOME_UNKNOWN ? ERR_OK : e;
}

static void
say_who_holds(const struct schema_job *j)
{
	struct holder_row row = { 0 };
	bool found = false;

	if (sql_one(j->op, j->link, &HOLDER, NULL, 0, &row, &found) != ERR_OK || !found)
		return;
	job_say(j, "waiting for another migration (%.*s, its lease ends in %lld s unless renewed)",
	    STR_ARG(row.holder), (long long)(row.left_ms / 1000));
}

static void
sleep_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

enum err
lease_take(const struct schema_job *j, struct lease *lease_out)
{
	int64_t wait_s = j->run->wait_s > 0 ? j->run->wait_s : WAIT_S;
	int64_t until_us = clock_mono_us() + wait_s * 1000000;
	bool taken = false, said = false;
	enum err e;

	*lease_out = (struct lease){ .keeper_fd = -1 };
	name_holder(lease_out->holder, sizeof(lease_out->holder));
	while ((e = try_once(j, lease_out->holder, &taken)) == ERR_OK && !taken) {
		if (!said)
			say_who_holds(j);
		said = true;
		if (clock_mono_us() > until_us) {
			job_say(j, "another migration still runs after %lld s: giving up", (long long)wait_s);
			return ERR_UNAVAILABLE;
		}
		sleep_ms(LOOK_AGAIN_MS);
	}
	if (e == ERR_OK)
		keeper_start(j, lease_out);
	return e;
}

enum err
lease_renew(const struct schema_job *j, const struct lease *lease)
{
	bool ours = false;
	enum err e = renew(j->op, j->link, lease->holder, &ours);

	if (e != ERR_OK)
		return ERR_UNAVAILABLE;
	if (ours)
		return ERR_OK;
	job_say(j, "the lock was taken over by another migration: stopping");
	return ERR_UNAVAILABLE;
}

void
lease_release(const struct schema_job *j, struct lease *lease)
{
	struct sql_arg holder = sql_str(str_of(lease->holder));

	if (lease->keeper_fd >= 0) {
		(void)close(lease->keeper_fd);
		(void)waitpid(lease->keeper_pid, NULL, 0);
		lease->keeper_fd = -1;
	}
	if (sql_run(j->op, j->link, &RELEASE, &holder, 1, NULL) != ERR_OK)
		job_say(j, "the lock could not be released; it runs out within %d s", LEASE_MS / 1000);
}
