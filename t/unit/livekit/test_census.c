/* What is made of LiveKit's lists, against a server of the test's own.
 * SPDX-License-Identifier: MIT */
#include "livekit/census.h"

#include "conf/conf.h"
#include "support/http_server.h"

static struct op op;
static struct http_server server;
static struct name_value key;
static struct conf conf;
static struct census census;

static void
say(int fd, const char *status, const char *body)
{
	char head[128];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status, strlen(body));
	send_all(fd, head, strlen(head));
	send_all(fd, body, strlen(body));
}

/* One with the oddities of the wire: 64-bit numbers as text, nulls, an agent, a hidden one, one who has left. */
#define PERSON(sid, identity, more) \
	"{\"sid\":\"" sid "\",\"identity\":\"" identity "\",\"state\":\"ACTIVE\",\"tracks\":[],\"metadata\":\"\"," \
	"\"joined_at\":\"1790000000\",\"permission\":{\"hidden\":false}," more "}"
#define STANDARD "\"joined_at_ms\":\"1790000000123\",\"kind\":\"STANDARD\",\"attributes\":{}"

static const char FULL[] = "{\"participants\":["
	PERSON("PA_1", "ann", "\"joined_at_ms\":\"1790000000123\",\"kind\":\"STANDARD\",\"attributes\":"
	    "{\"device_type\":\"app\",\"device_id\":\"d1\"}") ","
	PERSON("PA_2", "bot", "\"kind\":\"AGENT\",\"attributes\":{}") ","
	PERSON("PA_3", "b\xc3\xb6" "b", "\"joined_at_ms\":\"0\",\"kind\":\"STANDARD\",\"attributes\":{}") ","
	"{\"sid\":\"PA_4\",\"identity\":\"spy\",\"kind\":\"STANDARD\",\"permission\":{\"hidden\":true}},"
	"{\"sid\":\"PA_5\",\"identity\":\"gone\",\"state\":\"DISCONNECTED\",\"kind\":\"STANDARD\"},"
	"{\"sid\":\"\",\"identity\":\"nobody\",\"kind\":\"STANDARD\"},"
	"{\"sid\":\"PA_6\",\"identity\":\"\",\"kind\":\"STANDARD\"},"
	"7,null,"
	PERSON("PA_7", "cyd", STANDARD)
	"]}";

static bool
lists_people(int fd, const char *request)
{
	if (strstr(request, "{\"room\":\"full\"}") != NULL)
		say(fd, "200 OK", FULL);
	else if (strstr(request, "{\"room\":\"empty\"}") != NULL)
		say(fd, "200 OK", "{\"participants\":[]}");
	else if (strstr(request, "{\"room\":\"unhosted") != NULL)
		say(fd, "503 Service Unavailable", "{\"code\":\"unavailable\",\"msg\":\"no response from servers\"}");
	else if (strstr(request, "{\"room\":\"unknown\"}") != NULL)
		say(fd, "404 Not Found", "{\"code\":\"not_found\",\"msg\":\"no such room\"}");
	else if (strstr(request, "{\"room\":\"proxy404\"}") != NULL)
		say(fd, "404 Not Found", "{\"error\":\"no such page\"}");
	else if (strstr(request, "{\"room\":\"proxy503\"}") != NULL)
		say(fd, "503 Service Unavailable", "<html>");
	else if (strstr(request, "{\"room\":\"page\"}") != NULL)
		say(fd, "200 OK", "<html>");
	else
		say(fd, "500 Internal Server Error", "{\"code\":\"internal\",\"msg\":\"no\"}");
	return true;
}

/* Of the rooms asked for: r0 and r777 are there, r1 with nobody; a call that asks for "bad" fails. */
static bool
lists_rooms(int fd, const char *request)
{
	bool first = strstr(request, "\"r0\"") != NULL, second = strstr(request, "\"r777\"") != NULL;
	char body[512];

	if (strstr(request, "\"bad\"") != NULL) {
		say(fd, "500 Internal Server Error", "{\"code\":\"internal\"}");
		return true;
	}
	(void)snprintf(body, sizeof(body), "{\"rooms\":[%s%s{\"name\":\"stranger\",\"num_participants\":9}]}",
	    first ? "{\"name\":\"r1\",\"num_participants\":0},{\"name\":\"r0\",\"num_participants\":3}," : "",
	    second ? "{\"name\":\"r777\",\"num_participants\":\"2\"}," : "");
	say(fd, "200 OK", body);
	return true;
}

static bool
livekit(int fd, const char *request)
{
	if (strstr(request, "POST /twirp/livekit.RoomService/ListRooms ") != NULL)
		return lists_rooms(fd, request);
	if (strstr(request, "POST /twirp/livekit.RoomService/ListParticipants ") != NULL)
		return lists_people(fd, request);
	return false;
}

static void
set_up(void)
{
	server.also = livekit;
	http_server_start(&server);
	op = (struct op){ .arena = arena_new(64 * MIB), .log = log_open("/dev/null", LOG_ERROR), .lang = "en-US" };
	key = (struct name_value){ S("key"), S("a secret of thirty-two characters") };
	conf = (struct conf){ .livekit_url = str_of(server.url), .livekit_keys = &key, .n_livekit_keys = 1 };
	census = (struct census){ .conf = &conf, .multi = multi_open(128) };
}

static void
tear_down(void)
{
	multi_close(census.multi);
	log_close(op.log);
	arena_free(op.arena);
	http_server_stop(&server);
}

