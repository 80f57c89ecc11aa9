/* The heads of FastCGI requests, good and hostile.
 * SPDX-License-Identifier: MIT */
#include "http/head.h"

#include "support/unit.h"

#include <stdint.h>
#include <string.h>

#include "base/attrs.h"

enum { BEGIN = 1, ABORT = 2, PARAMS = 4, STDIN = 5, GET_VALUES = 9 };

struct wire { unsigned char at[HEAD_MAX_BYTES + 70000]; size_t n; };

static void
add(struct wire *w, const void *at, size_t n)
{
	memcpy(w->at + w->n, at, n);
	w->n += n;
}

static void
add_record(struct wire *w, unsigned type, unsigned id, const void *content, size_t n)
{
	unsigned char head[8] = { 1, (unsigned char)type, (unsigned char)(id >> 8), (unsigned char)id,
		(unsigned char)(n >> 8), (unsigned char)n, (unsigned char)(-n & 7), 0 };
	const unsigned char padding[8] = { 0 };

	add(w, head, sizeof(head));
	add(w, content, n);
	add(w, padding, -n & 7);
}

static void
add_begin(struct wire *w, unsigned role, unsigned id)
{
	unsigned char body[8] = { (unsigned char)(role >> 8), (unsigned char)role };

	add_record(w, BEGIN, id, body, sizeof(body));
}

/* A head around these parameters. */
static void
whole(struct wire *w, const void *params, size_t n)
{
	w->n = 0;
	add_begin(w, 1, 1);
	if (n > 0)
		add_record(w, PARAMS, 1, params, n);
	add_record(w, PARAMS, 1, "", 0);
}

/* Judging moves bytes, so each time on a copy. */
static enum head_verdict
judge(const struct wire *w, size_t n)
{
	static struct wire copy;

	memcpy(copy.at, w->at, n);
	return head_judge(copy.at, n < HEAD_MAX_BYTES ? n : HEAD_MAX_BYTES);
}

#define GOOD "\x03\x01" "ABCd" "\x01\x00" "E"

START_TEST(every_part_of_a_head_wants_more)
{
	static struct wire w;

	whole(&w, GOOD, sizeof(GOOD) - 1);
	for (size_t n = 0; n < w.n; n++)
		ck_assert_int_eq(judge(&w, n), HEAD_MORE);
	ck_assert_int_eq(judge(&w, w.n), HEAD_WHOLE);
	add_record(&w, STDIN, 1, "body", 4);
	ck_assert_int_eq(judge(&w, w.n), HEAD_WHOLE);
	whole(&w, "", 0);
	ck_assert_int_eq(judge(&w, w.n), HEAD_WHOLE);
}
END_TEST

/* Pairs may be cut anywhere between two records. */
START_TEST(params_in_pieces)
{
	static struct wire w;

	for (size_t cut = 1; cut < sizeof(GOOD) - 1; cut++) {
		w.n = 0;
		add_begin(&w, 1, 7);
		add_record(&w, PARAMS, 7, GOOD, cut);
		add_record(&w, PARAMS, 7, &GOOD[cut], sizeof(GOOD) - 1 - cut);
		add_record(&w, PARAMS, 7, "", 0);
		ck_assert_int_eq(judge(&w, w.n), HEAD_WHOLE);
	}
}
END_TEST

static const struct {
	const char *what, *at;
	size_t n;
	enum head_verdict verdict;
} PAIRS[] = {
#define ROW(what, text, verdict) { what, text, sizeof(text) - 1, verdict }
	ROW("four bytes of length", "\x80\x00\x00\x01\x80\x00\x00\x01" "AB", HEAD_WHOLE),
	ROW("a length without its byte", "\x01", HEAD_BAD),
	ROW("half a long length", "\x80\x00\x00", HEAD_BAD),
	ROW("name longer than all", "\x05\x00" "ABCD", HEAD_BAD),
	ROW("value longer than all", "\x01\x05" "ABCD", HEAD_BAD),
	ROW("the abort of 2.4.2: INT_MAX - 1 and 2", "\xff\xff\xff\xfe\x02" "AB", HEAD_BAD),
	ROW("INT_MAX and INT_MAX", "\xff\xff\xff\xff\xff\xff\xff\xff", HEAD_BAD),
	ROW("a value of INT_MAX", "\x01\xff\xff\xff\xff" "A", HEAD_BAD),
	ROW("no name", "\x00\x01" "A", HEAD_ODD),
	ROW("'=' in a name", "\x03\x01" "A=BC", HEAD_ODD),
	ROW("'=' in a value", "\x01\x03" "AB=C", HEAD_WHOLE),
	ROW("NUL in a name", "\x03\x01" "A\0BC", HEAD_ODD),
	ROW("NUL in a value", "\x01\x03" "AB\0C", HEAD_ODD),
#undef ROW
};

