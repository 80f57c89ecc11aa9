/* test_log.c - the log: order of keys, escapes, the cut in a pipe, whole lines in a file, levels,
 * rotation, lost lines, and many processes on one file. Every line is read by a JSON parser.
 * SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/meter.h"
#include "support/unit.h"

enum { FILE_ROOM = 16 * 1024 * 1024, N_PROCESSES = 4, N_LINES = 400, N_UIDS = 999, PIPE_MAX = 4096 };

static char dir[64];
static char path[80], rotated[80];
/* As long as an event key may be: then a cut line ends at the border exactly. */
#define LONG_EVENT "an_event_that_is_sixty_four_letters_long_so_that_no_room_is_left"

static struct arena *mem;                          /* what a test reads and parses */

static void
make_dir(void)
{
	mem = arena_new(4 * (size_t)FILE_ROOM);
	(void)snprintf(dir, sizeof(dir), "/tmp/tgo-test-log-XXXXXX");
	ck_assert(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/a.log", dir);
	(void)snprintf(rotated, sizeof(rotated), "%s/a.log.1", dir);
}

static void
remove_dir(void)
{
	(void)unlink(path);
	(void)unlink(rotated);
	(void)rmdir(dir);
	arena_free(mem);
}

/* All of fd, NUL-terminated. */
static struct str
read_fd(int fd)
{
	char piece[4096];
	struct strbuf b;
	ssize_t got;

	strbuf_init_arena(&b, mem, sizeof(piece), FILE_ROOM);
	while ((got = read(fd, piece, sizeof(piece))) > 0)
		strbuf_add(&b, (struct str){ piece, (size_t)got });
	ck_assert_int_eq(got, 0);
	ck_assert(strbuf_ok(&b));
	(void)close(fd);
	return strbuf_str(&b);
}

static struct str
read_path(const char *name)
{
	int fd = open(name, O_RDONLY);

	ck_assert_int_ge(fd, 0);
	return read_fd(fd);
}

static void
put(void *object)
{
	ck_assert_int_eq(json_object_put(object), 1);
}

static struct json_object *
parse(struct str line)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *o;

	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, line.at, (int)line.len);
	ck_assert_msg(json_tokener_get_error(tok) == json_tokener_success, "not JSON: %.*s",
	    STR_ARG(line));
	ck_assert(json_object_is_type(o, json_type_object));
	json_tokener_free(tok);
	arena_defer(mem, put, o);
	return o;
}

static struct json_object *
get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	ck_assert_msg(json_object_object_get_ex(o, key, &v), "no %s", key);
	return v;
}

/* The only line of a text. */
static struct json_object *
parse_one(struct str text)
{
	ck_assert_uint_gt(text.len, 1);
	ck_assert_int_eq(text.at[text.len - 1], '\n');
	ck_assert_ptr_eq(memchr(text.at, '\n', text.len), text.at + text.len - 1);
	return parse((struct str){ text.at, text.len - 1 });
}

/* A log on a pipe as stderr; what was written comes back from the other end. */
static struct log *
log_on_pipe(int *read_end_out)
{
	int ends[2];
	struct log *log;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(ends[1]);
	log = log_open(NULL, LOG_INFO);
	ck_assert(log != NULL);
	*read_end_out = ends[0];
	return log;
}

/* Lets go of the writing end: the reader then sees the end of the text. */
static void
leave_pipe(struct log *log)
{
	int null = open("/dev/null", O_WRONLY);

	log_close(log);
	ck_assert_int_eq(dup2(null, STDERR_FILENO), STDERR_FILENO);
	(void)close(null);
}

