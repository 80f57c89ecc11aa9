/* path - what stands before the '?': split and decoded once, the same when it is encoded and read again.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "base/utf8.h"
#include "http/http.h"
#include "model/ids.h"

/* Every byte escaped, a slash at the end: the one that is ignored. */
static struct str
encoded(struct arena *a, const struct request *rq, size_t max)
{
	struct strbuf b;

	strbuf_init_arena(&b, a, 64, 3 * max + 64);
	strbuf_addc(&b, '/');
	for (size_t i = 0; i < rq->n_segments; i++) {
		for (size_t k = 0; k < rq->segments[i].len; k++)
			strbuf_addf(&b, "%%%02x", (unsigned char)rq->segments[i].at[k]);
		strbuf_addc(&b, '/');
	}
	holds(strbuf_ok(&b), "what was decoded is no longer than it came");
	return strbuf_str(&b);
}

void
fuzz_path(struct arena *a, struct str data)
{
	struct request rq = { .raw_path = data }, again = { 0 };

	if (!request_split_path(a, &rq))
		return;
	holds(rq.n_segments <= PATH_SEGMENTS_MAX, "there are at most so many segments");
	for (size_t i = 0; i < rq.n_segments; i++) {
		struct str s = rq.segments[i];

		holds(utf8_length(s) >= 0 && !has_byte(s, '\0'), "a segment is UTF-8 without NUL");
		holds(!room_id_ok(s) || (is_one_line(s) && !has_byte(s, '/')), "no id has a control character or a slash");
	}
	again.raw_path = encoded(a, &rq, data.len);
	holds(request_split_path(a, &again) && again.n_segments == rq.n_segments, "it splits alike when encoded");
	for (size_t i = 0; i < rq.n_segments; i++)
		holds(str_eq(rq.segments[i], again.segments[i]), "it decodes to the same when encoded");
}
