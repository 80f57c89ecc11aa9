/* Paths split and decoded, queries, methods.
 * SPDX-License-Identifier: MIT */
#include "http/http.h"

#include "support/unit.h"

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new(1 << 20);
}

static void
teardown(void)
{
	arena_free(arena);
}

/* segments joined by '|', so that a decoded '/' is told from a split */
static const struct { const char *path; size_t n; const char *joined; } PATHS[] = {
	{ "/", 0, "" },
	{ "/health", 1, "health" },
	{ "/api/v1/rooms", 3, "api|v1|rooms" },
	{ "/api/v1/rooms/", 3, "api|v1|rooms" },
	{ "/api/v1/rooms//", 4, "api|v1|rooms|" },
	{ "/api//rooms", 3, "api||rooms" },
	{ "//", 1, "" },
	{ "//health", 2, "|health" },
	{ "/a%20b", 1, "a b" },
	{ "/a+b", 1, "a+b" },
	{ "/a%2Bb", 1, "a+b" },
	{ "/%E4%B8%AD/x", 2, "\xe4\xb8\xad|x" },
	{ "/\xe4\xb8\xad", 1, "\xe4\xb8\xad" },
	{ "/a%2Fb/c", 2, "a/b|c" },
	{ "/a%2fb/", 1, "a/b" },
	{ "/a%252Fb", 1, "a%2Fb" },         /* once, not twice */
	{ "/%41%7a", 1, "Az" },
	{ "/a%3Fb%23c%25", 1, "a?b#c%" },
	{ "/.", 1, "." },
	{ "/a/../b", 3, "a|..|b" },         /* nothing is resolved */
	{ "/a%0A", 1, "a\n" },
	{ "/1/2/3/4/5/6/7/8/9/10", 10, "1|2|3|4|5|6|7|8|9|10" },
	{ "/1/2/3/4/5/6/7/8/9/10/", 10, "1|2|3|4|5|6|7|8|9|10" },
};

START_TEST(splits_then_decodes)
{
	struct request rq = { .raw_path = str_of(PATHS[_i].path) };
	struct strbuf b;

	ck_assert_msg(request_split_path(arena, &rq), "%s", PATHS[_i].path);
	ck_assert_uint_eq(rq.n_segments, PATHS[_i].n);
	strbuf_init_arena(&b, arena, 64, 1024);
	for (size_t i = 0; i < rq.n_segments; i++) {
		strbuf_addz(&b, i > 0 ? "|" : "");
		strbuf_add(&b, rq.segments[i]);
	}
	ck_assert_str_eq(b.at, PATHS[_i].joined);
}
END_TEST

static const char *const BAD_PATHS[] = {
	"", "*", "health", "http://host/health",
	"/%", "/a%", "/a%4", "/a%4/b", "/a%g1", "/a%1g", "/%%41", "/a%-1", "/a% 1",
	"/%00", "/a%00b", "/rooms/a%00",
	"/%ff", "/%C0%80", "/%ED%A0%80", "/%E4%B8", "/\xff", "/%E4/%B8%AD",
	"/1/2/3/4/5/6/7/8/9/10/11", "/1/2/3/4/5/6/7/8/9/10//",
};

START_TEST(refuses_paths)
{
	struct request rq = { .raw_path = str_of(BAD_PATHS[_i]) };

	ck_assert_msg(!request_split_path(arena, &rq), "%s", BAD_PATHS[_i]);
}
END_TEST

START_TEST(refuses_a_raw_nul)
{
	struct request rq = { .raw_path = { "/a\0b", 4 } };

	ck_assert(!request_split_path(arena, &rq));
}
END_TEST

START_TEST(reads_no_further_than_the_text)
{
	struct request rq = { .raw_path = { "/a%41", (size_t)_i }, .query = { "a=%41", (size_t)_i } };
	struct str value;
	bool bad;

	ck_assert_int_eq(request_split_path(arena, &rq), _i == 2 || _i == 5);
	ck_assert(request_query(arena, &rq, "a", &value, &bad));
	ck_assert_int_eq(bad, _i == 3 || _i == 4);
}
END_TEST