START_TEST(rooms_of_many_names)
{
	enum { N = 1203 };
	struct str *names = arena_array(op.arena, N, sizeof(*names));
	struct seen_room *seen = arena_array(op.arena, N, sizeof(*seen));

	for (int i = 0; i < N; i++)
		names[i] = arena_printf(op.arena, "r%d", N - 1 - i);
	seen[5] = (struct seen_room){ .listed = true, .n_people = 7, .people_known = true };
	census_rooms(&op, &census, names, N, 2000, seen);
	for (int i = 0; i < N; i++) {
		int r = N - 1 - i;

		ck_assert(seen[i].heard && !seen[i].people_known);
		ck_assert_int_eq(seen[i].listed, r == 0 || r == 1 || r == 777);
		ck_assert_int_eq(seen[i].n_people, r == 0 ? 3 : r == 777 ? 2 : 0);
		ck_assert_int_eq(seen[i].host, HOST_UNKNOWN);
	}
}
END_TEST

START_TEST(a_call_that_fails_says_nothing_of_its_rooms)
{
	enum { N = CENSUS_NAMES_MAX + 1 };
	struct str *names = arena_array(op.arena, N, sizeof(*names));
	struct seen_room *seen = arena_array(op.arena, N, sizeof(*seen));

	for (int i = 0; i < N; i++)
		names[i] = arena_printf(op.arena, "r%d", i);
	names[3] = S("bad");
	census_rooms(&op, &census, names, N, 2000, seen);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(seen[i].heard, i == CENSUS_NAMES_MAX);
	census_rooms(&op, &census, names, 0, 2000, seen);
}
END_TEST

static const struct {
	const char *room;
	struct seen_room before, after;     /* people aside */
} ASKED[] = {
	{ "full", { .heard = true, .listed = true, .n_people = 9 },
		{ .heard = true, .listed = true, .n_people = 9, .people_known = true, .n_sessions = 3 } },
	{ "full", { .heard = true }, { .heard = true, .people_known = true, .n_sessions = 3 } },
	{ "full", { .heard = false },
		{ .heard = true, .listed = true, .n_people = 3, .people_known = true, .n_sessions = 3 } },
	{ "empty", { .heard = true, .listed = true }, { .heard = true, .listed = true, .people_known = true } },
	{ "empty", { .heard = false }, { .heard = true, .people_known = true } },
	{ "unknown", { .heard = true, .listed = true }, { .heard = true, .listed = true, .people_known = true } },
	{ "unhosted", { .heard = true }, { .heard = true, .people_known = true } },
	{ "unhosted", { .heard = true, .listed = true }, { .listed = true } },
	{ "unhosted", { .heard = false }, { .heard = false } },
	{ "proxy503", { .heard = true }, { .heard = false } },
	{ "proxy404", { .heard = true }, { .heard = false } },
	{ "page", { .heard = true, .listed = true }, { .listed = true } },
	{ "broken", { .heard = true, .listed = true, .n_people = 2 }, { .listed = true, .n_people = 2 } },
};

START_TEST(people_of_a_room)
{
	const struct seen_room *want = &ASKED[_i].after;
	struct seen_room seen = ASKED[_i].before;
	struct str room = str_of(ASKED[_i].room);
	bool wanted = true;

	census_people(&op, &census, &room, &wanted, 1, 2000, &seen);
	ck_assert_int_eq(seen.heard, want->heard);
	ck_assert_int_eq(seen.listed, want->listed);
	ck_assert_int_eq(seen.n_people, want->n_people);
	ck_assert_int_eq(seen.people_known, want->people_known);
	ck_assert_uint_eq(seen.n_sessions, want->n_sessions);
}
END_TEST

START_TEST(each_person_as_listed)
{
	struct str room = S("full");
	struct seen_room seen = { .heard = true };
	bool wanted = true;

	census_people(&op, &census, &room, &wanted, 1, 2000, &seen);
	ck_assert_uint_eq(seen.n_sessions, 3);
	ck_assert(str_eq(seen.people[0].uid, S("ann")) && str_eq(seen.people[0].sid, S("PA_1")));
	ck_assert_int_eq(seen.people[0].joined_at_ms, 1790000000123);
	ck_assert(str_eq(seen.people[0].device_type, S("app")) && str_eq(seen.people[0].device_id, S("d1")));
	/* Without milliseconds: the latest that it can mean. */
	ck_assert(str_eq(seen.people[1].uid, S("b\xc3\xb6" "b")));
	ck_assert_int_eq(seen.people[1].joined_at_ms, 1790000000999);
	ck_assert(str_eq(seen.people[2].uid, S("cyd")));
}
END_TEST

START_TEST(many_rooms_and_only_the_wanted)
{
	enum { N = 700 };
	struct str *rooms = arena_array(op.arena, N, sizeof(*rooms));
	struct seen_room *seen = arena_array(op.arena, N, sizeof(*seen));
	bool *wanted = arena_array(op.arena, N, sizeof(*wanted));

	for (int i = 0; i < N; i++) {
		rooms[i] = i % 3 == 0 ? S("full") : i % 3 == 1 ? S("unhosted") : S("broken");
		seen[i] = (struct seen_room){ .heard = true };
		wanted[i] = i % 7 != 0;
	}
	census_people(&op, &census, rooms, wanted, N, 4000, seen);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(seen[i].heard, !wanted[i] || i % 3 != 2);
		ck_assert_int_eq(seen[i].people_known, wanted[i] && i % 3 != 2);
		ck_assert_uint_eq(seen[i].n_sessions, wanted[i] && i % 3 == 0 ? 3 : 0);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("livekit/census");
	TCase *tc = tcase_create("census");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, rooms_of_many_names);
	tcase_add_test(tc, a_call_that_fails_says_nothing_of_its_rooms);
	tcase_add_loop_test(tc, people_of_a_room, 0, N_ELEMS(ASKED));
	tcase_add_test(tc, each_person_as_listed);
	tcase_add_test(tc, many_rooms_and_only_the_wanted);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