START_TEST(keys_stand_in_order)
{
	static const struct str UIDS[] = { { "u2", 2 }, { "u3", 2 } };
	static const char *const KEYS[] = {
		"level", "timestamp", "msg", "request_id", "room_id", "n", "ms", "uids", "none", "event",
	};
	struct log *log = log_open(path, LOG_INFO);
	struct log_line l;
	struct json_object *o;
	size_t i = 0;

	ck_assert(log != NULL);
	log_begin(&l, log, LOG_INFO, "房间创建成功", "room_created", S("req-1"));
	log_z(&l, "room_id", "r/1");
	log_i64(&l, "n", -7);
	log_ms(&l, "ms", 1234567);
	log_strs(&l, "uids", UIDS, 2);
	log_strs(&l, "none", NULL, 0);
	log_end(&l);
	log_close(log);

	struct str text = read_path(path);
	o = parse_one(text);
	json_object_object_foreach(o, key, value) {
		(void)value;
		ck_assert_uint_lt(i, N_ELEMS(KEYS));
		ck_assert_str_eq(key, KEYS[i++]);
	}
	ck_assert_uint_eq(i, N_ELEMS(KEYS));
	/* as it stands, for those who grep */
	ck_assert(strstr(text.at, "\"msg\":\"房间创建成功\",\"request_id\":\"req-1\",\"room_id\":\"r/1\","
	    "\"n\":-7,\"ms\":1234.567,\"uids\":[\"u2\",\"u3\"],\"none\":[],\"event\":\"room_created\"}\n")
	    != NULL);
	ck_assert(str_starts(text, S("{\"level\":\"info\",\"timestamp\":\"20")));
}
END_TEST

START_TEST(timestamp_is_iso_with_ms_and_zone)
{
	struct log *log = log_open(path, LOG_INFO);
	int year, ms, zone_h, end = 0;
	const char *t;

	log_note(log, LOG_WARN, "m", "e", NULL);
	log_close(log);
	t = json_object_get_string(get(parse_one(read_path(path)), "timestamp"));
	ck_assert_int_eq(sscanf(t, "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%3d%3d:%*2d%n", &year, &ms, &zone_h,
	    &end), 3);
	ck_assert_int_eq(end, 29);
	ck_assert_uint_eq(strlen(t), 29);
}
END_TEST

START_TEST(bytes_are_escaped_and_without_request_id_no_key)
{
	struct log *log = log_open(path, LOG_INFO);
	struct log_line l;
	struct json_object *o;
	struct str text;

	log_begin(&l, log, LOG_ERROR, "m", "e", S(""));
	log_str(&l, "bad", S("a\"\n\x01\xff" "b"));
	log_end(&l);
	log_close(log);
	text = read_path(path);
	o = parse_one(text);
	ck_assert(strstr(text.at, "\"bad\":\"a\\\"\\n\\u0001\xef\xbf\xbd" "b\"") != NULL);
	ck_assert(!json_object_object_get_ex(o, "request_id", NULL));
	ck_assert(!json_object_object_get_ex(o, "cut", NULL));
}
END_TEST

static void
add_uids(struct log_line *l, size_t n)
{
	static char text[N_UIDS][4 * 40 + 1];
	static struct str uids[N_UIDS];

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < 40; k++)
			memcpy(text[i] + 4 * k, "\xf0\x9f\x98\x80", 4);
		(void)snprintf(text[i], 5, "%04zu", i);
		text[i][4] = '\xf0';
		uids[i] = (struct str){ text[i], 160 };
	}
	log_strs(l, "invited_uids", uids, n);
}

START_TEST(a_pipe_cuts_a_long_list)
{
	int fd;
	struct log *log = log_on_pipe(&fd);
	struct log_line l;
	struct json_object *o;
	struct str text;

	log_begin(&l, log, LOG_INFO, "房间创建成功", "room_created", S("q"));
	add_uids(&l, N_UIDS);
	log_z(&l, "livekit_node", "n1");
	log_end(&l);
	leave_pipe(log);
	text = read_fd(fd);
	o = parse_one(text);
	ck_assert_uint_lt(text.len, PIPE_MAX);
	ck_assert_uint_gt(text.len, PIPE_MAX - 400);          /* and not more than needed */
	ck_assert(json_object_get_boolean(get(o, "cut")));
	ck_assert_uint_gt(json_object_array_length(get(o, "invited_uids")), 20);
	ck_assert(str_ends(text, S(",\"event\":\"room_created\"}\n")));
}
END_TEST

