/* conf_load.c - finds the sources, applies the table to them, and settles what depends on several.
 * SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf_endpoints.h"
#include "conf/conf_file.h"
#include "conf/conf_nodes.h"
#include "conf/conf_parse.h"

enum {
	FILE_MAX = 256 * 1024,
	OWN_CAP = 16 * 1024 * 1024,            /* every option at its longest, several times */
	SHOWN_MAX = 80
};

/* A TZ that came from a file is put into the environment for the C library. This name beside it
 * tells a later load that it was not the operator who put it there. */
static const char TZ_IS_OURS[] = "TGO_CALL_TZ_FROM_FILE";

struct sources {
	struct conf_file file;
	const char *file_name;                 /* NULL: none was read */
	struct strbuf why;                     /* one line, when something is wrong */
};

/* Where a value came from; at NULL means nowhere. */
struct found {
	struct str value;
	const char *source;
};

static const char *
getenv_of_operator(const char *name)
{
	if (strcmp(name, "TZ") == 0 && getenv(TZ_IS_OURS) != NULL)
		return NULL;
	return getenv(name);
}

static struct found
look_up(const struct sources *s, const char *name)
{
	struct str v = str_of(getenv_of_operator(name));

	if (str_trim(v).len > 0)
		return (struct found){ v, "environment" };
	v = conf_file_find(&s->file, name);
	if (str_trim(v).len > 0)
		return (struct found){ v, s->file_name };
	return (struct found){ { NULL, 0 }, NULL };
}

static bool
read_all(int fd, struct strbuf *to)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		strbuf_add(to, (struct str){ piece, (size_t)n });
	}
	errno = EFBIG;
	return strbuf_ok(to);
}

static bool
read_file(struct conf *c, struct sources *s, int fd, const char *name)
{
	struct strbuf text;
	size_t line;

	strbuf_init_arena(&text, c->own, 8192, FILE_MAX);
	if (!read_all(fd, &text)) {
		strbuf_addf(&s->why, "%s: %s", name, strerror(errno));
		return false;
	}
	if (!conf_file_parse(c->own, strbuf_str(&text), &s->file, &line)) {
		strbuf_addf(&s->why, "%s, line %zu: not NAME=VALUE, or a quote without its end",
		    name, line);
		return false;
	}
	s->file_name = name;
	return true;
}

static bool
open_named(struct conf *c, struct sources *s, const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0) {
		strbuf_addf(&s->why, "%s: %s", name, strerror(errno));
		return false;
	}
	ok = read_file(c, s, fd, name);
	(void)close(fd);
	return ok;
}

/* The first of the usual files there is. One that is there and cannot be read stops the start:
 * running on without it would be a surprise. */
static bool
open_usual(struct conf *c, struct sources *s)
{
	static const char *const USUAL[] = { "./.env", "/etc/tgo-call/tgo-call.env" };
	struct stat st;

	for (size_t i = 0; i < N_ELEMS(USUAL); i++)
		if (stat(USUAL[i], &st) == 0 && S_ISREG(st.st_mode))
			return open_named(c, s, USUAL[i]);
	return true;
}

static void
say_bad(struct sources *s, const struct conf_option *o, const struct found *f)
{
	strbuf_addf(&s->why, "%s (%s): ", o->name, f->source);
	/* What stands before an @ may be a password. */
	if (!o->secret && memchr(f->value.at, '@', f->value.len) == NULL) {
		struct strbuf shown;
		struct jsonw w;
		char text[SHOWN_MAX + 1];

		strbuf_init(&shown, text, sizeof(text));
		jsonw_init(&w, &shown);
		jsonw_str(&w, NULL, jsonw_fit(f->value, SHOWN_MAX));
		strbuf_add(&s->why, strbuf_str(&shown));
		strbuf_addz(&s->why, " will not do; ");
	}
	strbuf_addf(&s->why, "%s takes ", o->name);
	conf_takes(o, &s->why);
}

static bool
apply(struct conf *c, struct sources *s, const struct conf_option *o)
{
	struct found f = look_up(s, o->name);

	if (f.value.at == NULL)
		f = (struct found){ str_of(o->def), "default" };
	if (f.value.len == 0 || conf_parse(c, o, f.value))
		return true;
	say_bad(s, o, &f);
	return false;
}

static void
set_empty(struct conf *c)
{
	for (size_t i = 0; i < N_CONF_OPTIONS; i++) {
		const struct conf_option *o = &CONF_OPTIONS[i];

		if (o->type == CONF_STR || o->type == CONF_TZ || o->type == CONF_URL_HTTP ||
		    o->type == CONF_URL_CLIENT || o->type == CONF_URLS || o->type == CONF_ENDPOINTS)
			*(struct str *)((char *)c + o->offset) = S("");
	}
}

static const struct conf_option *
option(const char *name)
{
	for (size_t i = 0; i < N_CONF_OPTIONS; i++)
		if (strcmp(CONF_OPTIONS[i].name, name) == 0)
			return &CONF_OPTIONS[i];
	abort();                               /* a row of ours is gone from the table */
}

