/* router - a linear search: the table is short, and a path is compared segment by segment.
 * SPDX-License-Identifier: MIT */
#include "http/router.h"

#include "base/strbuf.h"

#define BASE "/api/v1"

struct match {
	struct str args[ROUTE_ARGS_MAX];
	size_t n_args;
};

/* Segments behind "/api/v1" or "/api"; n when the path begins with neither. */
static size_t
after_base(const struct request *rq)
{
	size_t n = rq->n_segments;

	if (n == 0 || !str_eq(rq->segments[0], S("api")))
		return n;
	return n > 1 && str_eq(rq->segments[1], S("v1")) ? 2 : 1;
}

static bool
is_arg(struct str pattern_part)
{
	return str_starts(pattern_part, S("{")) && str_ends(pattern_part, S("}"));
}

/* pattern against the segments from `i` on. */
static bool
match_pattern(const char *pattern, const struct request *rq, size_t i, struct match *m)
{
	struct str rest = str_of(pattern + 1), part;   /* without the first '/' */

	m->n_args = 0;
	while (str_split(&rest, '/', &part)) {
		struct str segment;

		if (i == rq->n_segments)
			return false;
		segment = rq->segments[i++];
		if (!is_arg(part) && !str_eq(part, segment))
			return false;
		if (!is_arg(part))
			continue;
		if (segment.len == 0 || m->n_args == ROUTE_ARGS_MAX)
			return false;
		m->args[m->n_args++] = segment;
	}
	return i == rq->n_segments;
}

static bool
match_route(const struct route *r, const struct request *rq, struct match *m)
{
	return match_pattern(r->pattern, rq, r->absolute ? 0 : after_base(rq), m);
}

/* What may be asked of a path, from the methods (as bits) of the routes that are there. */
static const char *
allow_header(struct arena *a, unsigned methods)
{
	static const struct { enum method method; const char *text; } NAMES[] = {
		{ METHOD_GET, "GET, HEAD, " },
		{ METHOD_POST, "POST, " },
		{ METHOD_PUT, "PUT, " },
		{ METHOD_DELETE, "DELETE, " },
	};
	struct strbuf b;

	strbuf_init_arena(&b, a, 64, 64);
	for (size_t i = 0; i < N_ELEMS(NAMES); i++) {
		if (methods & 1u << NAMES[i].method)
			strbuf_addz(&b, NAMES[i].text);
	}
	strbuf_addz(&b, "OPTIONS");
	return strbuf_str(&b).at;
}

const struct route *
route_find(struct arena *a, const struct route *routes, size_t n, struct request *rq,
    const char **allow_out)
{
	const struct route *best = NULL;
	struct match m, best_match = { .n_args = 0 };
	unsigned methods = 0;

	for (size_t i = 0; i < n; i++) {
		if (!match_route(&routes[i], rq, &m))
			continue;
		methods |= 1u << routes[i].method;
		if (routes[i].method != rq->method)
			continue;
		/* "/rooms/sync" is no room of that name: what is spelled out wins. */
		if (best == NULL || m.n_args < best_match.n_args) {
			best = &routes[i];
			best_match = m;
		}
	}
	*allow_out = methods != 0 ? allow_header(a, methods) : NULL;
	for (size_t i = 0; i < best_match.n_args; i++)
		rq->args[i] = best_match.args[i];
	return best;
}

struct str
route_name(struct arena *a, const struct route *r)
{
	return arena_printf(a, "%s%s", r->absolute ? "" : BASE, r->pattern);
}
