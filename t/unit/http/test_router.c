/* Routes: the base and its alias, arguments, what is spelled out before what is not, Allow.
 * SPDX-License-Identifier: MIT */
#include "http/router.h"

#include "support/unit.h"

/* In an order that would be wrong if the first match won. */
static const struct route ROUTES[] = {
	{ .method = METHOD_GET, .pattern = "/rooms/{room_id}" },
	{ .method = METHOD_GET, .pattern = "/rooms/sync" },
	{ .method = METHOD_GET, .pattern = "/rooms" },
	{ .method = METHOD_POST, .pattern = "/rooms" },
	{ .method = METHOD_POST, .pattern = "/rooms/{room_id}/join" },
	{ .method = METHOD_GET, .pattern = "/rooms/{room_id}/participants/{uid}" },
	{ .method = METHOD_DELETE, .pattern = "/rooms/{room_id}/participants/{uid}" },
	{ .method = METHOD_PUT, .pattern = "/rooms/{room_id}/participants/{uid}/status" },
	{ .method = METHOD_GET, .pattern = "/health", .absolute = true },
	{ .method = METHOD_GET, .pattern = "/api/docs/swagger.json", .absolute = true },
};

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

static const struct route *
find(enum method method, const char *path, struct request *rq, const char **allow_out)
{
	*rq = (struct request){ .method = method, .raw_path = str_of(path) };
	ck_assert(request_split_path(arena, rq));
	return route_find(arena, ROUTES, N_ELEMS(ROUTES), rq, allow_out);
}

/* name NULL: no such path; "405": a path with other methods, in allow. args are joined by '|'. */
static const struct { enum method method; const char *path, *name, *args, *allow; } CASES[] = {
	{ METHOD_POST, "/api/v1/rooms", "/api/v1/rooms", "", NULL },
	{ METHOD_POST, "/api/rooms", "/api/v1/rooms", "", NULL },
	{ METHOD_POST, "/api/v1/rooms/", "/api/v1/rooms", "", NULL },
	{ METHOD_GET, "/api/v1/rooms/r1", "/api/v1/rooms/{room_id}", "r1", NULL },
	{ METHOD_GET, "/api/rooms/r1", "/api/v1/rooms/{room_id}", "r1", NULL },
	{ METHOD_GET, "/api/v1/rooms/sync", "/api/v1/rooms/sync", "", NULL },
	{ METHOD_GET, "/api/rooms/sync", "/api/v1/rooms/sync", "", NULL },
	{ METHOD_GET, "/api/v1/rooms/sync2", "/api/v1/rooms/{room_id}", "sync2", NULL },
	{ METHOD_POST, "/api/v1/rooms/a%20b/join", "/api/v1/rooms/{room_id}/join", "a b", NULL },
	{ METHOD_POST, "/api/v1/rooms/a%2Fb/join", "/api/v1/rooms/{room_id}/join", "a/b", NULL },
	{ METHOD_POST, "/api/v1/r%6Foms", "/api/v1/rooms", "", NULL },
	{ METHOD_GET, "/api/v1/rooms/v1", "/api/v1/rooms/{room_id}", "v1", NULL },
	{ METHOD_GET, "/api/v1/rooms/r/participants/u",
	  "/api/v1/rooms/{room_id}/participants/{uid}", "r|u", NULL },
	{ METHOD_PUT, "/api/rooms/r/participants/u/status",
	  "/api/v1/rooms/{room_id}/participants/{uid}/status",
	  "r|u", NULL },
	{ METHOD_GET, "/health", "/health", "", NULL },
	{ METHOD_GET, "/health/", "/health", "", NULL },
	{ METHOD_GET, "/api/docs/swagger.json", "/api/docs/swagger.json", "", NULL },
	/* no such path */
	{ METHOD_GET, "/", NULL, "", NULL },
	{ METHOD_GET, "/api", NULL, "", NULL },
	{ METHOD_GET, "/api/v1", NULL, "", NULL },
	{ METHOD_GET, "/api/v1/", NULL, "", NULL },
	{ METHOD_GET, "/rooms", NULL, "", NULL },
	{ METHOD_GET, "/v1/rooms", NULL, "", NULL },
	{ METHOD_GET, "/api/v2/rooms", NULL, "", NULL },
	{ METHOD_GET, "/api/v1/v1/rooms", NULL, "", NULL },
	{ METHOD_GET, "/api/api/v1/rooms", NULL, "", NULL },
	{ METHOD_GET, "/API/v1/rooms", NULL, "", NULL },
	{ METHOD_GET, "/api/v1/Rooms", NULL, "", NULL },
	{ METHOD_GET, "/api/v1/roomsx", NULL, "", NULL },
	{ METHOD_GET, "/api/v1/rooms//", NULL, "", NULL },
	{ METHOD_POST, "/api/v1/rooms//join", NULL, "", NULL },
	{ METHOD_POST, "//api/v1/rooms", NULL, "", NULL },
	{ METHOD_POST, "/api//v1/rooms", NULL, "", NULL },
	{ METHOD_GET, "/api/v1/health", NULL, "", NULL },
	{ METHOD_GET, "/api/v1%2Frooms", NULL, "", NULL },
	{ METHOD_POST, "/api/v1/rooms/r/join/x", NULL, "", NULL },
	{ METHOD_POST, "/api/v1/rooms/{room_id}/nojoin", NULL, "", NULL },
	/* other methods */
	{ METHOD_DELETE, "/api/v1/rooms", "405", "", "GET, HEAD, POST, OPTIONS" },
	{ METHOD_GET, "/api/v1/rooms/r/join", "405", "", "POST, OPTIONS" },
	{ METHOD_POST, "/api/v1/rooms/r/participants/u", "405", "", "GET, HEAD, DELETE, OPTIONS" },
	{ METHOD_GET, "/api/rooms/r/participants/u/status", "405", "", "PUT, OPTIONS" },
	{ METHOD_POST, "/health", "405", "", "GET, HEAD, OPTIONS" },
	{ METHOD_OTHER, "/api/v1/rooms", "405", "", "GET, HEAD, POST, OPTIONS" },
	{ METHOD_OPTIONS, "/api/v1/rooms", "405", "", "GET, HEAD, POST, OPTIONS" },
	{ METHOD_POST, "/api/v1/rooms/sync", "405", "", "GET, HEAD, OPTIONS" },
};

