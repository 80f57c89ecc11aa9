/* conf - the configuration: one table of options (conf_table.c) makes the parser, the checks,
 * `tgo-call config`, the example file and the manual page.
 * Sources:   the environment; else the --env-file; else ./.env; else /etc/tgo-call/tgo-call.env. Exactly
 *            one file is read, the first there is; the environment wins name by name. Empty is unset.
 * Errors:    a bad value stops the load with one line that names the option and what it takes.
 *            Unknown names are ignored.
 * Lifetime:  const after conf_load; freed with conf_free.
 * Shape:     every str of struct conf is NUL-terminated past its length; what is unset is "". */
/* SPDX-License-Identifier: MIT */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/log.h"
#include "base/str.h"
#include "base/strbuf.h"

struct name_value { struct str name, value; };          /* API key: name, sha-256 of the key in hex;
                                                            LiveKit key: key, secret */
struct cidr { uint8_t bytes[16]; unsigned bits; };      /* IPv4 stands mapped in ::ffff:0:0/96 */

enum auth_mode { AUTH_MODE_KEY, AUTH_MODE_OPEN };

struct conf {
	/* general */
	struct str env, tz, log_file;
	int64_t log_level;                                   /* enum log_level */
	int64_t workers;                                     /* 0: 8 per core, at most 48 */
	int64_t max_requests;                                /* a worker leaves after so many; 0: never */
	/* database */
	struct str db_host, db_socket, db_user, db_password, db_name;
	int64_t db_port;
	/* redis */
	struct str redis_host, redis_socket, redis_password;
	int64_t redis_port, redis_db;
	/* livekit */
	struct str livekit_url;                              /* http(s)://: our own API calls */
	struct str livekit_client_url;                       /* what clients are told; no trailing slash */
	struct str livekit_api_key, livekit_api_secret;      /* as given; what counts is livekit_keys */
	struct name_value *livekit_keys;                     /* the first signs; LIVEKIT_API_KEY/_SECRET when LIVEKIT_KEYS is unset */
	size_t n_livekit_keys;
	int64_t livekit_timeout_s;                           /* ring timeout, LIVEKIT_TIMEOUT */
	bool livekit_create_room;
	int64_t token_ttl_s;
	int64_t rejoin_grace_ms;
	int64_t max_call_s;
	/* who may call */
	int64_t auth_mode;                                   /* enum auth_mode */
	struct name_value *api_keys;
	size_t n_api_keys;
	struct cidr *open_networks;
	size_t n_open_networks;
	struct str ticket_secret;
	bool ticket_open_join, token_creates_room, legacy_status;
	struct str cors_origins;                             /* "*", or a comma list */

	struct arena *own;                                   /* everything above points in here */
};

/* What a row of the option table may be. */
enum conf_type {
	CONF_STR, CONF_INT, CONF_BOOL, CONF_SECONDS_MS,      /* "15" or "0.1" seconds, stored as ms */
	CONF_TZ, CONF_URL_HTTP, CONF_URL_CLIENT, CONF_LEVEL, CONF_AUTH_MODE, CONF_API_KEYS, CONF_LIVEKIT_KEYS,
	CONF_CIDRS, CONF_IGNORED                             /* read by another program; checked by nobody */
};

struct conf_option {
	const char *name, *group;
	enum conf_type type;
	const char *def;                                     /* as it would be written */
	int64_t min, max;                                    /* as stored: CONF_SECONDS_MS has ms here */
	bool secret;
	size_t offset;                                       /* into struct conf */
	const char *help;
};

extern const struct conf_option CONF_OPTIONS[];
extern const size_t N_CONF_OPTIONS;

/* env_file NULL: look in the usual places. Applies TZ to this process (a TZ that a load took from its
 * file does not bind the next load). On failure NULL and one line in err (always terminated). */
struct conf *conf_load(const char *env_file, char *err, size_t err_cap) MUST_CHECK;
void conf_free(struct conf *c);
/* Neither keys nor networks nor open: false, and `hint` says what to paste (several lines). */
bool conf_can_authorise(const struct conf *c, char *hint, size_t hint_cap) MUST_CHECK;
/* The effective value of an option as text, into to; secrets as "***" (unset: ""). */
void conf_show(const struct conf *c, const struct conf_option *o, struct strbuf *to);
/* The example environment file, and the OPTIONS section of the manual page (roff). */
void conf_print_example(struct strbuf *to);
void conf_print_roff(struct strbuf *to);
/* address: an IPv4 or IPv6 address as text; false for anything else. */
bool cidr_contains(const struct cidr *c, struct str address);

#endif
