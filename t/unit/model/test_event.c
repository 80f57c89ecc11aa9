/* test_event - the bodies of events, byte for byte: the Go server's keys first and in its order.
 * SPDX-License-Identifier: MIT */
#include "model/event.h"

#include "support/scene.h"

static const char *const NAMES[] = { "", "room.started", "room.finished", "participant.accepted",
	"participant.joined", "participant.left", "participant.rejected", "participant.busy",
	"participant.missed", "participant.invited", "participant.cancelled" };

START_TEST(names)
{
	ck_assert_int_eq(EVENT_TYPE_COUNT, N_ELEMS(NAMES));
	ck_assert_str_eq(event_type_name((enum event_type)_i), NAMES[_i]);
}
END_TEST

static struct call *
busy_office(void)
{
	struct call *c = scene("seats=4 invite_on=1 room=1 answered bob=1 cat=2 ann=1");

	c->room.seq = 6;
	c->room.source_channel_id = S("ch\"1");
	c->room.source_channel_type = 2;
	c->room.metadata = S("{\"a\":1}");
	c->rows[0]->device_type = S("web");
	c->rows[0]->device_id = S("d1");
	return c;
}

#define GO_ROOM                                                                                   \
	"{\"room_id\":\"r1\",\"creator\":\"ann\",\"rtc_type\":1,\"invite_on\":1,\"status\":%d,"        \
	"\"max_participants\":4,\"duration\":%d,\"uids\":[%s],\"created_at\":1795224781,"              \
	"\"updated_at\":1795224981"
#define OUR_ROOM                                                                                  \
	",\"event_id\":\"%.*s\",\"seq\":7,\"source_channel_id\":\"ch\\\"1\",\"source_channel_type\":2," \
	"\"end_reason\":\"%s\",\"ended_by\":\"%s\",\"answered_at\":1795224931,\"metadata\":{\"a\":1}"
#define PEOPLE                                                                                    \
	",\"participants\":[{\"uid\":\"bob\",\"status\":1},{\"uid\":\"cat\",\"status\":2},"           \
	"{\"uid\":\"ann\",\"status\":1}]"
/* Nine characters that need escaping. */
#define QUOTES "\"\"\"\"\"\"\"\"\""
#define ALL "\"bob\",\"cat\",\"ann\""

START_TEST(room_started)
{
	struct call *c = busy_office();
	const struct call_event *e;

	event_tell(c, EVENT_ROOM_STARTED, NULL);
	e = &c->events[0];
	ck_assert_str_eq(e->type, "room.started");
	ck_assert_uint_eq(e->uid.len, 0);
	ck_assert_int_eq(e->seq, 7);
	ck_assert_str_eq(e->data.at, arena_printf(scene_arena, GO_ROOM OUR_ROOM "}", 1, 0, ALL,
	    STR_ARG(e->event_id), "", "").at);
}
END_TEST

START_TEST(room_finished)
{
	struct call *c = busy_office();
	const struct call_event *e;

	c->room.status = ROOM_FINISHED;
	c->room.ended_at_ms = c->now_ms;
	c->room.end_reason = S("hangup");
	c->room.ended_by = S("bob");
	event_tell(c, EVENT_ROOM_FINISHED, NULL);
	e = &c->events[0];
	ck_assert_str_eq(e->data.at, arena_printf(scene_arena, GO_ROOM OUR_ROOM PEOPLE "}", 2, 50, ALL,
	    STR_ARG(e->event_id), "hangup", "bob").at);
}
END_TEST

START_TEST(about_a_person)
{
	struct call *c = busy_office();
	const struct call_event *e;

	event_tell_of(c, EVENT_LEFT, c->rows[0]);
	e = &c->events[0];
	ck_assert_str_eq(e->type, "participant.left");
	ck_assert(str_eq(e->uid, S("bob")));
	ck_assert_str_eq(e->data.at, arena_printf(scene_arena,
	    GO_ROOM ",\"uid\":\"bob\",\"device_type\":\"web\",\"invited_uids\":null,\"missed_uids\":null"
	    OUR_ROOM ",\"busy_uids\":null,\"device_id\":\"d1\",\"reason\":\"\"}", 1, 0, ALL,
	    STR_ARG(e->event_id), "", "").at);
}
END_TEST

