/* log - whatever the fields hold, a line is one line, one JSON object, and bounded where lines tear.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "fuzz/strict_json.h"
#include "json/json.h"

enum { PIPE_MAX = 4096, FIELDS_MAX = 12 };

/* The reading end of a pipe, or a file without a name; the log writes into the other. */
static struct log *
open_log(bool to_pipe, int *read_fd, int *other_fd)
{
	char path[64];
	struct log *l;
	int fds[2];

	if (to_pipe) {
		holds(pipe(fds) == 0, "there is a pipe");
		*read_fd = fds[0];
		*other_fd = fds[1];
	} else {
		*read_fd = *other_fd = memfd_create("log", MFD_CLOEXEC);
		holds(*read_fd >= 0, "there is a file");
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *other_fd);
	l = log_open(path, LOG_DEBUG);
	holds(l != NULL, "the log opens");
	return l;
}

static void
write_line(struct arena *a, struct log *log, struct str *data)
{
	struct log_line l;
	struct str uids[3];

	log_begin(&l, log, LOG_INFO, arena_z(a, take_text(data)), "event", take_text(data));
	log_str(&l, "first", take_text(data));
	for (int i = 0; i < FIELDS_MAX && data->len > 0; i++) {
		switch (take_byte(data) & 3) {
		case 0: log_str(&l, "text", take_text(data)); break;
		case 1: log_str(&l, "long", *data); break;
		case 2:
			for (size_t k = 0; k < N_ELEMS(uids); k++)
				uids[k] = take_text(data);
			log_strs(&l, "uids", uids, N_ELEMS(uids));
			break;
		default: log_ms(&l, "ms", (int64_t)take_byte(data) << take_byte(data) % 55); break;
		}
	}
	log_end(&l);
}

static struct str
read_back(struct arena *a, int fd)
{
	struct stat st;
	size_t max = fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 2 * PIPE_MAX;
	char *at = arena_alloc(a, max);
	ssize_t n = read(fd, at, max);

	holds(n > 0, "a line was written");
	return (struct str){ at, (size_t)n };
}

void
fuzz_log(struct arena *a, struct str data)
{
	static const struct strict_rules RULES = { .depth_max = 4, .nul_ok = true, .twice_ok = true };
	bool to_pipe = take_byte(&data) & 1;
	int read_fd, other_fd;
	struct log *log = open_log(to_pipe, &read_fd, &other_fd);
	struct str line;

	write_line(a, log, &data);
	line = read_back(a, read_fd);
	holds(log_n_lost(log) == 0, "no line is lost");
	holds(!to_pipe || line.len < PIPE_MAX, "a line into a pipe does not tear");
	holds(line.at[line.len - 1] == '\n', "a line ends");
	line.len--;
	holds(is_one_line(line) && is_plain(line), "a line is one line, for every reader");
	holds(line.at[0] == '{' && strict_json(a, line, &RULES, NULL), "a line is a JSON object");
	log_close(log);
	close(read_fd);
	if (other_fd != read_fd)
		close(other_fd);
}
