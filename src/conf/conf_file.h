/* conf_file - the text of an environment file -> names and values.
 * Shape:     lines NAME=VALUE, `export ` before them allowed; `#` begins a comment at the start of a
 *            line and after white space; CRLF and a byte order mark are fine. 'single quotes' take
 *            everything as it is, "double quotes" know \n \r \t \" \\ \$; both may go over several
 *            lines. Nothing is expanded: a `$` is a `$`.
 * Ownership: names and values live in the arena; both are NUL-terminated past their length.
 * SPDX-License-Identifier: MIT */
#ifndef CONF_CONF_FILE_H
#define CONF_CONF_FILE_H

#include "conf/conf.h"

struct conf_file {
	struct name_value *pairs;          /* in the order of the file */
	size_t n_pairs;
};

/* False: *bad_line_out (from 1) is no such line. */
bool conf_file_parse(struct arena *a, struct str text, struct conf_file *out, size_t *bad_line_out)
    MUST_CHECK;
/* The last value the file gives to `name`; empty when it gives none. */
struct str conf_file_find(const struct conf_file *f, const char *name);

#endif
