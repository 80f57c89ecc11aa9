/* logs_files - the log file and those that logrotate made of it: names, order, and lines out of any.
 * Ownership: a set and a reader own their memory until closed.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_LOGS_FILES_H
#define CLI_LOGS_FILES_H

#include <sys/types.h>

#include "base/arena.h"

struct log_file {
	struct str name;              /* of the file in its folder */
	char *path;
	int64_t number;               /* LOG.7, LOG.7.gz: 7; -1 for LOG-20261121, LOG-20261121.gz */
	ino_t inode;
	int64_t changed_ms;           /* last written */
};
/* Whether `name` is a rotated file of `base`. *number_out as above. */
bool log_file_is_rotated(struct str base, struct str name, int64_t *number_out);
/* qsort order: oldest first. */
int log_file_order(const void *a, const void *b);
/* The rotated files of the log, oldest first, in the arena. False with errno: no such folder. */
bool log_files_find(struct arena *a, const char *log_path, struct log_file **out,
    size_t *n_out) MUST_CHECK;

struct log_reader;
/* NULL with errno. A name that ends in .gz is unpacked. */
struct log_reader *log_reader_open(const char *path) MUST_CHECK;
void log_reader_close(struct log_reader *r);
/* The next whole line without its newline, valid until the next call. False: there is none (yet).
 * rest_too: what stands at the end without a newline counts as a line. */
bool log_reader_next(struct log_reader *r, bool rest_too, struct str *line_out);
/* The end that was found is none: the file is damaged. */
bool log_reader_is_broken(const struct log_reader *r);
/* The inode of the open file, and whether the file became shorter than what was read of it: then reading
 * begins anew (copytruncate). */
ino_t log_reader_inode(const struct log_reader *r);
void log_reader_mind_truncation(struct log_reader *r);

#endif
