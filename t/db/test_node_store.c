/* The rows of nodes on a real server.
 * SPDX-License-Identifier: MIT */
#include "store/node_store.h"

#include "call/recall.h"
#include "support/db.h"

static struct db d;

static void
forget(void)
{
	db_text(&d, "DELETE FROM livekit_node");
	db_text(&d, "DELETE FROM rtc_participant WHERE room_id LIKE 'test-nodes%'");
	db_text(&d, "DELETE FROM rtc_room WHERE room_id LIKE 'test-nodes%'");
}

static void
set_up(void)
{
	d = db_open(NULL);
	forget();
}

static void
tear_down(void)
{
	forget();
	db_close(&d);
}

static struct node_row *rows;
static size_t n_rows;

static const struct node_row *
get(struct str addr)
{
	ck_assert_int_eq(node_store_list(&d.op, d.l, &rows, &n_rows), ERR_OK);
	for (size_t i = 0; i < n_rows; i++)
		if (str_eq(rows[i].addr, addr))
			return &rows[i];
	return NULL;
}

static void
found(struct str addr, struct str id, bool answered, bool down)
{
	const struct node_found f = { .addr = addr, .host = S("node-1"), .livekit_id = id, .answered = answered,
	    .down = down };

	ck_assert_int_eq(node_store_found(&d.op, d.l, &f), ERR_OK);
}

START_TEST(a_drain_is_kept_with_who_and_when)
{
	int64_t at;

	ck_assert_ptr_null(get(S("a:1")));
	ck_assert_int_eq(node_store_drain(&d.op, d.l, S("a:1"), S("ops")), ERR_OK);
	at = get(S("a:1"))->drained_at_ms;
	ck_assert(get(S("a:1"))->drained && str_eq(rows[0].drained_by, S("ops")));
	ck_assert_int_gt(at, 1700000000000);
	ck_assert_int_le(at, rows[0].now_ms);
	/* Again by somebody else: nothing new. */
	db_text(&d, "UPDATE livekit_node SET drained_at_ms = 5");
	ck_assert_int_eq(node_store_drain(&d.op, d.l, S("a:1"), S("cli")), ERR_OK);
	ck_assert_int_eq(get(S("a:1"))->drained_at_ms, 5);
	ck_assert(str_eq(rows[0].drained_by, S("ops")));
	/* The watch does not touch it. */
	found(S("a:1"), S("ND_a"), true, false);
	ck_assert(get(S("a:1"))->drained && str_eq(rows[0].livekit_id, S("ND_a")));
	ck_assert_int_eq(node_store_undrain(&d.op, d.l, S("a:1")), ERR_OK);
	ck_assert_int_eq(node_store_undrain(&d.op, d.l, S("a:1")), ERR_OK);
	ck_assert(!get(S("a:1"))->drained && rows[0].drained_by.len == 0);
	ck_assert_int_eq(rows[0].drained_at_ms, 0);
	ck_assert_int_eq(node_store_drain(&d.op, d.l, S("a:1"), S("cli")), ERR_OK);
	ck_assert_int_gt(get(S("a:1"))->drained_at_ms, 5);
	ck_assert(str_eq(rows[0].drained_by, S("cli")));
}
END_TEST

START_TEST(what_the_watch_found)
{
	int64_t seen, since;

	found(S("a:1"), S("ND_1"), true, false);
	seen = get(S("a:1"))->seen_at_ms;
	ck_assert(seen > 1700000000000 && rows[0].down_since_ms == 0 && str_eq(rows[0].host, S("node-1")));
	found(S("a:1"), S(""), false, true);
	since = get(S("a:1"))->down_since_ms;
	ck_assert(since >= seen && rows[0].seen_at_ms == seen && str_eq(rows[0].livekit_id, S("ND_1")));
	/* Still down: since then. Neither: as it was. */
	db_text(&d, "UPDATE livekit_node SET down_since_ms = 7");
	found(S("a:1"), S(""), false, true);
	ck_assert_int_eq(get(S("a:1"))->down_since_ms, 7);
	found(S("a:1"), S(""), false, false);
	ck_assert_int_eq(get(S("a:1"))->down_since_ms, 7);
	found(S("a:1"), S("ND_2"), true, false);
	ck_assert(get(S("a:1"))->down_since_ms == 0 && rows[0].seen_at_ms >= seen);
	ck_assert(str_eq(rows[0].livekit_id, S("ND_2")));
}
END_TEST

START_TEST(rows_of_strangers_are_forgotten)
{
	db_text(&d, "INSERT INTO livekit_node (addr, host, drained, seen_at_ms, down_since_ms) VALUES "
	    "('a:1', '', 0, 1, 2), ('b:1', 'node', 0, 1, 0), ('c:1', '', 1, 1, 0), "
	    "('d:1', '', 0, 1790000000000 * 2, 0), ('e:1', '', 0, 0, 1790000000000 * 2)");
	ck_assert_int_eq(node_store_forget(&d.op, d.l, 1000), ERR_OK);
	ck_assert_ptr_null(get(S("a:1")));
	ck_assert_uint_eq(n_rows, 4);
}
END_TEST