/* Every length around the border, of a text of plain letters, of quotes, of 4-byte characters. */
START_TEST(a_pipe_cuts_a_long_text_wherever_it_ends)
{
	static const char *const UNITS[] = { "x", "\"", "\xf0\x9f\x98\x80", "\x01" };
	static const size_t FIRST[] = { 3700, 1850, 925, 600 };   /* the border comes in the next 300 */
	const char *unit = UNITS[_i];
	size_t unit_len = strlen(unit), longest = 0;
	char v[8192];
	bool cut_seen = false, whole_seen = false;

	for (size_t n = FIRST[_i]; n < FIRST[_i] + 300; n++) {
		int fd;
		struct log *log = log_on_pipe(&fd);
		struct log_line l;
		struct json_object *o;
		struct str text;
		bool cut;

		for (size_t i = 0; i < n; i++)
			memcpy(v + i * unit_len, unit, unit_len);
		log_begin(&l, log, LOG_INFO, "m", LONG_EVENT, S("q"));
		log_str(&l, "text", (struct str){ v, n * unit_len });
		if (_i % 2 == 0)
			log_z(&l, "last", "y");
		log_end(&l);
		leave_pipe(log);
		text = read_fd(fd);
		o = parse_one(text);
		cut = json_object_object_get_ex(o, "cut", NULL);
		ck_assert_uint_lt(text.len, PIPE_MAX);
		ck_assert(str_ends(text, S("\"event\":\"" LONG_EVENT "\"}\n")));
		ck_assert(cut || (size_t)json_object_get_string_len(get(o, "text")) == n * unit_len);
		longest = text.len > longest ? text.len : longest;
		*(cut ? &cut_seen : &whole_seen) = true;
	}
	ck_assert(cut_seen && whole_seen);
	ck_assert_uint_gt(longest, PIPE_MAX - 10);
}
END_TEST

START_TEST(a_file_keeps_a_long_line_whole)
{
	struct log *log = log_open(path, LOG_INFO);
	struct json_object *o;
	struct str text;

	for (int round = 0; round < 2; round++) {
		struct log_line l, inner;

		log_begin(&l, log, LOG_INFO, "m", "e", S("q"));
		add_uids(&l, N_UIDS);
		log_begin(&inner, log, LOG_INFO, "while another is open", "inner", S("q"));
		add_uids(&inner, N_UIDS);
		log_end(&inner);
		log_end(&l);
	}
	log_close(log);
	text = read_path(path);
	for (int round = 0; round < 2; round++) {
		struct str line;

		ck_assert(str_split(&text, '\n', &line));
		o = parse(line);
		ck_assert_str_eq(json_object_get_string(get(o, "event")), "inner");
		ck_assert(json_object_get_boolean(get(o, "cut")));   /* one at a time */
		ck_assert(str_split(&text, '\n', &line));
		o = parse(line);
		ck_assert_uint_gt(line.len, 160 * 1000);
		ck_assert_uint_eq(json_object_array_length(get(o, "invited_uids")), N_UIDS);
		ck_assert(!json_object_object_get_ex(o, "cut", NULL));
	}
}
END_TEST

START_TEST(half_a_megabyte_ends_a_line_in_a_file)
{
	static char v[1024 * 1024];
	struct log *log = log_open(path, LOG_INFO);
	struct log_line l;
	struct str text;

	memset(v, 'x', sizeof(v));
	log_begin(&l, log, LOG_INFO, "m", "e", S(""));
	log_str(&l, "v", (struct str){ v, sizeof(v) });
	log_i64(&l, "n", 1);
	log_end(&l);
	log_close(log);
	text = read_path(path);
	ck_assert(json_object_get_boolean(get(parse_one(text), "cut")));
	ck_assert_uint_lt(text.len, 512 * 1024);
	ck_assert_uint_gt(text.len, 500 * 1024);
}
END_TEST

START_TEST(the_level_filters)
{
	enum log_level threshold = (enum log_level)_i;
	struct log *log = log_open(path, threshold);
	struct str text, line;
	int n = 0;

	for (enum log_level level = LOG_DEBUG; level <= LOG_ERROR; level++) {
		ck_assert(log_on(log, level) == (level >= threshold));
		log_note(log, level, "m", "e", "d");
	}
	log_note(NULL, LOG_ERROR, "m", "e", NULL);
	log_close(log);
	text = read_path(path);
	while (str_split(&text, '\n', &line))
		n += line.len > 0;
	ck_assert_int_eq(n, 4 - _i);
}
END_TEST

