/* prom - Prometheus' text format 0.0.4, written line by line.
 * Shape:     a label's value may be any bytes, of whoever: what would end it is escaped, and a value that is not UTF-8, or
 *            has control bytes, is told with '?' for those, so that it stays one value of one line.
 * Errors:    sticky in the strbuf. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_PROM_H
#define BASE_PROM_H

#include "base/strbuf.h"

#define PROM_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct prom_label {
	const char *name;
	struct str value;
};

/* The two lines before a family's first series; type: "counter", "gauge", "histogram". */
void prom_family(struct strbuf *to, const char *name, const char *type, const char *help);
/* name, suffix, labels and a space; value and line end are the caller's. */
void prom_series(struct strbuf *to, const char *name, const char *suffix, const struct prom_label *labels, size_t n);
/* A whole line. */
void prom_i64(struct strbuf *to, const char *name, const struct prom_label *labels, size_t n, int64_t value);
/* The same of thousandths: "1.250". */
void prom_milli(struct strbuf *to, const char *name, const struct prom_label *labels, size_t n, int64_t value);

#endif
