/* log - one JSON object a line, one write() a line (operations.md, "Logs").
 * Shape:     level, timestamp, msg, request_id, then fields in the order they were added, then `event`,
 *            the stable English key of the message. Lines into anything but a regular file stay below
 *            4096 bytes (pipes and journald tear longer ones): a field that does not fit is shortened or
 *            left out and "cut":true added; in a file lines are whole, up to 512 KiB.
 * Secrets:   nothing here can know one; callers never pass a token, key or password.
 * Errors:    a line that cannot be written is lost to the log and counted, and the next one that can be says how
 *            many were (event log_lines_lost): nothing waits for a full disk. errno is preserved.
 * Fork:      the file is O_APPEND, so processes share it; log_reopen after rotation in each of them. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/jsonw.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log;
struct meter;

/* path NULL or "": stderr, or DEFAULT_LOG_FILE where stderr is /dev/null. NULL with errno set when
 * the file cannot be opened. */
struct log *log_open(const char *path, enum log_level threshold);
void log_close(struct log *l);
bool log_reopen(struct log *l);
/* The account of lost lines begins anew, in this process (after a fork), counted in m, too; NULL: here alone. */
void log_count_in(struct log *l, struct meter *m);
int64_t log_n_lost(const struct log *l);                  /* lines of this process that could not be written */
/* Whether a line can be written now; tells of lost ones if so. Asked by /readyz. */
bool log_writable(struct log *l);
bool log_on(const struct log *l, enum log_level level);
bool log_level_parse(struct str s, enum log_level *out) MUST_CHECK;   /* debug info warn(ing) error */
#define DEFAULT_LOG_FILE "/var/log/tgo-call/tgo-call.log"

/* A line under construction, on the stack. Use: log_begin, any number of fields, log_end. When the
 * level is off all of these do nothing. `request_id` may be empty: then the key is left out. */
struct log_line {
	struct log *log;
	const char *event;
	bool on, cut;
	bool spills;                   /* may outgrow `text`, in memory of the log's */
	size_t max;                    /* of the line, its newline included */
	struct jsonw w;
	struct strbuf b;
	char text[16384];
};

/* event NULL: a field of that name follows. */
void log_begin(struct log_line *l, struct log *log, enum log_level level, const char *msg,
    const char *event, struct str request_id);
void log_str(struct log_line *l, const char *key, struct str v);
void log_z(struct log_line *l, const char *key, const char *v);
void log_i64(struct log_line *l, const char *key, int64_t v);
void log_ms(struct log_line *l, const char *key, int64_t us);          /* microseconds, written as 1.234 */
void log_strs(struct log_line *l, const char *key, const struct str *v, size_t n);
void log_end(struct log_line *l);

/* A line without fields of its own but one text. */
void log_note(struct log *log, enum log_level level, const char *msg, const char *event,
    const char *detail);

#endif