static const struct { const char *in; bool ok; enum log_level level; } NAMES[] = {
	{ "debug", true, LOG_DEBUG }, { "INFO", true, LOG_INFO }, { "warn", true, LOG_WARN },
	{ "Warning", true, LOG_WARN }, { "error", true, LOG_ERROR }, { "", false, LOG_DEBUG },
	{ "fatal", false, LOG_DEBUG }, { "info ", false, LOG_DEBUG },
};
START_TEST(level_names)
{
	enum log_level level = LOG_DEBUG;

	ck_assert(log_level_parse(str_of(NAMES[_i].in), &level) == NAMES[_i].ok);
	ck_assert_int_eq((int)level, (int)NAMES[_i].level);
}
END_TEST

START_TEST(reopen_follows_a_rotation)
{
	struct log *log = log_open(path, LOG_INFO);

	log_note(log, LOG_INFO, "m", "first", NULL);
	ck_assert_int_eq(rename(path, rotated), 0);
	log_note(log, LOG_INFO, "m", "second", NULL);
	ck_assert(log_reopen(log));
	log_note(log, LOG_INFO, "m", "third", NULL);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert(!log_reopen(log));               /* keeps what it has */
	ck_assert_int_eq(rmdir(path), 0);
	log_note(log, LOG_INFO, "m", "fourth", NULL);
	ck_assert_int_eq(log_n_lost(log), 0);
	ck_assert(log_reopen(log));
	log_note(log, LOG_INFO, "m", "fifth", NULL);
	log_close(log);
	ck_assert_str_eq(json_object_get_string(get(parse_one(read_path(path)), "event")), "fifth");
	ck_assert(strstr(read_path(rotated).at, "second") != NULL);
}
END_TEST

START_TEST(a_lost_line_is_counted_and_errno_kept)
{
	struct log *log = log_open("/dev/full", LOG_INFO);

	ck_assert(log != NULL);
	errno = ENOTTY;
	log_note(log, LOG_INFO, "m", "e", "d");
	ck_assert_int_eq(errno, ENOTTY);
	ck_assert_int_eq(log_n_lost(log), 1);
	log_close(log);
}
END_TEST

/* What a full disk does to a file: the last line it takes, it takes in part. */
static void
let_the_file_grow_to(rlim_t bytes)
{
	const struct rlimit limit = { bytes, RLIM_INFINITY };

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(a_full_disk_costs_lines_and_is_told_of)
{
	struct meter *meter = meter_new(1);
	struct log *log = log_open(path, LOG_INFO);
	struct str text, line[5] = { 0 };
	struct stat st;

	signal(SIGXFSZ, SIG_IGN);
	log_count_in(log, meter);
	log_note(log, LOG_INFO, "whole", "e", NULL);
	ck_assert_int_eq(stat(path, &st), 0);
	let_the_file_grow_to((rlim_t)st.st_size + 20);
	ck_assert(log_writable(log));
	log_note(log, LOG_INFO, "half", "e", NULL);
	log_note(log, LOG_INFO, "not at all", "e", NULL);
	ck_assert(!log_writable(log));
	ck_assert_int_eq(log_n_lost(log), 2);
	ck_assert_int_eq(meter_total(meter, METER_LOG_LOST), 2);
	let_the_file_grow_to(RLIM_INFINITY);
	log_note(log, LOG_INFO, "again", "e", NULL);
	ck_assert(log_writable(log));
	text = read_path(path);
	for (size_t i = 0; i < N_ELEMS(line); i++)
		(void)str_split(&text, '\n', &line[i]);
	ck_assert_str_eq(json_object_get_string(get(parse(line[0]), "msg")), "whole");
	ck_assert_uint_eq(line[1].len, 20);
	ck_assert_str_eq(json_object_get_string(get(parse(line[2]), "event")), "log_lines_lost");
	ck_assert_str_eq(json_object_get_string(get(parse(line[2]), "error")), "File too large");
	ck_assert_int_eq(json_object_get_int(get(parse(line[2]), "lines")), 2);
	ck_assert_str_eq(json_object_get_string(get(parse(line[3]), "msg")), "again");
	ck_assert_uint_eq(line[4].len + text.len, 0);
	ck_assert_int_eq(log_n_lost(log), 2);
	log_close(log);
	meter_free(meter);
}
END_TEST

/* Half a line of another process's is no beginning of the notice. */
START_TEST(the_notice_has_a_line_of_its_own)
{
	struct log *log = log_open(path, LOG_INFO);
	struct str text, first, second;
	struct stat st;
	int fd;

	signal(SIGXFSZ, SIG_IGN);
	let_the_file_grow_to(4);
	fd = open(path, O_WRONLY | O_APPEND);
	ck_assert_int_eq(write(fd, "{\"a\":1}\n", 8), 4);
	(void)close(fd);
	log_note(log, LOG_INFO, "lost", "e", NULL);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 4);
	let_the_file_grow_to(RLIM_INFINITY);
	ck_assert(log_writable(log));
	text = read_path(path);
	ck_assert(str_split(&text, '\n', &first) && str_split(&text, '\n', &second));
	ck_assert_uint_eq(first.len, 4);
	ck_assert_int_eq(json_object_get_int(get(parse(second), "lines")), 1);
	log_close(log);
}
END_TEST

