/* log_out - hands lines to the kernel and keeps count of those it did not take.
 * SPDX-License-Identifier: MIT */
#include "base/log_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jsonw.h"

static int
open_path(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

static void
look_at_fd(struct log_out *o)
{
	struct stat st;
	int flags;

	o->is_file = fstat(o->fd, &st) == 0 && S_ISREG(st.st_mode);
	/* stderr sent to a file by a shell: other processes may write there too. */
	if (o->is_file && !o->own_fd && (flags = fcntl(o->fd, F_GETFL)) >= 0)
		(void)fcntl(o->fd, F_SETFL, flags | O_APPEND);
}

static bool
put(struct log_out *o, struct str text)
{
	ssize_t n;

	do {
		n = write(o->fd, text.at, text.len);
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)text.len) {
		o->torn = false;
		return true;
	}
	o->why = n < 0 ? errno : ENOSPC;
	o->torn = o->torn || n > 0;
	return false;
}

/* Whether the file ends in the midst of a line: ours, or one of a process we share it with. */
static bool
ends_torn(const struct log_out *o)
{
	struct stat st;
	char last = '\n';
	int fd;

	if (o->torn || o->path == NULL || !o->is_file)
		return o->torn;
	if ((fd = open(o->path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
		last = '\n';
	(void)close(fd);
	return last != '\n';
}

/* False: still no room, even for this. */
static bool
tell(struct log_out *o)
{
	char text[512], stamp[64];
	struct strbuf b, t;
	struct jsonw w;

	strbuf_init(&b, text, sizeof(text));
	strbuf_init(&t, stamp, sizeof(stamp));
	clock_format_iso(&t, clock_wall_ms());
	if (ends_torn(o))
		strbuf_addc(&b, '\n');
	jsonw_init(&w, &b);
	jsonw_obj(&w, NULL);
	jsonw_z(&w, "level", "error");
	jsonw_str(&w, "timestamp", strbuf_str(&t));
	jsonw_z(&w, "msg", "日志曾无法写入，有行丢失");
	jsonw_i64(&w, "lines", o->n_untold);
	jsonw_i64(&w, "pid", getpid());
	jsonw_z(&w, "error", strerror(o->why));
	jsonw_z(&w, "event", "log_lines_lost");
	jsonw_obj_end(&w);
	strbuf_addc(&b, '\n');
	if (!put(o, strbuf_str(&b)))
		return false;
	o->n_untold = 0;
	return true;
}

void
log_out_lose(struct log_out *o, int why)
{
	o->why = why;
	o->n_lost++;
	o->n_untold++;
	meter_add(o->meter, METER_LOG_LOST, S(""), S(""), 1);
}

void
log_out_write(struct log_out *o, struct str line)
{
	if ((o->n_untold > 0 && !tell(o)) || !put(o, line))
		log_out_lose(o, o->why);
}

bool
log_out_check(struct log_out *o)
{
	struct statvfs fs;

	if (o->n_untold > 0)
		return tell(o);
	if (!o->is_file || fstatvfs(o->fd, &fs) != 0)
		return true;
	return fs.f_blocks == 0 || fs.f_bavail > 0;
}

bool
log_out_stderr_is_lost(void)
{
	struct stat e, null;

	if (fstat(STDERR_FILENO, &e) != 0)
		return true;
	return S_ISCHR(e.st_mode) && stat("/dev/null", &null) == 0 && e.st_rdev == null.st_rdev;
}

bool
log_out_open(struct log_out *o, const char *path)
{
	*o = (struct log_out){ .own_fd = path != NULL };
	o->fd = o->own_fd ? open_path(path) : STDERR_FILENO;
	if (o->fd < 0 || (o->own_fd && (o->path = strdup(path)) == NULL))
		return false;
	look_at_fd(o);
	return true;
}

void
log_out_close(struct log_out *o)
{
	if (o->own_fd && o->fd >= 0)
		(void)close(o->fd);
	free(o->path);
	o->path = NULL;
	o->fd = -1;
}

bool
log_out_reopen(struct log_out *o)
{
	int fd, moved;

	if (!o->own_fd)
		return true;
	if ((fd = open_path(o->path)) < 0)
		return false;
	moved = dup3(fd, o->fd, O_CLOEXEC);
	(void)close(fd);
	if (moved < 0)
		return false;
	look_at_fd(o);
	o->torn = false;
	return true;
}