/* An invitation lists who was in before it, all others everybody. */
START_TEST(invited)
{
	const struct str whom[] = { S("cat"), S("dan") };
	const struct told told = { .uid = S("ann"), .invited = whom, .n_invited = 2, .reason = S("invite") };
	struct call *c = busy_office();
	const struct call_event *e;

	event_tell(c, EVENT_INVITED, &told);
	e = &c->events[0];
	ck_assert_str_eq(e->data.at, arena_printf(scene_arena,
	    GO_ROOM ",\"uid\":\"ann\",\"device_type\":\"\",\"invited_uids\":[\"cat\",\"dan\"],"
	    "\"missed_uids\":null" OUR_ROOM ",\"busy_uids\":null,\"device_id\":\"\",\"reason\":\"invite\""
	    PEOPLE "}", 1, 0, "\"bob\",\"ann\"", STR_ARG(e->event_id), "", "").at);
}
END_TEST

START_TEST(missed_and_busy)
{
	const struct str whom[] = { S("cat") };
	const struct told missed = { .missed = whom, .n_missed = 1 };
	const struct told busy = { .uid = S("ann"), .busy = whom, .n_busy = 1 };
	struct call *c = busy_office();

	event_tell(c, EVENT_MISSED, &missed);
	event_tell(c, EVENT_BUSY, &busy);
	ck_assert_str_eq(scene_text(c), "room=1; bob=1 cat=2 ann=1; missed()missed[cat]@1 busy(ann)busy[cat]@1");
	ck_assert_int_eq(c->events[1].seq, 8);
}
END_TEST

/* Without metadata there is an empty object, never null. */
START_TEST(no_metadata)
{
	struct call *c = scene("ann=0");

	event_tell(c, EVENT_ROOM_STARTED, NULL);
	ck_assert_int_eq(json_type(json_get(event_data(&c->events[0]), "metadata")), JSON_OBJECT);
	ck_assert_ptr_nonnull(strstr(c->events[0].data.at, "\"answered_at\":0"));
}
END_TEST

/* An id of its own for each, of the database's time. */
START_TEST(event_ids)
{
	struct call *c = scene("ann=0");

	event_tell(c, EVENT_ROOM_STARTED, NULL);
	event_tell(c, EVENT_ROOM_STARTED, NULL);
	for (size_t i = 0; i < 2; i++) {
		struct str id = c->events[i].event_id;
		long long ms;

		ck_assert_uint_eq(id.len, 36);
		ck_assert_int_eq(id.at[14], '7');
		ms = strtoll(arena_printf(scene_arena, "%.8s%.4s", id.at, id.at + 9).at, NULL, 16);
		ck_assert_int_eq(ms, SCENE_NOW);
	}
	ck_assert(!str_eq(c->events[0].event_id, c->events[1].event_id));
}
END_TEST

/* A thousand people whose names are as long as names get, in quotes that need escaping. */
START_TEST(the_largest)
{
	struct call *c = scene("seats=1000");
	struct str *uids;
	size_t n;
	struct told told = { .uid = S("u0"), .reason = S("create") };

	for (int i = 0; i < 1000; i++) {
		struct str uid = i % 2 == 0
		    ? arena_printf(scene_arena, "%036d%04d", 0, i)
		    : arena_printf(scene_arena, QUOTES QUOTES QUOTES QUOTES "%04d", i);
		call_add_row(c, uid)->status = P_JOINED;
	}
	for (size_t i = 0; i < c->n_rows; i += 2) {
		char *at = arena_alloc(scene_arena, 161);

		for (size_t k = 0; k < 160; k += 4)
			memcpy(at + k, "\xf0\x9f\x98\x80", 4);
		c->rows[i]->uid = (struct str){ at, 160 };
	}
	uids = call_uids(c, false, &n);
	told.invited = uids;
	told.n_invited = n;
	event_tell(c, EVENT_INVITED, &told);
	ck_assert_uint_gt(c->events[0].data.len, 300000);
	ck_assert_uint_eq(json_len(json_get(event_data(&c->events[0]), "participants")), 1000);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("model/event");
	TCase *tc = tcase_create("event");

	SCENE_CASE(tc);
	tcase_add_loop_test(tc, names, 0, EVENT_TYPE_COUNT);
	tcase_add_test(tc, room_started);
	tcase_add_test(tc, room_finished);
	tcase_add_test(tc, about_a_person);
	tcase_add_test(tc, invited);
	tcase_add_test(tc, missed_and_busy);
	tcase_add_test(tc, no_metadata);
	tcase_add_test(tc, event_ids);
	tcase_add_test(tc, the_largest);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
