/* nginx_conf - fills the templates in and puts them together.
 * SPDX-License-Identifier: MIT */
#include "cli/nginx_conf.h"

#include <string.h>

static const char TABS[] = "\t\t\t\t\t\t\t\t";
enum { DEPTH_MAX = sizeof(TABS) - 1 };

struct nginx_site
nginx_site_usual(const struct conf *c)
{
	return (struct nginx_site){ .listen = S("80"), .fcgi_socket = S("/run/tgo-call/fcgi.sock"),
	    .route_socket = S("/run/tgo-call/route.sock"), .log_dir = S("/var/log/nginx"),
	    .swagger_ui = S("/usr/share/swagger-ui-dist"), .cors_origins = c->cors_origins };
}

static struct str
template_of(struct str name)
{
	for (const struct nginx_template *t = NGINX_TEMPLATES; t->name != NULL; t++)
		if (str_eq(str_of(t->name), name))
			return str_of(t->text);
	return S("");
}

static void
add_tabs(struct strbuf *to, size_t depth)
{
	strbuf_add(to, (struct str){ TABS, depth < DEPTH_MAX ? depth : DEPTH_MAX });
}

static void
add_servers(struct strbuf *to, const struct nginx_site *s, size_t depth)
{
	for (size_t i = 0; i < s->n_nodes; i++) {
		add_tabs(to, depth);
		strbuf_addf(to, "server %.*s max_fails=2 fail_timeout=5s;\n", STR_ARG(s->nodes[i]));
	}
	/* nginx takes no group without a server. */
	if (s->n_nodes == 0) {
		add_tabs(to, depth);
		strbuf_addz(to, "server 127.0.0.1:1 down;\n");
	}
}

/* What could end a quoted text of nginx's is no origin. */
static bool
is_origin(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] == '"' || s.at[i] == '\\' || s.at[i] == '$' || s.at[i] == '~')
			return false;
	return s.len > 0;
}

static void
add_origins(struct strbuf *to, const struct nginx_site *s, size_t depth)
{
	struct str rest = s->cors_origins, one;

	if (str_eq(str_trim(rest), S("*"))) {
		add_tabs(to, depth);
		strbuf_addz(to, "\"~.\" \"*\";\n");
		return;
	}
	while (str_split(&rest, ',', &one)) {
		one = str_trim(one);
		if (!is_origin(one))
			continue;
		add_tabs(to, depth);
		strbuf_addf(to, "\"%.*s\" $http_origin;\n", STR_ARG(one));
	}
}

static const struct str *
value_of(const struct nginx_site *s, struct str name)
{
	const struct { struct str name; const struct str *value; } VALUES[] = {
		{ S("LISTEN"), &s->listen }, { S("FCGI_SOCKET"), &s->fcgi_socket },
		{ S("ROUTE_SOCKET"), &s->route_socket }, { S("LOG_DIR"), &s->log_dir },
		{ S("SWAGGER_UI"), &s->swagger_ui },
	};

	for (size_t i = 0; i < N_ELEMS(VALUES); i++)
		if (str_eq(VALUES[i].name, name))
			return VALUES[i].value;
	return NULL;
}

/* "@NAME@" anywhere in it; another '@' (a named location) stays. */
static void
add_filled(struct strbuf *to, const struct nginx_site *s, struct str line)
{
	while (line.len > 0) {
		const char *at = memchr(line.at, '@', line.len), *end;
		size_t n = at != NULL ? (size_t)(at - line.at) : line.len;
		const struct str *value = NULL;

		strbuf_add(to, (struct str){ line.at, n });
		if (at == NULL)
			return;
		line = (struct str){ at, line.len - n };
		end = memchr(at + 1, '@', line.len - 1);
		if (end != NULL)
			value = value_of(s, (struct str){ at + 1, (size_t)(end - at) - 1 });
		n = value != NULL ? (size_t)(end - at) + 1 : 1;
		strbuf_add(to, value != NULL ? *value : (struct str){ at, 1 });
		line = (struct str){ line.at + n, line.len - n };
	}
}

static bool
takes_tls(const struct nginx_site *s)
{
	struct str rest = s->listen, word;

	while (str_split(&rest, ' ', &word))
		if (str_eq(word, S("ssl")))
			return true;
	return false;
}

/* "include tgo-call/NAME;" -> "tgo-call/NAME"; "" for any other line. */
static struct str
included(struct str line)
{
	struct str word = S("include ");

	if (!str_starts(line, word) || !str_ends(line, S(";")))
		return S("");
	return (struct str){ line.at + word.len, line.len - word.len - 1 };
}

static void add_file(struct strbuf *to, const struct nginx_site *s, struct str name, size_t depth);

/* line: without the tabs before it. */
static void
add_line(struct strbuf *to, const struct nginx_site *s, struct str line, size_t depth)
{
	if (str_eq(line, S("@LIVEKIT_SERVERS@"))) {
		add_servers(to, s, depth);
	} else if (str_eq(line, S("@CORS_ORIGINS@"))) {
		add_origins(to, s, depth);
	} else if (str_eq(line, S("# include tgo-call/tls.conf;"))) {
		if (takes_tls(s))
			add_file(to, s, S("tgo-call/tls.conf"), depth);
	} else if (included(line).len > 0) {
		add_file(to, s, included(line), depth);
	} else {
		if (line.len > 0)
			add_tabs(to, depth);
		add_filled(to, s, line);
		strbuf_addc(to, '\n');
	}
}

/* The comment at the beginning of a file tells how to install it: not here. */
static void
add_file(struct strbuf *to, const struct nginx_site *s, struct str name, size_t depth)
{
	struct str rest = template_of(name), line;
	bool in_head = true;

	while (rest.len > 0 && str_split(&rest, '\n', &line)) {
		size_t n_tabs = 0;

		in_head = in_head && (line.len == 0 || line.at[0] == '#');
		if (in_head)
			continue;
		while (n_tabs < line.len && line.at[n_tabs] == '\t')
			n_tabs++;
		add_line(to, s, (struct str){ line.at + n_tabs, line.len - n_tabs }, depth + n_tabs);
	}
}

void
nginx_conf_write(struct strbuf *to, const struct nginx_site *s)
{
	strbuf_addz(to, "# tgo-call.conf - made by `tgo-call nginx` for this installation; goes into the http block of\n"
	    "# nginx (/etc/nginx/conf.d/tgo-call.conf). What each part is for stands in nginx-conf/ of the source.\n");
	strbuf_addz(to, "\n# ---- livekit-cluster.conf\n\n");
	add_file(to, s, S("livekit-cluster.conf"), 0);
	strbuf_addz(to, "\n# ---- tgo-call.conf\n\n");
	add_file(to, s, S("tgo-call.conf"), 0);
}
