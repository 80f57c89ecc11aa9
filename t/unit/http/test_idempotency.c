/* Idempotency-Key: what it may look like, and which requests it makes one.
 * SPDX-License-Identifier: MIT */
#include "http/idempotency.h"

#include <string.h>

#include "http/params.h"
#include "support/unit.h"

static const struct route JOIN = { .method = METHOD_POST, .pattern = "/rooms/{room_id}/join" };
static const struct route LEAVE = { .method = METHOD_POST, .pattern = "/rooms/{room_id}/leave" };

static struct op op;

static void
setup(void)
{
	op = (struct op){ .arena = arena_new(1 << 20), .lang = "zh-CN" };
}

static void
teardown(void)
{
	arena_free(op.arena);
}

/* A request as it may be, to be changed in one thing. */
struct asked {
	struct request rq;
	struct caller who;
	const struct route *route;
};

static struct asked
plain(void)
{
	return (struct asked){
		.rq = { .method = METHOD_POST, .method_text = S("POST"), .raw_path = S("/api/v1/rooms/r1/join"),
		    .body = S("{\"uid\":\"ann\"}"), .idempotency_key = S("k1"), .args = { S("r1") } },
		.who = { .kind = CALLER_KEY, .name = S("backend") },
		.route = &JOIN,
	};
}

static struct idempotency
read_one(const struct asked *a)
{
	struct idempotency out;

	ck_assert_int_eq(idempotency_read(&op, &a->rq, &a->who, a->route, &out), ERR_OK);
	ck_assert_uint_eq(out.id.len, 64);
	ck_assert_uint_eq(out.body_sha256.len, 64);
	return out;
}

static enum err
read_key(struct str key)
{
	struct asked a = plain();
	struct idempotency out;

	a.rq.idempotency_key = key;
	return idempotency_read(&op, &a.rq, &a.who, a.route, &out);
}

START_TEST(every_byte_that_is_visible_and_no_other)
{
	const char byte = (char)_i;
	bool visible = _i > 0x20 && _i < 0x7f;

	ck_assert_int_eq(read_key((struct str){ &byte, 1 }), visible ? ERR_OK : ERR_INVALID_PARAMETERS);
	if (!visible)
		ck_assert_pstr_eq(op.bad_field, "Idempotency-Key");
}
END_TEST

START_TEST(from_one_to_255_bytes)
{
	char text[IDEMPOTENCY_KEY_MAX + 1];

	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(read_key(S("")), ERR_INVALID_PARAMETERS);
	ck_assert_int_eq(read_key((struct str){ text, 1 }), ERR_OK);
	ck_assert_int_eq(read_key((struct str){ text, IDEMPOTENCY_KEY_MAX }), ERR_OK);
	ck_assert_int_eq(read_key((struct str){ text, IDEMPOTENCY_KEY_MAX + 1 }), ERR_INVALID_PARAMETERS);
}
END_TEST

START_TEST(for_whom_and_what_in_words)
{
	struct asked a = plain();
	struct idempotency got = read_one(&a);

	ck_assert(str_eq(got.caller, S("key:backend")));
	ck_assert(str_eq(got.route, S("POST /api/v1/rooms/{room_id}/join")));
	/* printf '{"uid":"ann"}' | sha256sum */
	ck_assert(str_eq(got.body_sha256, S("dc656a13487c853d2486b338bf85a292885b5cb09837fcde81fa43a23807c5f8")));
	a.who = (struct caller){ .kind = CALLER_TICKET, .uid = S("ann") };
	ck_assert(str_eq(read_one(&a).caller, S("ticket:ann")));
	a.who = (struct caller){ .kind = CALLER_OPEN, .name = S("open"), .address = S("192.0.2.7") };
	ck_assert(str_eq(read_one(&a).caller, S("open:192.0.2.7")));
	a.who = (struct caller){ .kind = CALLER_OPS, .name = S("ops-ann") };
	ck_assert(str_eq(read_one(&a).caller, S("key:ops-ann")));
}
END_TEST

/* What may differ without making it another request: the rest of the path, the query, the headers. */
START_TEST(the_same_request)
{
	struct asked a = plain(), b = plain();

	b.rq.raw_path = S("/api/rooms/%72%31/join/");
	b.rq.query = S("lang=fr-FR");
	b.rq.x_language = S("ja-JP");
	b.rq.request_id = S("another");
	b.rq.remote_addr = S("192.0.2.8");
	ck_assert(str_eq(read_one(&a).id, read_one(&b).id));
	b.rq.body = S("{\"uid\":\"ann\"} ");
	ck_assert(str_eq(read_one(&a).id, read_one(&b).id));
	ck_assert(!str_eq(read_one(&a).body_sha256, read_one(&b).body_sha256));
}
END_TEST

static struct asked
changed(int what)
{
	struct asked a = plain();

	switch (what) {
	case 0: a.rq.idempotency_key = S("k2"); break;
	case 1: a.rq.idempotency_key = S("K1"); break;
	case 2: a.rq.args[0] = S("r2"); break;
	case 3: a.rq.args[0] = S("r"); a.rq.args[1] = S("1"); break;
	case 4: a.route = &LEAVE; break;
	case 5: a.who.name = S("other"); break;
	case 6: a.who = (struct caller){ .kind = CALLER_TICKET, .uid = S("backend") }; break;
	case 7: a.who = (struct caller){ .kind = CALLER_OPEN, .address = S("backend") }; break;
	case 8: a.rq.args[0] = S("r1k1"); a.rq.idempotency_key = S("k"); break;
	default: break;
	}
	return a;
}
enum { N_CHANGES = 9 };

START_TEST(another_request)
{
	struct asked a = plain(), b = changed(_i);

	ck_assert(!str_eq(read_one(&a).id, read_one(&b).id));
	ck_assert(str_eq(read_one(&b).id, read_one(&b).id));
}
END_TEST

START_TEST(out_of_the_parameters)
{
	char none[] = "REQUEST_METHOD=POST", one[] = "HTTP_IDEMPOTENCY_KEY=abc", two[] = "HTTP_IDEMPOTENCY_KEY=abd";
	char empty[] = "HTTP_IDEMPOTENCY_KEY=", near[] = "HTTP_IDEMPOTENCY_KEY_2=x";
	char *const without[] = { none, near, NULL }, *const with[] = { none, one, NULL };
	char *const twice[] = { one, two, NULL }, *const blank[] = { none, empty, NULL };
	struct request rq;

	params_read(without, op.arena, &rq);
	ck_assert_ptr_null(rq.idempotency_key.at);
	ck_assert_ptr_null(rq.duplicate_header);
	params_read(with, op.arena, &rq);
	ck_assert(str_eq(rq.idempotency_key, S("abc")));
	/* An empty one is there, and none that can be. */
	params_read(blank, op.arena, &rq);
	ck_assert_ptr_nonnull(rq.idempotency_key.at);
	ck_assert_uint_eq(rq.idempotency_key.len, 0);
	params_read(twice, op.arena, &rq);
	ck_assert_pstr_eq(rq.duplicate_header, "Idempotency-Key");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http/idempotency");
	TCase *tc = tcase_create("idempotency");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, every_byte_that_is_visible_and_no_other, 0, 256);
	tcase_add_test(tc, from_one_to_255_bytes);
	tcase_add_test(tc, for_whom_and_what_in_words);
	tcase_add_test(tc, the_same_request);
	tcase_add_loop_test(tc, another_request, 0, N_CHANGES);
	tcase_add_test(tc, out_of_the_parameters);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
