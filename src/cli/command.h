/* command - what every command of tgo-call is and works with.
 * Output:    JSON where stdout is no terminal or --json was given, else text for people; what is wrong
 *            goes to stderr in words.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/jsonw.h"
#include "base/op.h"
#include "call/services.h"
#include "cli/args.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* Where lines of the rooms below go while a command runs. */
enum cli_log {
	CLI_LOG_NONE,                 /* nowhere: the command says itself what is wrong */
	CLI_LOG_STDERR,               /* errors only */
	CLI_LOG_APP                   /* the application's log: something is changed or handed out */
};

struct cli {
	struct arena *arena;
	struct log *log;
	struct op op;
	struct conf *conf;            /* NULL for commands that need none */
	const char *conf_error;       /* why there is none */
	struct services sv;           /* opened by cli_open_services */
	bool json;
};

struct command {
	const char *name;
	const char *words;            /* "ROOM UID" */
	const char *summary, *help;   /* help: more of it, or NULL */
	size_t n_words;               /* exactly so many */
	size_t n_more;                /* or up to so many more */
	bool own_conf;                /* it deals with a bad configuration itself, or needs none */
	enum cli_log log;
	const struct flag *flags;     /* NULL: none */
	int (*run)(struct cli *c, const struct args *a);
};

/* cli.c */
extern const struct command COMMANDS[];               /* name NULL at the end */
/* One line to stderr, "tgo-call: " before it; returns CLI_FAILED. */
int cli_fail(const char *fmt, ...) PRINTF(1, 2);
/* The same for wrong use; returns CLI_USAGE. */
int cli_misuse(const char *fmt, ...) PRINTF(1, 2);
/* What went wrong below, in words, about `what`; returns CLI_FAILED. */
int cli_failed_with(const struct cli *c, enum err e, const char *what);
/* False: said why. */
bool cli_open_services(struct cli *c) MUST_CHECK;
/* A buffer for a document of any size a command may make. */
void cli_document(struct cli *c, struct strbuf *b, struct jsonw *w);
/* "-" for people where there is nothing. */
struct str cli_or_dash(struct str s);
/* Local time for people, "-" for 0. */
struct str cli_time(struct cli *c, int64_t at_ms);
/* Writes it and a newline to stdout; the exit code. */
int cli_print(const struct strbuf *b);

/* the commands' files */
int cmd_migrate(struct cli *c, const struct args *a);
int cmd_check(struct cli *c, const struct args *a);
int cmd_config(struct cli *c, const struct args *a);
int cmd_logs(struct cli *c, const struct args *a);
int cmd_rooms(struct cli *c, const struct args *a);
int cmd_room(struct cli *c, const struct args *a);
int cmd_end(struct cli *c, const struct args *a);
int cmd_token(struct cli *c, const struct args *a);
int cmd_events(struct cli *c, const struct args *a);
int cmd_redeliver(struct cli *c, const struct args *a);
int cmd_endpoints(struct cli *c, const struct args *a);
int cmd_nodes(struct cli *c, const struct args *a);
int cmd_drain(struct cli *c, const struct args *a);
int cmd_undrain(struct cli *c, const struct args *a);
int cmd_top(struct cli *c, const struct args *a);
int cmd_nginx(struct cli *c, const struct args *a);
int cmd_why(struct cli *c, const struct args *a);
int cmd_version(struct cli *c, const struct args *a);
int cmd_help(struct cli *c, const struct args *a);
extern const struct flag MIGRATE_FLAGS[], CHECK_FLAGS[], CONFIG_FLAGS[], LOGS_FLAGS[], ROOMS_FLAGS[], TOKEN_FLAGS[],
    EVENTS_FLAGS[], REDELIVER_FLAGS[], ENDPOINTS_FLAGS[], WHY_FLAGS[], NGINX_FLAGS[], TOP_FLAGS[];

#endif