START_TEST(where_it_goes)
{
	int null = open("/dev/null", O_WRONLY);

	errno = 0;
	ck_assert(log_open("/nonexistent/a.log", LOG_INFO) == NULL);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(dup2(null, STDERR_FILENO), STDERR_FILENO);
	if (access("/var/log/tgo-call", F_OK) != 0) {
		/* stderr leads nowhere, and where it would go instead there is no folder */
		ck_assert(log_open(NULL, LOG_INFO) == NULL);
		ck_assert(log_open("", LOG_INFO) == NULL);
		ck_assert_int_eq(errno, ENOENT);
	}
	log_close(NULL);
}
END_TEST

static void
write_many(int who)
{
	struct log *log = log_open(path, LOG_INFO);
	char v[9000];

	for (int i = 0; i < N_LINES; i++) {
		struct log_line l;
		size_t n = (size_t)(i * 37 % (int)sizeof(v));

		memset(v, 'a' + who, n);
		log_begin(&l, log, LOG_INFO, "m", "e", S("q"));
		log_i64(&l, "who", who);
		log_str(&l, "v", (struct str){ v, n });
		log_end(&l);
	}
	_exit(log_n_lost(log) == 0 ? 0 : 1);
}

START_TEST(processes_share_a_file_without_a_torn_line)
{
	int n[N_PROCESSES] = { 0 }, status;
	pid_t pids[N_PROCESSES];
	struct str text, line;

	for (int i = 0; i < N_PROCESSES; i++)
		if ((pids[i] = fork()) == 0)
			write_many(i);
	for (int i = 0; i < N_PROCESSES; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	text = read_path(path);
	while (str_split(&text, '\n', &line)) {
		struct json_object *o;
		int who;

		if (line.len == 0)
			continue;
		o = parse(line);
		who = json_object_get_int(get(o, "who"));
		ck_assert(who >= 0 && who < N_PROCESSES);
		/* nothing of another's in it */
		ck_assert_uint_eq(strspn(json_object_get_string(get(o, "v")),
		    (char[]){ (char)('a' + who), '\0' }),
		    (size_t)json_object_get_string_len(get(o, "v")));
		n[who]++;
	}
	for (int i = 0; i < N_PROCESSES; i++)
		ck_assert_int_eq(n[i], N_LINES);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/log");
	TCase *tc = tcase_create("log");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, keys_stand_in_order);
	tcase_add_test(tc, timestamp_is_iso_with_ms_and_zone);
	tcase_add_test(tc, bytes_are_escaped_and_without_request_id_no_key);
	tcase_add_test(tc, a_pipe_cuts_a_long_list);
	tcase_add_loop_test(tc, a_pipe_cuts_a_long_text_wherever_it_ends, 0, 4);
	tcase_add_test(tc, a_file_keeps_a_long_line_whole);
	tcase_add_test(tc, half_a_megabyte_ends_a_line_in_a_file);
	tcase_add_loop_test(tc, the_level_filters, LOG_DEBUG, LOG_ERROR + 1);
	tcase_add_loop_test(tc, level_names, 0, N_ELEMS(NAMES));
	tcase_add_test(tc, reopen_follows_a_rotation);
	tcase_add_test(tc, a_lost_line_is_counted_and_errno_kept);
	tcase_add_test(tc, a_full_disk_costs_lines_and_is_told_of);
	tcase_add_test(tc, the_notice_has_a_line_of_its_own);
	tcase_add_test(tc, where_it_goes);
	tcase_add_test(tc, processes_share_a_file_without_a_torn_line);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