START_TEST(pairs)
{
	static struct wire w;

	whole(&w, PAIRS[_i].at, PAIRS[_i].n);
	ck_assert_msg(judge(&w, w.n) == PAIRS[_i].verdict, "%s: %d", PAIRS[_i].what, (int)judge(&w, w.n));
}
END_TEST

/* Records that stand where those of a head belong. */
static const struct { unsigned first, id, role, second, second_id; } RECORDS[] = {
	{ BEGIN, 0, 1, PARAMS, 0 }, { BEGIN, 1, 2, PARAMS, 1 }, { BEGIN, 1, 3, PARAMS, 1 }, { BEGIN, 1, 0, PARAMS, 1 },
	{ BEGIN, 1, 257, PARAMS, 1 }, { ABORT, 1, 1, PARAMS, 1 }, { GET_VALUES, 0, 1, PARAMS, 1 }, { 200, 1, 1, PARAMS, 1 },
	{ BEGIN, 1, 1, BEGIN, 1 }, { BEGIN, 1, 1, BEGIN, 2 }, { BEGIN, 1, 1, ABORT, 1 }, { BEGIN, 1, 1, STDIN, 1 },
	{ BEGIN, 1, 1, GET_VALUES, 0 }, { BEGIN, 1, 1, PARAMS, 2 }, { BEGIN, 1, 1, 0, 1 },
};

START_TEST(records_out_of_place)
{
	static struct wire w;
	unsigned char body[8] = { (unsigned char)(RECORDS[_i].role >> 8), (unsigned char)RECORDS[_i].role };

	w.n = 0;
	add_record(&w, RECORDS[_i].first, RECORDS[_i].id, body, sizeof(body));
	add_record(&w, RECORDS[_i].second, RECORDS[_i].second_id, GOOD, sizeof(GOOD) - 1);
	add_record(&w, PARAMS, RECORDS[_i].second_id, "", 0);
	ck_assert_int_eq(judge(&w, w.n), HEAD_BAD);
}
END_TEST

START_TEST(another_version_and_another_length_of_begin)
{
	static struct wire w;

	whole(&w, GOOD, sizeof(GOOD) - 1);
	w.at[0] = 2;
	ck_assert_int_eq(judge(&w, 1), HEAD_BAD);
	w.n = 0;
	add_record(&w, BEGIN, 1, "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	ck_assert_int_eq(judge(&w, w.n), HEAD_BAD);
	ck_assert_int_eq(judge(&w, 8), HEAD_BAD);
}
END_TEST

static void
many(struct wire *w, size_t n, size_t value)
{
	static unsigned char params[HEAD_MAX_BYTES * 2];
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		params[at] = 1;
		params[at + 1] = (unsigned char)value;
		params[at + 2] = 'A';
		memset(params + at + 3, 'v', value);
		at += 3 + value;
	}
	w->n = 0;
	add_begin(w, 1, 1);
	for (size_t done = 0; done < at; done += 60000)
		add_record(w, PARAMS, 1, params + done, at - done < 60000 ? at - done : 60000);
	add_record(w, PARAMS, 1, "", 0);
}

START_TEST(limits)
{
	static struct wire w;

	many(&w, HEAD_PARAMS_MAX, 1);
	ck_assert_int_eq(judge(&w, w.n), HEAD_WHOLE);
	many(&w, HEAD_PARAMS_MAX + 1, 1);
	ck_assert_int_eq(judge(&w, w.n), HEAD_ODD);
	many(&w, 500, 100);
	ck_assert_int_eq(judge(&w, w.n), HEAD_WHOLE);
	many(&w, 1000, 100);
	ck_assert_uint_gt(w.n, HEAD_MAX_BYTES);
	ck_assert_int_eq(judge(&w, HEAD_MAX_BYTES - 1), HEAD_MORE);
	ck_assert_int_eq(judge(&w, HEAD_MAX_BYTES), HEAD_BAD);
}
END_TEST

/* Whatever stands there: a verdict, and nothing outside is touched (the sanitizers look). */
START_TEST(any_byte_anywhere)
{
	static struct wire w;
	size_t n;

	whole(&w, GOOD, sizeof(GOOD) - 1);
	n = w.n;
	for (size_t i = 0; i < n; i++) {
		for (unsigned b = 0; b < 256; b++) {
			unsigned char kept = w.at[i];

			w.at[i] = (unsigned char)b;
			ck_assert_int_le(judge(&w, n), HEAD_BAD);
			w.at[i] = kept;
		}
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http/head");
	TCase *tc = tcase_create("head");

	tcase_add_test(tc, every_part_of_a_head_wants_more);
	tcase_add_test(tc, params_in_pieces);
	tcase_add_loop_test(tc, pairs, 0, N_ELEMS(PAIRS));
	tcase_add_loop_test(tc, records_out_of_place, 0, N_ELEMS(RECORDS));
	tcase_add_test(tc, another_version_and_another_length_of_begin);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, any_byte_anywhere);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
