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
/* How a new room's node is chosen; the words are LiveKit's (1.13.5, section 2.2 of the notes). */
enum placement { PLACEMENT_ON, PLACEMENT_OFF };
enum url_mode { URL_SHARED, URL_NODE };
enum node_selector { SELECT_ANY, SELECT_CPULOAD, SELECT_SYSLOAD, SELECT_REGIONAWARE };
enum node_sort { SORT_RANDOM, SORT_SYSLOAD, SORT_CPULOAD, SORT_ROOMS, SORT_CLIENTS, SORT_TRACKS, SORT_BYTESPERSEC };
enum node_algorithm { PICK_LOWEST, PICK_TWOCHOICE };

/* A node of LIVEKIT_NODES. */
struct static_node {
	struct str host;                                     /* a name or an address, IPv6 without brackets */
	int64_t port;
	struct str ip;                                       /* that LiveKit's record of it has; "": its own */
	struct str url, region;                              /* "": none */
	int64_t weight;                                      /* 1 .. 1000 */
};
struct region { struct str name; double lat, lon; };     /* degrees */

/* A receiver of business events. */
struct endpoint {
	struct str id;                                       /* 16 hex digits of its url's SHA-256; also in MySQL */
	struct str url, secret, secret_old;                  /* as configured; secret_old "" = none */
	int64_t timeout_ms;
	bool all;                                            /* gets every type */
	struct str *events;                                  /* else these */
	size_t n_events;
	int64_t rate;                                        /* at most so many a second; 0: no limit */
};
enum { RETRIES_MAX = 32 };
struct ms_list { int64_t at[RETRIES_MAX]; size_t n; };

/* What may be limited; the words are those of RATE_LIMITS. */
enum rate_what { RATE_CREATE, RATE_INVITE, RATE_TOKEN, RATE_COUNT };
struct rate_rule {
	struct str key_name;                                 /* of an API key; "": everybody's */
	int64_t what;                                        /* enum rate_what */
	int64_t n, window_s;                                 /* at most n in window_s seconds */
};

struct conf {
	/* general */
	struct str env, tz, log_file;
	bool tz_from_file;                                   /* not from the operator's environment */
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
	struct str lk_redis_host, lk_redis_socket, lk_redis_password;   /* LiveKit's Redis; defaults applied: */
	int64_t lk_redis_port, lk_redis_db;                  /* where none is named, ours, database 0 */
	/* livekit cluster */
	struct static_node *nodes;
	size_t n_nodes;
	int64_t node_port;                                   /* of a node that names none */
	int64_t placement, url_mode;
	int64_t node_selector, node_sort, node_algorithm;
	int64_t node_cpu_limit_pct, node_sysload_limit_pct;  /* hundredths */
	int64_t node_max_rooms, node_max_tracks, node_max_bytes_per_s;     /* 0: off */
	struct region *regions;
	size_t n_regions;
	struct str livekit_region, region_header;
	int64_t probe_ms, probe_timeout_ms, down_ms;
	int64_t route_workers;
	struct str nginx_log;                                /* read by tgo-call why */