/* Clients get LIVEKIT_URL with the scheme it was written with. */
static bool
settle_client_url(struct conf *c, const struct sources *s)
{
	struct found f = look_up(s, "LIVEKIT_URL");

	if (c->livekit_client_url.len > 0)
		return true;
	if (f.value.at == NULL)
		f.value = c->livekit_url;
	return conf_parse(c, option("LIVEKIT_CLIENT_URL"), f.value);
}

static bool
settle_livekit_keys(struct conf *c, struct sources *s)
{
	struct name_value *one;

	if (c->n_livekit_keys > 0)
		return true;
	if ((c->livekit_api_key.len > 0) != (c->livekit_api_secret.len > 0)) {
		strbuf_addz(&s->why,
		    "LIVEKIT_API_KEY and LIVEKIT_API_SECRET: one of them is unset");
		return false;
	}
	if (c->livekit_api_key.len == 0)
		return true;
	one = arena_alloc(c->own, sizeof(*one));
	*one = (struct name_value){ c->livekit_api_key, c->livekit_api_secret };
	c->livekit_keys = one;
	c->n_livekit_keys = 1;
	return true;
}

/* LiveKit's Redis is ours unless another is named; its database is its own. */
static void
settle_livekit_redis(struct conf *c)
{
	if (c->lk_redis_host.len > 0 || c->lk_redis_socket.len > 0)
		return;
	c->lk_redis_host = c->redis_host;
	c->lk_redis_port = c->redis_port;
	c->lk_redis_socket = c->redis_socket;
	if (c->lk_redis_password.len == 0)
		c->lk_redis_password = c->redis_password;
}

static bool
settle_endpoints(struct conf *c, struct sources *s)
{
	char text[512];
	struct strbuf why;
	const char *name;

	strbuf_init(&why, text, sizeof(text));
	if (conf_endpoints_settle(c, &name, &why))
		return true;
	strbuf_addf(&s->why, "%s (%s): %s", name, look_up(s, name).source,
	    strbuf_ok(&why) ? text : "bad JSON");
	return false;
}

static bool
settle_nodes(struct conf *c, struct sources *s)
{
	if (conf_nodes_settle(c))
		return true;
	strbuf_addf(&s->why, "LIVEKIT_NODES (%s): the port of LIVEKIT_NODE_PORT makes one node stand there twice",
	    look_up(s, "LIVEKIT_NODES").source);
	return false;
}

bool
conf_use_tz(const struct conf *c)
{
	bool bad = unsetenv(TZ_IS_OURS) != 0;

	if (c->tz.len == 0)
		bad = bad || unsetenv("TZ") != 0;
	else
		bad = bad || setenv("TZ", c->tz.at, 1) != 0;
	if (c->tz_from_file)
		bad = bad || setenv(TZ_IS_OURS, "1", 1) != 0;
	if (!bad)
		tzset();
	return !bad;
}

static bool
settle_tz(struct conf *c, struct sources *s)
{
	struct found f = look_up(s, "TZ");

	c->tz_from_file = f.source != NULL && f.source == s->file_name;
	if (conf_use_tz(c))
		return true;
	strbuf_addf(&s->why, "TZ: %s", strerror(errno));
	return false;
}

static bool
load(struct conf *c, struct sources *s, const char *env_file)
{
	if (env_file != NULL ? !open_named(c, s, env_file) : !open_usual(c, s))
		return false;
	set_empty(c);
	for (size_t i = 0; i < N_CONF_OPTIONS; i++)
		if (!apply(c, s, &CONF_OPTIONS[i]))
			return false;
	settle_livekit_redis(c);
	return settle_nodes(c, s) && settle_client_url(c, s) && settle_livekit_keys(c, s) && settle_endpoints(c, s) &&
	    settle_tz(c, s);
}

struct conf *
conf_load(const char *env_file, char *err, size_t err_cap)
{
	struct arena *own = arena_new(OWN_CAP);
	struct conf *c = arena_alloc(own, sizeof(*c));
	struct sources s = { .file_name = NULL };
	char why[1024];
	bool ok;

	c->own = own;
	strbuf_init(&s.why, why, sizeof(why));
	ok = load(c, &s, env_file);
	(void)snprintf(err, err_cap, "%s", strbuf_ok(&s.why) ? why : "the configuration is bad");
	if (ok)
		return c;
	conf_free(c);
	return NULL;
}

void
conf_free(struct conf *c)
{
	if (c != NULL)
		arena_free(c->own);
}

bool
conf_can_authorise(const struct conf *c, char *hint, size_t hint_cap)
{
	(void)snprintf(hint, hint_cap, "%s", "");
	if (c->n_api_keys > 0 || c->n_open_networks > 0 || c->auth_mode == AUTH_MODE_OPEN)
		return true;
	(void)snprintf(hint, hint_cap, "%s",
	    "Nobody may call: set one of these in the environment or the environment file.\n"
	    "  # a key for each backend; the server keeps only its sha-256, made so:\n"
	    "  #   KEY=$(openssl rand -hex 24); echo \"$KEY\"; printf %s \"$KEY\" | sha256sum\n"
	    "  API_KEYS=backend:<the 64 hex digits>\n"
	    "  # backends in these networks need no key:\n"
	    "  AUTH_OPEN_NETWORKS=127.0.0.1/32,::1/128,10.0.0.0/8\n"
	    "  # everybody, on a closed network only:\n"
	    "  AUTH_MODE=open\n");
	return false;
}
