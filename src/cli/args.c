/* args - reads a command line by its tables.
 * SPDX-License-Identifier: MIT */
#include "cli/args.h"

#include <string.h>


/* One flag as it stands on the line. */
struct given {
	struct str name;              /* of "--name" */
	char letter;                  /* of "-x" */
	const char *value;            /* behind '='; NULL: none */
};

static struct given
read_flag(const char *text)
{
	const char *equals = strchr(text, '=');
	struct given g = { .name = S(""), .value = NULL };

	if (text[1] != '-') {
		g.letter = text[1];
		/* "-n5" is "-n 5". */
		g.value = text[2] != '\0' ? text + 2 : NULL;
		return g;
	}
	g.name = (struct str){ text + 2, equals != NULL ? (size_t)(equals - text) - 2 : strlen(text) - 2 };
	g.value = equals != NULL ? equals + 1 : NULL;
	return g;
}

/* Its place in the table, or -1. */
static int
find(const struct flag *flags, const struct given *g)
{
	for (int i = 0; flags != NULL && flags[i].name != NULL; i++) {
		if (g->letter != '\0' ? flags[i].letter == g->letter : str_eq(g->name, str_of(flags[i].name)))
			return i;
	}
	return -1;
}

/* argv[0] is a flag. How many of argv it took; 0: err says why not. */
static int
take_flag(struct args_line *l, int argc, char *const *argv)
{
	struct given g = read_flag(argv[0]);
	int at = find(l->flags, &g), took = 1;
	const struct flag *f;
	bool shared = at < 0;

	if (shared)
		at = find(l->common, &g);
	if (at < 0) {
		strbuf_addf(l->err, "unknown option: %s", argv[0]);
		return 0;
	}
	f = shared ? &l->common[at] : &l->flags[at];
	if (f->value == NULL && g.value != NULL) {
		strbuf_addf(l->err, "--%s takes no value", f->name);
		return 0;
	}
	if (f->value != NULL && g.value == NULL && argc > 1) {
		g.value = argv[1];
		took = 2;
	}
	if (f->value != NULL && (g.value == NULL || g.value[0] == '\0')) {
		strbuf_addf(l->err, "--%s needs a value: %s", f->name, f->value);
		return 0;
	}
	(shared ? &l->shared : &l->own)->values[at] = g.value != NULL ? g.value : "";
	return took;
}

bool
args_parse(struct args_line *l, int argc, char *const *argv)
{
	bool flags_end = false;
	int took;

	for (int i = 0; i < argc; i += took) {
		took = 1;
		if (!flags_end && strcmp(argv[i], "--") == 0) {
			flags_end = true;
		} else if (!flags_end && argv[i][0] == '-' && argv[i][1] != '\0') {
			if ((took = take_flag(l, argc - i, argv + i)) == 0)
				return false;
		} else if (l->own.n_words < ARGS_WORDS_MAX) {
			l->own.words[l->own.n_words++] = argv[i];
		} else {
			strbuf_addf(l->err, "one word too many: %s", argv[i]);
			return false;
		}
	}
	return true;
}
