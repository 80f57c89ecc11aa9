/* log_out - where the lines of a log go: one write() a line, and an account of those that could not be written.
 * Loss:      a line that does not fit on the disk is lost, never waited for. With the first line that can be written
 *            again goes one before it, event "log_lines_lost", that says how many of this process were lost and why;
 *            half a line that the disk still took ends there.
 * Errors:    none returned by writing: n_lost and the meter tell.
 * Fork:      the file is O_APPEND, so processes share it; each keeps its own account. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_LOG_OUT_H
#define BASE_LOG_OUT_H

#include "base/meter.h"

struct log_out {
	int fd;
	bool own_fd;
	bool is_file;                 /* a regular file: long lines do not tear */
	bool torn;                    /* the last bytes we wrote are half a line */
	char *path;                   /* NULL: stderr */
	int why;                      /* errno of the last loss */
	int64_t n_lost;
	int64_t n_untold;             /* of them, those no line has told of yet */
	struct meter *meter;          /* NULL: not counted */
};

/* path NULL: stderr. False with errno; what was opened so far is closed with log_out_close. */
bool log_out_open(struct log_out *o, const char *path);
void log_out_close(struct log_out *o);
/* The path anew, after a rotation; false with errno: the old file stays. */
bool log_out_reopen(struct log_out *o);
/* line ends in a newline. */
void log_out_write(struct log_out *o, struct str line);
/* Lost without being tried: it could not be built. */
void log_out_lose(struct log_out *o, int why);
/* Whether a line could be written now; tells of losses if so. */
bool log_out_check(struct log_out *o);
/* Under spawn-fcgi without -n stderr is /dev/null; it may also be closed. */
bool log_out_stderr_is_lost(void);

#endif
