/* loop - the statements of an op and nothing else, on so many connections at once: the limit that the product's own
 * figures are held against. One line of JSON, as bench/load prints.
 * use: loop [-c CONNECTIONS] [-s SECONDS] [-m MAX] [-y] [-p PREFIX] TAPE OP
 *   -m: at most so many, one about each call of the prefix; -y: round and round over these. DB_SOCKET, DB_HOST, DB_PORT,
 *   DB_USER, DB_PASSWORD, DB_NAME: the database.
 * SPDX-License-Identifier: MIT */
#include <mysql.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "player.h"
#include "tally.h"

enum { CONNECTIONS_MAX = 256, NS_PER_S = 1000000000 };

struct loop {
	struct tape tape;
	const struct tape_op *op;
	const char *prefix;
	uint64_t max, seed;
	bool round;
	int64_t end_ns;
	_Atomic uint64_t n_begun;
	_Atomic bool failed;
};

struct lane {
	struct loop *loop;
	struct player *player;
	struct tally tally;
	pthread_t thread;
};

static void *
run(void *arg)
{
	struct lane *lane = arg;
	struct loop *l = lane->loop;

	(void)mysql_thread_init();
	while (!l->failed && tally_now_ns() < l->end_ns) {
		uint64_t n = atomic_fetch_add(&l->n_begun, 1);
		int64_t from_ns = tally_now_ns();
		enum played played;
		struct ids ids;

		if (!l->round && n >= l->max)
			break;
		ids_of(l->prefix, l->round ? n % l->max : n, &ids);
		played = player_play(lane->player, &ids, l->seed + n);
		if (played == PLAY_FAILED) {
			lane->tally.n_errors++;
			l->failed = true;
			break;
		}
		lane->tally.n_again += played == PLAYED_AGAIN;
		lane->tally.n_requests += (int64_t)l->op->n_stmts;
		tally_add(&lane->tally, from_ns, tally_now_ns());
	}
	mysql_thread_end();
	return NULL;
}

static bool
open_all(struct loop *l, struct lane *lanes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		lanes[i].loop = l;
		if ((lanes[i].player = player_open(&l->tape, l->op)) == NULL)
			return false;
	}
	return true;
}

static int
measure(struct loop *l, size_t n, double seconds)
{
	struct lane *lanes = calloc(n, sizeof(*lanes));
	struct tally all = { 0 };
	size_t n_threads = 0;
	bool good;

	good = lanes != NULL && open_all(l, lanes, n);
	l->end_ns = tally_now_ns() + (int64_t)(seconds * NS_PER_S);
	while (good && n_threads < n && pthread_create(&lanes[n_threads].thread, NULL, run, &lanes[n_threads]) == 0)
		n_threads++;
	for (size_t i = 0; i < n_threads; i++)
		(void)pthread_join(lanes[i].thread, NULL);
	for (size_t i = 0; lanes != NULL && i < n; i++) {
		tally_take(&all, &lanes[i].tally);
		tally_free(&lanes[i].tally);
		player_close(lanes[i].player);
	}
	good = good && n_threads == n && !l->failed;
	if (good)
		tally_print(&all, l->op->name);
	tally_free(&all);
	free(lanes);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
usage(void)
{
	fprintf(stderr, "use: loop [-c CONNECTIONS] [-s SECONDS] [-m MAX] [-y] [-p PREFIX] TAPE OP\n");
	return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct loop l = { .prefix = "loop", .max = UINT64_MAX };
	size_t n_conns = 8;
	double seconds = 5;
	int c, rc;

	while ((c = getopt(argc, argv, "c:m:p:s:y")) != -1) {
		switch (c) {
		case 'c': n_conns = strtoul(optarg, NULL, 10); break;
		case 'm': l.max = strtoull(optarg, NULL, 10); break;
		case 'p': l.prefix = optarg; break;
		case 's': seconds = strtod(optarg, NULL); break;
		case 'y': l.round = true; break;
		default: return usage();
		}
	}
	if (optind + 2 != argc || n_conns == 0 || n_conns > CONNECTIONS_MAX || l.max == 0)
		return usage();
	if (!tape_read(argv[optind], &l.tape) || (l.op = tape_find(&l.tape, argv[optind + 1])) == NULL) {
		fprintf(stderr, "loop: no op '%s' on %s\n", argv[optind + 1], argv[optind]);
		return EXIT_FAILURE;
	}
	/* Ids of events must be new in every run. */
	l.seed = ids_mix((uint64_t)tally_now_ns() ^ (uint64_t)getpid() << 40);
	(void)mysql_library_init(0, NULL, NULL);
	rc = measure(&l, n_conns, seconds);
	tape_free(&l.tape);
	mysql_library_end();
	return rc;
}
