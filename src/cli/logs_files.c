/* logs_files - finds the log's files, and reads lines out of them; the only place that knows zlib.
 * SPDX-License-Identifier: MIT */
#include "cli/logs_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { FILES_MAX = 10000, FIRST_BYTES = 64 * 1024, LINE_MAX_BYTES = 8 * 1024 * 1024 };

/* A line beyond LINE_MAX_BYTES is nothing of ours: it is handed out in pieces. */
struct log_reader {
	gzFile gz;                    /* NULL: a plain file */
	int fd;                       /* -1: gz has it */
	ino_t inode;
	off_t n_read;                 /* of a plain file */
	bool broken;                  /* an end that is none: damaged, or an error of the disk */
	char *at;
	size_t cap, begin, end;       /* what was read and not handed out: [begin, end) */
};

bool
log_file_is_rotated(struct str base, struct str name, int64_t *number_out)
{
	struct str rest;

	if (!str_starts(name, base) || name.len < base.len + 2)
		return false;
	rest = (struct str){ name.at + base.len + 1, name.len - base.len - 1 };
	if (str_ends(rest, S(".gz")))
		rest.len -= 3;
	*number_out = -1;
	if (name.at[base.len] == '.')
		return parse_i64(rest, 0, INT32_MAX, number_out);
	if (name.at[base.len] != '-' || rest.len < 8)
		return false;
	for (size_t i = 0; i < rest.len; i++)
		if ((rest.at[i] < '0' || rest.at[i] > '9') && (i < 8 || rest.at[i] != '-'))
			return false;
	return true;
}

/* Dated names ascend with time, numbers descend. Both at once happens only when somebody changed from
 * one to the other; then the dated ones count as older. */
int
log_file_order(const void *a, const void *b)
{
	const struct log_file *x = a, *y = b;

	if (x->number < 0 && y->number < 0)
		return str_cmp(x->name, y->name);
	if (x->number < 0 || y->number < 0)
		return x->number < 0 ? -1 : 1;
	return x->number > y->number ? -1 : x->number < y->number;
}

/* Folder and name of a path. */
static void
split_path(struct arena *a, const char *path, char **folder_out, struct str *base_out)
{
	const char *slash = strrchr(path, '/');

	*base_out = str_of(slash != NULL ? slash + 1 : path);
	if (slash == NULL)
		*folder_out = arena_z(a, S("."));
	else
		*folder_out = arena_z(a, (struct str){ path, slash == path ? 1 : (size_t)(slash - path) });
}

bool
log_files_find(struct arena *a, const char *log_path, struct log_file **out, size_t *n_out)
{
	struct log_file *files = arena_array(a, FILES_MAX, sizeof(*files));
	struct dirent *entry;
	struct str base;
	char *folder;
	size_t n = 0;
	DIR *dir;

	split_path(a, log_path, &folder, &base);
	if ((dir = opendir(folder)) == NULL)
		return false;
	while (n < FILES_MAX && (entry = readdir(dir)) != NULL) {
		struct log_file *f = &files[n];
		struct stat st;

		if (!log_file_is_rotated(base, str_of(entry->d_name), &f->number))
			continue;
		f->name = arena_str(a, str_of(entry->d_name));
		f->path = arena_z(a, arena_printf(a, "%s/%.*s", folder, STR_ARG(f->name)));
		if (stat(f->path, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		f->inode = st.st_ino;
		f->changed_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
		n++;
	}
	(void)closedir(dir);
	qsort(files, n, sizeof(*files), log_file_order);
	*out = files;
	*n_out = n;
	return true;
}

struct log_reader *
log_reader_open(const char *path)
{
	struct log_reader *r = calloc(1, sizeof(*r));
	struct stat st;
	int fd;

	if (r == NULL)
		return NULL;
	r->fd = fd = open(path, O_RDONLY | O_CLOEXEC);
	r->at = malloc(r->cap = FIRST_BYTES);
	if (fd < 0 || r->at == NULL || fstat(fd, &st) != 0) {
		log_reader_close(r);
		return NULL;
	}
	r->inode = st.st_ino;
	if (!str_ends(str_of(path), S(".gz")))
		return r;
	if ((r->gz = gzdopen(fd, "rb")) == NULL) {
		log_reader_close(r);
		errno = ENOMEM;
		return NULL;
	}
	r->fd = -1;
	return r;
}

void
log_reader_close(struct log_reader *r)
{
	int saved = errno;

	if (r == NULL)
		return;
	if (r->gz != NULL)
		(void)gzclose_r(r->gz);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r->at);
	free(r);
	errno = saved;
}

/* Room for more at the end; false: the line is as long as one may be. */
static bool
make_room(struct log_reader *r)
{
	char *more;

	if (r->begin > 0) {
		memmove(r->at, r->at + r->begin, r->end - r->begin);
		r->end -= r->begin;
		r->begin = 0;
	}
	if (r->end < r->cap)
		return true;
	if (r->cap >= LINE_MAX_BYTES || (more = realloc(r->at, 2 * r->cap)) == NULL)
		return false;
	r->at = more;
	r->cap *= 2;
	return true;
}

/* False: nothing more is there now. */
static bool
read_more(struct log_reader *r)
{
	int state = Z_OK;
	ssize_t n;

	if (r->gz != NULL) {
		n = gzread(r->gz, r->at + r->end, (unsigned)(r->cap - r->end));
		/* What ends in the middle is an error of its own, and not one of gzread's. */
		if (n <= 0)
			(void)gzerror(r->gz, &state);
	} else {
		do {
			n = read(r->fd, r->at + r->end, r->cap - r->end);
		} while (n < 0 && errno == EINTR);
	}
	r->broken = r->broken || n < 0 || state != Z_OK;
	if (n <= 0)
		return false;
	r->end += (size_t)n;
	r->n_read += n;
	return true;
}

bool
log_reader_next(struct log_reader *r, bool rest_too, struct str *line_out)
{
	size_t looked = 0;

	for (;;) {
		char *from = r->at + r->begin;
		size_t n = r->end - r->begin;
		const char *newline = memchr(from + looked, '\n', n - looked);
		bool whole = newline != NULL, full = !whole && !make_room(r);

		if (whole || full || (!read_more(r) && rest_too && n > 0)) {
			size_t len = whole ? (size_t)(newline - from) : r->end - r->begin;

			*line_out = (struct str){ r->at + r->begin, len };
			r->begin += len + whole;
			return true;
		}
		/* make_room moved what there is to the front; read_more may have added to it. */
		if (r->end - r->begin == n)
			return false;
		looked = n;
	}
}

bool
log_reader_is_broken(const struct log_reader *r)
{
	return r->broken;
}

ino_t
log_reader_inode(const struct log_reader *r)
{
	return r->inode;
}

void
log_reader_mind_truncation(struct log_reader *r)
{
	struct stat st;

	if (r->fd < 0 || fstat(r->fd, &st) != 0 || st.st_size >= r->n_read)
		return;
	(void)lseek(r->fd, 0, SEEK_SET);
	r->n_read = 0;
	r->begin = r->end = 0;
}
