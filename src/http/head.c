/* The head of a FastCGI request.
 * SPDX-License-Identifier: MIT */
#include "http/head.h"

#include <stdbool.h>
#include <string.h>

enum { WIRE_VERSION = 1, BEGIN_REQUEST = 1, PARAMS = 4, RESPONDER = 1 };
enum { RECORD_BYTES = 8, BEGIN_BYTES = 8 };

struct bytes { const unsigned char *at; size_t n; };

static unsigned
two(const unsigned char *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* HEAD_WHOLE: a record of that type and id stands there, *content_out bytes in it, *size_out with all. id 0: any. */
static enum head_verdict
judge_record(struct bytes b, unsigned type, unsigned id, size_t *content_out, size_t *size_out)
{
	if ((b.n > 0 && b.at[0] != WIRE_VERSION) || (b.n > 1 && b.at[1] != type))
		return HEAD_BAD;
	if (b.n < RECORD_BYTES)
		return HEAD_MORE;
	if (two(b.at + 2) == 0 || (id != 0 && two(b.at + 2) != id))
		return HEAD_BAD;
	*content_out = two(b.at + 4);
	*size_out = RECORD_BYTES + *content_out + b.at[6];
	return *size_out <= b.n ? HEAD_WHOLE : HEAD_MORE;
}

static enum head_verdict
judge_begin(struct bytes b, unsigned *id_out, size_t *size_out)
{
	size_t content = BEGIN_BYTES;
	enum head_verdict v = judge_record(b, BEGIN_REQUEST, 0, &content, size_out);

	if (v == HEAD_BAD || content != BEGIN_BYTES)
		return HEAD_BAD;
	if (v == HEAD_MORE)
		return HEAD_MORE;
	*id_out = two(b.at + 2);
	return two(b.at + RECORD_BYTES) == RESPONDER ? HEAD_WHOLE : HEAD_BAD;
}

/* HEAD_WHOLE: their contents stand one after the other from `at` on, *n_out bytes. */
static enum head_verdict
join_params(unsigned char *at, size_t n, unsigned id, size_t *n_out)
{
	size_t pos = 0, content, size;
	enum head_verdict v;

	*n_out = 0;
	while ((v = judge_record((struct bytes){ at + pos, n - pos }, PARAMS, id, &content, &size)) == HEAD_WHOLE) {
		if (content == 0)
			return HEAD_WHOLE;
		memmove(at + *n_out, at + pos + RECORD_BYTES, content);
		*n_out += content;
		pos += size;
	}
	return v;
}

/* One byte, or four with the highest bit set. */
static bool
take_length(struct bytes *b, size_t *out)
{
	size_t width = b->n > 0 && (b->at[0] & 0x80) != 0 ? 4 : 1;

	if (b->n < width)
		return false;
	*out = width == 1 ? b->at[0] : (size_t)(two(b->at) & 0x7fff) << 16 | two(b->at + 2);
	*b = (struct bytes){ b->at + width, b->n - width };
	return true;
}

static enum head_verdict
judge_pairs(struct bytes b)
{
	size_t n_pairs = 0, n_name, n_value;
	bool odd = false;

	while (b.n > 0) {
		if (!take_length(&b, &n_name) || !take_length(&b, &n_value) || n_name > b.n || n_value > b.n - n_name)
			return HEAD_BAD;
		odd = odd || n_name == 0 || memchr(b.at, '=', n_name) != NULL ||
		    memchr(b.at, '\0', n_name + n_value) != NULL;
		b = (struct bytes){ b.at + n_name + n_value, b.n - n_name - n_value };
		n_pairs++;
	}
	return odd || n_pairs > HEAD_PARAMS_MAX ? HEAD_ODD : HEAD_WHOLE;
}

enum head_verdict
head_judge(unsigned char *at, size_t n)
{
	size_t begin, params;
	unsigned id;
	enum head_verdict v = judge_begin((struct bytes){ at, n }, &id, &begin);

	if (v == HEAD_WHOLE)
		v = join_params(at + begin, n - begin, id, &params);
	if (v == HEAD_WHOLE)
		v = judge_pairs((struct bytes){ at + begin, params });
	return v == HEAD_MORE && n >= HEAD_MAX_BYTES ? HEAD_BAD : v;
}
