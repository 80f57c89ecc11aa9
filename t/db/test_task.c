/* How a task sleeps: words on a real Redis, signals, and no Redis at all.
 * SPDX-License-Identifier: MIT */
#include "jobs/task.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "support/db.h"

/* Ends that a busy machine does not miss. */
enum { SOON_MS = 1000, GAP_MS = 400 };

static struct db d;
static struct kv *k;

static const struct task_kind ANY = {
	.name = "any", .hears = EAR_ANY, .channel = KV_NUMBERED, .gap_ms = GAP_MS,
};
static const struct task_kind DEADLINE = {
	.name = "deadline", .hears = EAR_DEADLINE, .channel = KV_WAKE,
};

static struct task t;

static int64_t
now_ms(void)
{
	return clock_mono_us() / 1000;
}

/* How long the task slept of what it wanted to. */
static int64_t
slept(int64_t ms)
{
	int64_t begun = now_ms();

	task_sleep(&t, ms);
	return now_ms() - begun;
}

static void
begin(const struct task_kind *kind)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	t = (struct task){ .kind = kind, .sv = { .conf = d.conf, .log = d.op.log } };
	t.signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	t.ear = kv_ear_open(d.conf, kind->channel);
	/* An ear that begins to hear says "look now" once; then it is quiet. */
	(void)slept(0);
	t.awake_at_ms = now_ms() - 60000;
}

static void
set_up(void)
{
	d = db_open(NULL);
	k = kv_open(d.conf);
}

static void
tear_down(void)
{
	kv_ear_close(t.ear);
	(void)close(t.signal_fd);
	kv_close(k);
	db_close(&d);
}

static void
say(enum kv_channel channel, int64_t value)
{
	kv_ear_say(&d.op, k, channel, value);
}

START_TEST(sleeps_as_long_as_it_was_told)
{
	begin(&ANY);
	ck_assert_int_ge(slept(300), 300);
	ck_assert_int_lt(slept(0), SOON_MS);
	ck_assert_int_lt(slept(-5), SOON_MS);
}
END_TEST

START_TEST(at_most_to_the_next_look)
{
	int64_t ms;

	begin(&ANY);
	ms = slept(60000);
	ck_assert_int_ge(ms, TASK_POLL_MS);
	ck_assert_int_lt(ms, TASK_POLL_MS + SOON_MS);
}
END_TEST

START_TEST(a_word_wakes_it_also_one_said_before)
{
	begin(&ANY);
	say(KV_NUMBERED, 5);
	ck_assert_int_lt(slept(4000), SOON_MS);
	say(KV_WAKE, 0);                     /* another channel's */
	ck_assert_int_ge(slept(300), 300);
}
END_TEST

START_TEST(once_in_a_gap)
{
	int64_t ms;

	begin(&ANY);
	t.awake_at_ms = now_ms();
	say(KV_NUMBERED, 5);
	ms = slept(4000);
	ck_assert_int_ge(ms, GAP_MS - 20);
	ck_assert_int_lt(ms, GAP_MS + SOON_MS);
}
END_TEST

START_TEST(only_an_earlier_deadline_wakes_it)
{
	int64_t at, ms;

	begin(&DEADLINE);
	t.db_ahead_ms = 3600 * 1000;         /* that clock is an hour ahead */
	at = clock_wall_ms() + t.db_ahead_ms;
	say(KV_WAKE, at + 60000);
	ck_assert_int_ge(slept(300), 300);
	say(KV_WAKE, at + 60000);
	say(KV_WAKE, at + 900);
	ms = slept(4000);
	ck_assert_int_ge(ms, 400);
	ck_assert_int_lt(ms, 900 + SOON_MS);
	say(KV_WAKE, at - 5000);
	ck_assert_int_lt(slept(4000), SOON_MS);
	say(KV_WAKE, 0);                     /* look now */
	ck_assert_int_lt(slept(4000), SOON_MS);
}
END_TEST

START_TEST(without_redis_it_looks_often)
{
	int64_t ms;

	d.conf->redis_socket = S("no-such-socket");
	begin(&ANY);
	for (int i = 0; i < 3; i++) {
		ms = slept(4000);
		ck_assert_int_ge(ms, TASK_DEAF_POLL_MS);
		ck_assert_int_lt(ms, TASK_DEAF_POLL_MS + SOON_MS);
	}
	ck_assert_int_lt(slept(10), 10 + SOON_MS);
}
END_TEST

START_TEST(signals)
{
	begin(&ANY);
	(void)raise(SIGUSR1);
	ck_assert_int_ge(slept(300), 300);
	ck_assert(!t.stopping);
	(void)raise(SIGTERM);
	ck_assert_int_lt(slept(4000), SOON_MS);
	ck_assert(t.stopping);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db/task");
	TCase *tc = tcase_create("task");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, sleeps_as_long_as_it_was_told);
	tcase_add_test(tc, at_most_to_the_next_look);
	tcase_add_test(tc, a_word_wakes_it_also_one_said_before);
	tcase_add_test(tc, once_in_a_gap);
	tcase_add_test(tc, only_an_earlier_deadline_wakes_it);
	tcase_add_test(tc, without_redis_it_looks_often);
	tcase_add_test(tc, signals);
	suite_add_tcase(s, tc);
	return db_main(s);
}
