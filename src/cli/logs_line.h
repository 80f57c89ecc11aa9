/* logs_line - one line of the application's log: its members as they are written, and whether somebody
 * asked for it; pure.
 * Shape:     a member's value is its JSON text, quotes and escapes included. Our writer has one way to
 *            write a text, so values are compared as they are written.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_LOGS_LINE_H
#define CLI_LOGS_LINE_H

#include "base/log.h"

struct log_member { struct str key, value; };
/* The next member of the object; *rest begins as the whole line. False at the end, or where the line is
 * no such object. */
bool log_member_next(struct str *rest, struct log_member *out);

struct log_wish {
	struct str room, uid, node, request;          /* as JSON texts; empty: any */
	enum log_level least;
	int64_t since_ms, until_ms;                   /* 0: open */
	bool any_level;
};
/* What a line that is no JSON object (somebody else's words on stderr) is judged by. */
struct log_last { bool wanted; int64_t at_ms; };
/* Whether the line, without its newline, is wanted. */
bool log_wanted(const struct log_wish *w, struct str line, struct log_last *last);
/* A text as our writer would put it, in the arena. */
struct str log_quoted(struct arena *a, const char *text);
/* The line set for people's eyes; what is no JSON object as it is. */
void log_for_people(struct str line, struct strbuf *to);

#endif
