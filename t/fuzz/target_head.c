/* head - the judge of what a FastCGI peer sends first: asked after each piece or once, it says the same.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "http/head.h"

/* In memory of just that size: the judge may move bytes about, but not look past them. */
static enum head_verdict
judge(struct arena *a, struct str head, size_t n)
{
	unsigned char *copy = arena_alloc(a, n);

	memcpy(copy, head.at, n);
	return head_judge(copy, n);
}

void
fuzz_head(struct arena *a, struct str data)
{
	struct str head = { data.at, data.len < HEAD_MAX_BYTES ? data.len : HEAD_MAX_BYTES };
	size_t step = head.len / 64 + 1;
	enum head_verdict last, now;

	if (head.len == 0)
		return;
	last = judge(a, head, head.len);
	holds(last == HEAD_MORE || last == HEAD_WHOLE || last == HEAD_ODD || last == HEAD_BAD, "there is a verdict");
	for (size_t n = 1; n < head.len; n += step) {
		now = judge(a, head, n);
		holds(now == HEAD_MORE || now == last, "a verdict on a part holds for the whole");
	}
}
