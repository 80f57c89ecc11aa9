/* Rotated files: which names, in which order; lines out of plain and packed files; the ring of the last.
 * SPDX-License-Identifier: MIT */
#include "cli/logs_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "support/unit.h"

#include "cli/logs_tail.h"

static const struct { const char *name; bool is; int64_t number; } NAMES[] = {
	{ "app.log.1", true, 1 }, { "app.log.0", true, 0 }, { "app.log.12.gz", true, 12 },
	{ "app.log-20251121", true, -1 }, { "app.log-20251121.gz", true, -1 },
	{ "app.log-20251121-1763674516.gz", true, -1 },
	{ "app.log", false, 0 }, { "app.log.", false, 0 }, { "app.log.gz", false, 0 }, { "app.log.1.bz2", false, 0 },
	{ "app.log.-1", false, 0 }, { "app.log.1x", false, 0 }, { "app.log.x", false, 0 }, { "app.log1", false, 0 },
	{ "app.log-2025", false, 0 }, { "app.log-2025112x", false, 0 }, { "app.log-20251121.tmp", false, 0 },
	{ "xapp.log.1", false, 0 }, { "app.lo.1", false, 0 }, { "", false, 0 },
};

START_TEST(names)
{
	int64_t number = -2;

	ck_assert_msg(log_file_is_rotated(S("app.log"), str_of(NAMES[_i].name), &number) == NAMES[_i].is, "%s",
	    NAMES[_i].name);
	if (NAMES[_i].is)
		ck_assert_int_eq(number, NAMES[_i].number);
}
END_TEST

START_TEST(oldest_first)
{
	static const char *const SORTED[] = { "app.log-20251101.gz", "app.log-20251120", "app.log.100.gz",
		"app.log.12", "app.log.9.gz", "app.log.2", "app.log.1" };
	struct log_file files[N_ELEMS(SORTED)] = { 0 };
	size_t n = N_ELEMS(SORTED);

	for (size_t i = 0; i < n; i++) {
		struct log_file *f = &files[(i * 5 + 3) % n];

		f->name = str_of(SORTED[i]);
		ck_assert(log_file_is_rotated(S("app.log"), f->name, &f->number));
	}
	qsort(files, n, sizeof(*files), log_file_order);
	for (size_t i = 0; i < n; i++)
		ck_assert_str_eq(files[i].name.at, SORTED[i]);
}
END_TEST

static char folder[] = "/tmp/tgo-logs-XXXXXX";
static char path[64];

static void
make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void
remove_folder(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void
put(const char *name, const char *text, size_t len)
{
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (strstr(name, ".gz") != NULL) {
		gzFile gz = gzopen(path, "ab");

		ck_assert_int_eq(gzwrite(gz, text, (unsigned)len), (int)len);
		ck_assert_int_eq(gzclose(gz), Z_OK);
	} else {
		FILE *f = fopen(path, "a");

		ck_assert_ptr_nonnull(f);
		ck_assert_uint_eq(fwrite(text, 1, len, f), len);
		ck_assert_int_eq(fclose(f), 0);
	}
}

static void
expect(struct log_reader *r, bool rest_too, const char *wanted)
{
	struct str line;

	ck_assert_int_eq(log_reader_next(r, rest_too, &line), wanted != NULL);
	if (wanted != NULL)
		ck_assert_msg(str_eq(line, str_of(wanted)), "%.*s", STR_ARG(line));
}

static const char *const READ_FROM[] = { "a", "a.gz" };

START_TEST(lines_come_one_by_one)
{
	struct log_reader *r;

	put(READ_FROM[_i], "one\n\nthree\nfour", 15);
	r = log_reader_open(path);
	ck_assert_ptr_nonnull(r);
	expect(r, false, "one");
	expect(r, false, "");
	expect(r, false, "three");
	expect(r, false, NULL);
	expect(r, false, NULL);
	expect(r, true, "four");
	expect(r, true, NULL);
	ck_assert(!log_reader_is_broken(r));
	log_reader_close(r);
}
END_TEST

START_TEST(a_file_that_grows)
{
	struct log_reader *r;

	put("a", "on", 2);
	r = log_reader_open(path);
	expect(r, false, NULL);
	put("a", "e\ntwo\n", 6);
	expect(r, false, "one");
	expect(r, false, "two");
	expect(r, false, NULL);
	ck_assert_int_eq(truncate(path, 0), 0);
	log_reader_mind_truncation(r);
	put("a", "three\n", 6);
	expect(r, false, "three");
	log_reader_mind_truncation(r);
	expect(r, false, NULL);
	log_reader_close(r);
}
END_TEST

/* Lines of every length around the sizes of the buffer. */
START_TEST(long_lines)
{
	static const size_t SIZES[] = { 65534, 65535, 65536, 65537, 131071, 131072, 500000, 3 };
	struct log_reader *r;
	struct str line;

	for (size_t i = 0; i < N_ELEMS(SIZES); i++) {
		char *text = malloc(SIZES[i] + 1);

		memset(text, 'a' + (int)i, SIZES[i]);
		text[SIZES[i]] = '\n';
		put(READ_FROM[_i], text, SIZES[i] + 1);
		free(text);
	}
	r = log_reader_open(path);
	for (size_t i = 0; i < N_ELEMS(SIZES); i++) {
		ck_assert(log_reader_next(r, false, &line));
		ck_assert_uint_eq(line.len, SIZES[i]);
		ck_assert_int_eq(line.at[0], 'a' + (int)i);
		ck_assert_int_eq(line.at[line.len - 1], 'a' + (int)i);
	}
	expect(r, true, NULL);
	log_reader_close(r);
}
END_TEST

START_TEST(a_damaged_file_is_noticed)
{
	struct log_reader *r;
	struct str line;

	put("a.gz", "one\ntwo\n", 8);
	ck_assert_int_eq(truncate(path, 20), 0);
	r = log_reader_open(path);
	while (log_reader_next(r, true, &line))
		;
	ck_assert(log_reader_is_broken(r));
	log_reader_close(r);
	ck_assert_ptr_null(log_reader_open("/nonexistent/log"));
}
END_TEST

START_TEST(the_ring_keeps_the_last)
{
	size_t cap = (size_t)_i;
	struct tail t;
	char text[16];

	tail_init(&t, cap);
	for (size_t n = 1; n <= 300; n++) {
		(void)snprintf(text, sizeof(text), "%zu", n);
		tail_add(&t, str_of(text));
		ck_assert_uint_eq(t.n, n < cap ? n : cap);
		for (size_t i = 0; i < t.n; i++) {
			(void)snprintf(text, sizeof(text), "%zu", n - t.n + 1 + i);
			ck_assert(str_eq(tail_at(&t, i), str_of(text)));
		}
	}
	tail_free(&t);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/logs_files");
	TCase *pure = tcase_create("names"), *tc = tcase_create("files");

	tcase_add_loop_test(pure, names, 0, (int)N_ELEMS(NAMES));
	tcase_add_test(pure, oldest_first);
	for (int cap = 0; cap <= 260; cap += cap < 5 ? 1 : 51)
		tcase_add_loop_test(pure, the_ring_keeps_the_last, cap, cap + 1);
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_loop_test(tc, lines_come_one_by_one, 0, (int)N_ELEMS(READ_FROM));
	tcase_add_test(tc, a_file_that_grows);
	tcase_add_loop_test(tc, long_lines, 0, (int)N_ELEMS(READ_FROM));
	tcase_add_test(tc, a_damaged_file_is_noticed);
	suite_add_tcase(s, pure);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