enum found { ABSENT, FOUND, BAD };
static const struct { const char *query; enum found found; const char *value; } QUERIES[] = {
	{ "", ABSENT, "" },
	{ "b=1", ABSENT, "" },
	{ "aa=1", ABSENT, "" },
	{ "A=1", ABSENT, "" },
	{ "b=a", ABSENT, "" },
	{ "b=1&c=a=2", ABSENT, "" },
	{ "a=1", FOUND, "1" },
	{ "a=", FOUND, "" },
	{ "a", FOUND, "" },
	{ "b=2&a=1", FOUND, "1" },
	{ "a=1&a=2", FOUND, "1" },
	{ "&&a=1&", FOUND, "1" },
	{ "a=b=c", FOUND, "b=c" },
	{ "a=b+c", FOUND, "b c" },
	{ "a=b%2Bc", FOUND, "b+c" },
	{ "a=b%20c", FOUND, "b c" },
	{ "a=%26%3D", FOUND, "&=" },
	{ "%61=1", FOUND, "1" },
	{ "a=%E4%B8%AD", FOUND, "\xe4\xb8\xad" },
	{ "a=1?2", FOUND, "1?2" },
	{ "a=%2541", FOUND, "%41" },
	{ "%zz=1&a=2", FOUND, "2" },            /* a name that cannot be read is nobody's */
	{ "a=%", BAD, "" },
	{ "a=%4", BAD, "" },
	{ "a=%zz", BAD, "" },
	{ "a=%00", BAD, "" },
	{ "a=x%00y", BAD, "" },
	{ "a=%ff", BAD, "" },
	{ "a=%E4%B8", BAD, "" },
	{ "a=%ED%A0%80", BAD, "" },
	{ "a=%&a=1", BAD, "" },
};

START_TEST(finds_in_the_query)
{
	struct request rq = { .query = str_of(QUERIES[_i].query) };
	struct str value = S("before");
	bool bad = true;

	ck_assert_int_eq(request_query(arena, &rq, "a", &value, &bad), QUERIES[_i].found != ABSENT);
	ck_assert_int_eq(bad, QUERIES[_i].found == BAD);
	ck_assert(str_eq(value, str_of(QUERIES[_i].value)));
}
END_TEST

START_TEST(finds_nothing_without_a_query)
{
	struct request rq = { .query = { NULL, 0 } };
	struct str value;
	bool bad;

	ck_assert(!request_query(arena, &rq, "a", &value, &bad));
	ck_assert(!bad);
}
END_TEST

static const struct { const char *text; enum method method; } METHODS[] = {
	    { "GET", METHOD_GET }, { "HEAD", METHOD_GET }, { "POST", METHOD_POST },
	{ "PUT", METHOD_PUT },
	{ "DELETE", METHOD_DELETE }, { "OPTIONS", METHOD_OPTIONS }, { "PATCH", METHOD_OTHER },
	{ "TRACE", METHOD_OTHER }, { "get", METHOD_OTHER }, { "GE", METHOD_OTHER },
	{ "GETX", METHOD_OTHER },
	{ "", METHOD_OTHER },
};

START_TEST(methods)
{
	ck_assert_int_eq(method_parse(str_of(METHODS[_i].text)), METHODS[_i].method);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http/path");
	TCase *tc = tcase_create("path");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, splits_then_decodes, 0, N_ELEMS(PATHS));
	tcase_add_loop_test(tc, refuses_paths, 0, N_ELEMS(BAD_PATHS));
	tcase_add_test(tc, refuses_a_raw_nul);
	tcase_add_loop_test(tc, reads_no_further_than_the_text, 2, 6);
	tcase_add_loop_test(tc, finds_in_the_query, 0, N_ELEMS(QUERIES));
	tcase_add_test(tc, finds_nothing_without_a_query);
	tcase_add_loop_test(tc, methods, 0, N_ELEMS(METHODS));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