static void
check_route(const struct route *r, const struct request *rq, const char *name, const char *args)
{
	struct str rest = str_of(args), arg;

	ck_assert_ptr_nonnull(r);
	ck_assert_str_eq(route_name(arena, r).at, name);
	for (size_t n = 0; args[0] != '\0' && str_split(&rest, '|', &arg); n++)
		ck_assert(str_eq(rq->args[n], arg));
}

START_TEST(finds_routes)
{
	struct request rq;
	const char *allow = "unset";
	const struct route *r = find(CASES[_i].method, CASES[_i].path, &rq, &allow);

	if (CASES[_i].name != NULL && CASES[_i].allow == NULL) {
		check_route(r, &rq, CASES[_i].name, CASES[_i].args);
		return;
	}
	ck_assert_msg(r == NULL, "%s", CASES[_i].path);
	if (CASES[_i].allow == NULL)
		ck_assert_msg(allow == NULL, "%s: %s", CASES[_i].path, allow);
	else
		ck_assert_pstr_eq(allow, CASES[_i].allow);
}
END_TEST

/* The same answers from the table the other way round. */
START_TEST(order_does_not_matter)
{
	struct route turned[N_ELEMS(ROUTES)];
	struct request rq = { .method = CASES[_i].method, .raw_path = str_of(CASES[_i].path) };
	const struct route *a, *b;
	const char *allow_a, *allow_b;

	for (size_t i = 0; i < N_ELEMS(ROUTES); i++)
		turned[i] = ROUTES[N_ELEMS(ROUTES) - 1 - i];
	ck_assert(request_split_path(arena, &rq));
	a = route_find(arena, ROUTES, N_ELEMS(ROUTES), &rq, &allow_a);
	b = route_find(arena, turned, N_ELEMS(turned), &rq, &allow_b);
	ck_assert_pstr_eq(a == NULL ? NULL : a->pattern, b == NULL ? NULL : b->pattern);
	ck_assert_pstr_eq(allow_a, allow_b);
}
END_TEST

START_TEST(an_empty_table_has_no_paths)
{
	struct request rq = { .method = METHOD_GET, .raw_path = S("/health") };
	const char *allow;

	ck_assert(request_split_path(arena, &rq));
	ck_assert_ptr_null(route_find(arena, ROUTES, 0, &rq, &allow));
	ck_assert_ptr_null(allow);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http/router");
	TCase *tc = tcase_create("router");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, finds_routes, 0, N_ELEMS(CASES));
	tcase_add_loop_test(tc, order_does_not_matter, 0, N_ELEMS(CASES));
	tcase_add_test(tc, an_empty_table_has_no_paths);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
