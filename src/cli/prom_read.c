/* prom_read - line by line: name{label="value",...} number.
 * SPDX-License-Identifier: MIT */
#include "cli/prom_read.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 40 };

/* Cuts name and labels ("" for none) off a line; what is left begins with the number. */
static bool
split_line(struct str line, struct str *name_out, struct str *labels_out, struct str *number_out)
{
	size_t n = 0, from;
	bool quoted = false;

	while (n < line.len && line.at[n] != '{' && line.at[n] != ' ')
		n++;
	*name_out = (struct str){ line.at, n };
	*labels_out = S("");
	from = n;
	if (n < line.len && line.at[n] == '{') {
		for (n++; n < line.len && (quoted || line.at[n] != '}'); n++) {
			if (quoted && line.at[n] == '\\')
				n++;
			else if (line.at[n] == '"')
				quoted = !quoted;
		}
		if (n >= line.len)
			return false;
		*labels_out = (struct str){ line.at + from, n - from };
		n++;
	}
	*number_out = str_trim((struct str){ line.at + n, line.len - n });
	return name_out->len > 0 && name_out->at[0] != '#';
}

/* Whether {labels has name="value" behind a brace or a comma. A value that had to be escaped is none we ask for. */
static bool
has_label(struct str labels, const char *name, struct str value)
{
	size_t n_name = strlen(name), n = n_name + value.len + 3;

	for (size_t i = 1; i + n <= labels.len; i++) {
		const char *at = labels.at + i;

		if ((at[-1] == '{' || at[-1] == ',') && memcmp(at, name, n_name) == 0 &&
		    at[n_name] == '=' && at[n_name + 1] == '"' && memcmp(at + n_name + 2, value.at, value.len) == 0 &&
		    at[n - 1] == '"')
			return true;
	}
	return false;
}

static bool
fits(struct str labels, const struct prom_ask *ask)
{
	for (size_t i = 0; i < N_ELEMS(ask->labels); i++)
		if (ask->labels[i].name != NULL && !has_label(labels, ask->labels[i].name, ask->labels[i].value))
			return false;
	return true;
}

static double
number_of(struct str s)
{
	char text[NUMBER_MAX];
	size_t n = s.len < sizeof(text) - 1 ? s.len : sizeof(text) - 1;

	memcpy(text, s.at, n);
	text[n] = '\0';
	return strtod(text, NULL);
}

bool
prom_sum(struct str text, const struct prom_ask *ask, double *sum_out)
{
	struct str line, name, labels, number;
	bool found = false;
	double sum = 0;

	while (str_split(&text, '\n', &line)) {
		if (!split_line(line, &name, &labels, &number) || !str_eq(name, str_of(ask->name)))
			continue;
		found = true;
		if (fits(labels, ask))
			sum += number_of(number);
	}
	if (found)
		*sum_out = sum;
	return found;
}
