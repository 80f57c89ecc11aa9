/* Prometheus' text format.
 * SPDX-License-Identifier: MIT */
#include "base/prom.h"

#include <inttypes.h>

#include "base/utf8.h"

static void
add_value(struct strbuf *to, struct str s)
{
	bool text = utf8_length(s) >= 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c < 0x20 || c == 0x7f || (c >= 0x80 && !text)) {
			strbuf_addc(to, '?');
			continue;
		}
		if (c == '\\' || c == '"')
			strbuf_addc(to, '\\');
		strbuf_addc(to, s.at[i]);
	}
}

void
prom_family(struct strbuf *to, const char *name, const char *type, const char *help)
{
	strbuf_addf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
prom_series(struct strbuf *to, const char *name, const char *suffix, const struct prom_label *labels, size_t n)
{
	strbuf_addz(to, name);
	strbuf_addz(to, suffix);
	for (size_t i = 0; i < n; i++) {
		strbuf_addc(to, i == 0 ? '{' : ',');
		strbuf_addz(to, labels[i].name);
		strbuf_addz(to, "=\"");
		add_value(to, labels[i].value);
		strbuf_addc(to, '"');
	}
	if (n > 0)
		strbuf_addc(to, '}');
	strbuf_addc(to, ' ');
}

void
prom_i64(struct strbuf *to, const char *name, const struct prom_label *labels, size_t n, int64_t value)
{
	prom_series(to, name, "", labels, n);
	strbuf_addf(to, "%" PRId64 "\n", value);
}

void
prom_milli(struct strbuf *to, const char *name, const struct prom_label *labels, size_t n, int64_t value)
{
	bool minus = value < 0;
	uint64_t size = minus ? -(uint64_t)value : (uint64_t)value;

	prom_series(to, name, "", labels, n);
	strbuf_addf(to, "%s%" PRIu64 ".%03" PRIu64 "\n", minus ? "-" : "", size / 1000, size % 1000);
}