	int64_t token_ttl_s;
	int64_t rejoin_grace_ms;
	int64_t max_call_s;
	/* events to the business backend */
	struct endpoint *endpoints;                          /* of _ENDPOINTS, else of _URLS and _SECRET */
	size_t n_endpoints;
	struct str webhook_endpoints, webhook_urls, webhook_secret;     /* as given; what counts is endpoints */
	int64_t webhook_timeout_s;
	struct ms_list webhook_retry;                        /* pause after the 1st, 2nd, ... failed try */
	int64_t webhook_hold_ms, webhook_probe_min_ms, webhook_probe_max_ms;
	int64_t webhook_parallel;                            /* requests under way at one endpoint */
	bool webhook_allow_private;
	bool webhook_log_cleanup;
	int64_t webhook_log_days, webhook_log_interval_s;
	/* what the jobs do in time */
	int64_t deadline_retry_ms;                           /* LiveKit silent: asked again after */
	int64_t ring_overdue_ms, rejoin_overdue_ms;          /* and believed to say "nobody" so long after */
	int64_t reconcile_interval_ms;                       /* 0: off */
	int64_t join_grace_ms, look_again_ms, list_interval_ms, list_soon_ms;
	struct ms_list action_retry;                         /* the last one repeats */
	int64_t action_give_up_ms, close_interval_ms;
	int64_t event_days, livekit_event_days, action_days, call_days;   /* kept; call_days 0: for ever */
	int64_t keep_interval_ms;                            /* between two rounds of clean-up */
	/* who may call */
	int64_t auth_mode;                                   /* enum auth_mode */
	struct name_value *api_keys;
	size_t n_api_keys;
	struct cidr *open_networks;
	size_t n_open_networks;
	struct str ticket_secret;
	bool ticket_open_join, token_creates_room, legacy_status;
	struct str cors_origins;                             /* "*", or a comma list */
	struct rate_rule *rate_limits;                       /* for each ticket and open caller */
	size_t n_rate_limits;
	struct rate_rule *key_rate_limits;                   /* for each API key */
	size_t n_key_rate_limits;
	/* watching it */
	struct str metrics_user, metrics_sha256;             /* hex, lower case; "": loopback only */
	struct str jobs_metrics_listen;                      /* "address:port"; "": nowhere */
	int64_t worker_stuck_ms;                             /* a worker that has one request for longer is replaced */
	int64_t idempotency_s;                               /* an answer is kept for its Idempotency-Key */

	struct arena *own;                                   /* everything above points in here */
};

/* What a row of the option table may be. */
enum conf_type {
	CONF_STR, CONF_INT, CONF_BOOL, CONF_SECONDS_MS,      /* "15" or "0.1" seconds, stored as ms */
	CONF_TZ, CONF_URL_HTTP, CONF_URL_CLIENT, CONF_LEVEL, CONF_AUTH_MODE, CONF_API_KEYS, CONF_LIVEKIT_KEYS,
	CONF_CIDRS, CONF_ENDPOINTS, CONF_URLS, CONF_SECONDS_LIST,      /* list: "5,30,120" seconds, stored as ms */
	CONF_CHOICE,                                         /* one of `choices`, stored as its index (int64_t) */
	CONF_RATES, CONF_KEY_RATES,                          /* "create=30/60s"; "backend:create=1000/1s" */
	CONF_SHA256, CONF_ADDRESS,                           /* 64 hex digits; "address:port" */
	CONF_NODES, CONF_REGIONS, CONF_FRACTION,             /* fraction: "0.9", stored as hundredths */
	CONF_IGNORED                             /* read by another program; checked by nobody */
};

struct conf_option {
	const char *name, *group;
	enum conf_type type;
	const char *def;                                     /* as it would be written */
	const char *const *choices;                          /* CONF_CHOICE: words, NULL at the end */
	int64_t min, max;                                    /* as stored: CONF_SECONDS_MS has ms here */
	bool secret;
	size_t offset;                                       /* into struct conf */
	const char *help;
};

extern const struct conf_option CONF_OPTIONS[];
extern const size_t N_CONF_OPTIONS;

/* env_file NULL: look in the usual places. Applies TZ to this process (a TZ that a load took from its
 * file does not bind the next load). On failure NULL, one line in err (always terminated), and TZ as it was. */
struct conf *conf_load(const char *env_file, char *err, size_t err_cap) MUST_CHECK;
/* Applies its TZ again, after another one was loaded that is not to count. False: no memory. */
bool conf_use_tz(const struct conf *c);
void conf_free(struct conf *c);
/* Neither keys nor networks nor open: false, and `hint` says what to paste (several lines). */
bool conf_can_authorise(const struct conf *c, char *hint, size_t hint_cap) MUST_CHECK;
/* The effective value of an option as text, into to; secrets as "***" (unset: ""). */
void conf_show(const struct conf *c, const struct conf_option *o, struct strbuf *to);
/* The example environment file, and the OPTIONS section of the manual page (roff). */
void conf_print_example(struct strbuf *to);
void conf_print_roff(struct strbuf *to);
/* Whether an event of that type goes to this receiver. */
bool endpoint_wants(const struct endpoint *e, struct str type);
/* The receiver of that id; NULL: none is configured. */
const struct endpoint *endpoint_find(const struct conf *c, struct str id);
/* address: an IPv4 or IPv6 address as text; false for anything else. */
bool cidr_contains(const struct cidr *c, struct str address);

#endif