START_TEST(final_rooms)
{
	const struct str asked[] = { S("test-nodes-0"), S("test-nodes-1"), S("test-nodes-2"), S("test-nodes-6"),
		S("test-nodes-x") };
	struct str *out;
	size_t n = 7;

	db_text(&d, "INSERT INTO rtc_room (room_id, creator, status) VALUES ('test-nodes-0', 'u', 0), "
	    "('test-nodes-1', 'u', 1), ('test-nodes-2', 'u', 2), ('test-nodes-6', 'u', 6)");
	ck_assert_int_eq(node_store_final_rooms(&d.op, d.l, asked, 0, &out, &n), ERR_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(node_store_final_rooms(&d.op, d.l, asked, N_ELEMS(asked), &out, &n), ERR_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert(str_eq(out[0], S("test-nodes-2")) || str_eq(out[1], S("test-nodes-2")));
	ck_assert(str_eq(out[0], S("test-nodes-6")) || str_eq(out[1], S("test-nodes-6")));
}
END_TEST

START_TEST(calls_under_way_page_by_page)
{
	struct hosted_room *page;
	int64_t first;
	size_t n;

	db_text(&d, "INSERT INTO rtc_room (room_id, creator, status, started_at_ms, host_since_ms) VALUES "
	    "('test-nodes-1', 'u', 1, 1000, 500), ('test-nodes-2', 'u', 2, 1000, 5000), "
	    "('test-nodes-3', 'u', 1, 1000, 5000), ('test-nodes-4', 'u', 1, 0, 5000)");
	first = db_number(&d, "SELECT id FROM rtc_room WHERE room_id = 'test-nodes-1'");
	ck_assert_int_eq(node_store_hosted_rooms(&d.op, d.l, first - 1, 2, &page, &n), ERR_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert(str_eq(page[0].room_id, S("test-nodes-1")) && !page[0].moved);
	ck_assert(str_eq(page[1].room_id, S("test-nodes-3")) && page[1].moved && page[1].host_since_ms == 5000);
	ck_assert_int_eq(node_store_hosted_rooms(&d.op, d.l, page[1].id, 2, &page, &n), ERR_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert(!page[0].moved);
}
END_TEST

START_TEST(people_who_are_active)
{
	struct str *uids;
	size_t n;

	db_text(&d, "INSERT INTO rtc_participant (room_id, uid, status) VALUES ('test-nodes', 'a', 0), "
	    "('test-nodes', 'b', 1), ('test-nodes', 'c', 3), ('test-nodes-2', 'd', 1)");
	ck_assert_int_eq(node_store_active_people(&d.op, d.l, S("test-nodes"), &uids, &n), ERR_OK);
	ck_assert_uint_eq(n, 2);
}
END_TEST

START_TEST(the_registry_remembers_them)
{
	struct registry *r;
	struct snapshot s;

	db_text(&d, "INSERT INTO livekit_node (addr, livekit_id, drained, seen_at_ms) VALUES "
	    "('10.0.0.1:7880', 'ND_1', 1, " SQL_NOW_MS " - 1000), ('10.0.0.2:7880', 'ND_2', 0, " SQL_NOW_MS " - 61000), "
	    "('10.0.0.3:7880', 'ND_3', 0, " SQL_NOW_MS "), ('10.0.0.4:7880', 'ND_4', 0, 0)");
	d.conf->n_nodes = 0;
	r = registry_open(d.conf);
	recall_nodes(r, d.l);
	registry_snapshot(&d.op, r, NULL, NULL, &s);
	ck_assert_uint_eq(s.n, 2);
	ck_assert(s.nodes[0].drained && str_eq(s.nodes[0].live.id, S("ND_1")) && !node_takes_rooms(&s.nodes[0]));
	ck_assert(node_takes_rooms(&s.nodes[1]) && str_eq(s.nodes[1].addr, S("10.0.0.3:7880")));
	registry_close(r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("store/node_store");
	TCase *tc = tcase_create("nodes");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_drain_is_kept_with_who_and_when);
	tcase_add_test(tc, what_the_watch_found);
	tcase_add_test(tc, rows_of_strangers_are_forgotten);
	tcase_add_test(tc, final_rooms);
	tcase_add_test(tc, calls_under_way_page_by_page);
	tcase_add_test(tc, people_who_are_active);
	tcase_add_test(tc, the_registry_remembers_them);
	suite_add_tcase(s, tc);
	return db_main(s);
}
