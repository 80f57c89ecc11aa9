/* cli - the table of commands, what they share, and how one is found and run.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "call/recall.h"
#include "cli/command.h"
#include "kv/kv_livekit.h"

enum { ARENA_BYTES = 1 << 30, DOCUMENT_BYTES = 256 << 20, LINE_BYTES = 1024, ERR_BYTES = 1024 };

enum { COMMON_ENV_FILE, COMMON_JSON, COMMON_HELP, COMMON_VERSION };
static const struct flag COMMON[] = {
	[COMMON_ENV_FILE] = { "env-file", '\0', "FILE", "the configuration, as for the worker" },
	[COMMON_JSON] = { "json", '\0', NULL, "JSON also on a terminal" },
	[COMMON_HELP] = { "help", 'h', NULL, "what a command takes" },
	[COMMON_VERSION] = { "version", '\0', NULL, "the version" },
	{ NULL, '\0', NULL, NULL }
};

const struct command COMMANDS[] = {
	{ .name = "migrate", .words = "", .summary = "bring the database to this release's schema",
	  .help = "Creates the database where there is none, takes over one of the Go server in place, and\n"
	          "may be run again at any time, also twice at once.\n",
	  .log = CLI_LOG_STDERR, .flags = MIGRATE_FLAGS, .run = cmd_migrate },
	{ .name = "check", .words = "", .summary = "is everything well? one line each, with the cure",
	  .help = "Reads only, but sends each receiver of events a signed test event (type tgo.test), and enters a room of\n"
	          "its own (tgo-check-...) on each LiveKit node for a moment, the way clients come. Ends with 1 when\n"
	          "something fails; warnings do not count.\n",
	  .own_conf = true, .flags = CHECK_FLAGS, .run = cmd_check },
	{ .name = "config", .words = "", .summary = "the configuration in effect, secrets masked",
	  .own_conf = true, .flags = CONFIG_FLAGS, .run = cmd_config },
	{ .name = "logs", .words = "", .summary = "the application's log, rotated files included",
	  .help = "Takes the options of `docker logs`. Times: 1h30m (ago), 2026-11-21, 2026-11-21T08:00:00\n"
	          "(local), RFC 3339, Unix seconds. On a terminal lines are set for reading.\n",
	  .flags = LOGS_FLAGS, .run = cmd_logs },
	{ .name = "rooms", .words = "", .summary = "calls, newest first", .flags = ROOMS_FLAGS,
	  .run = cmd_rooms },
	{ .name = "room", .words = "ID", .n_words = 1, .summary = "one call with its people",
	  .run = cmd_room },
	{ .name = "token", .words = "ROOM UID", .n_words = 2,
	  .summary = "a LiveKit token for who is joined or ringing", .log = CLI_LOG_APP,
	  .flags = TOKEN_FLAGS, .run = cmd_token },
	{ .name = "end", .words = "ID", .n_words = 1, .summary = "end a call", .log = CLI_LOG_APP,
	  .run = cmd_end },
	{ .name = "events", .words = "", .summary = "what happened in calls, as it is told to the backend",
	  .flags = EVENTS_FLAGS, .run = cmd_events },
	{ .name = "redeliver", .words = "[EVENT_ID]", .n_more = 1, .summary = "send an event, or those of a time, once more",
	  .help = "To every receiver that gets its type, or to one. The same event_id as before.\n",
	  .log = CLI_LOG_APP, .flags = REDELIVER_FLAGS, .run = cmd_redeliver },
	{ .name = "endpoints", .words = "", .summary = "who is sent the events, and what waits for whom",
	  .log = CLI_LOG_APP, .flags = ENDPOINTS_FLAGS, .run = cmd_endpoints },
	{ .name = "nodes", .words = "", .summary = "the LiveKit nodes: state, calls, load", .run = cmd_nodes },
	{ .name = "drain", .words = "NODE", .n_words = 1, .summary = "give a node no new calls",
	  .help = "NODE: its address, name, ip, or LiveKit's id. Calls it has stay until they end; one that nobody has\n"
	          "entered yet moves. Holds over restarts of everything, until `tgo-call undrain NODE`.\n",
	  .log = CLI_LOG_APP, .run = cmd_drain },
	{ .name = "undrain", .words = "NODE", .n_words = 1, .summary = "give it new calls again", .log = CLI_LOG_APP,
	  .run = cmd_undrain },
	{ .name = "top", .words = "", .summary = "the whole system at a glance: calls, nodes, rates, lag",
	  .help = "On a terminal live, q ends it; else one round, with what happened in the seconds before it. Requests,\n"
	          "deliveries a second and workers are those of this host, from /metrics of the workers (--url) and of\n"
	          "tgo-call-jobs (JOBS_METRICS_LISTEN). Ends with 1 while the database is away.\n",
	  .flags = TOP_FLAGS, .run = cmd_top },
	{ .name = "nginx", .words = "", .summary = "nginx's configuration for this environment",
	  .help = "Goes into the http block of nginx: tgo-call nginx > /etc/nginx/conf.d/tgo-call.conf\n"
	          "Signalling goes to the node of its room; the nodes are those of LIVEKIT_NODES, else of LiveKit's Redis.\n",
	  .flags = NGINX_FLAGS, .run = cmd_nginx },
	{ .name = "why", .words = "UID|ROOM", .n_words = 1, .summary = "why can they not connect? four checks, with the cure",
	  .help = "Of a person's newest call, or of everybody in a call: was a token made, does its url lead to LiveKit,\n"
	          "what did nginx see, what did the node say, and how are things now.\n",
	  .flags = WHY_FLAGS, .run = cmd_why },
	{ .name = "version", .words = "", .summary = "the version", .own_conf = true, .run = cmd_version },
	{ .name = "help", .words = "", .summary = "this text", .own_conf = true, .run = cmd_help },
	{ .name = NULL }
};

PRINTF(2, 0) static int
complain(int code, const char *fmt, va_list ap)
{
	char line[LINE_BYTES];

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	(void)fflush(stdout);
	(void)fprintf(stderr, "tgo-call: %s\n", line);
	return code;
}

int
cli_fail(const char *fmt, ...)
{
	va_list ap;
	int code;

	va_start(ap, fmt);
	code = complain(CLI_FAILED, fmt, ap);
	va_end(ap);
	return code;
}

int
cli_misuse(const char *fmt, ...)
{
	va_list ap;
	int code;

	va_start(ap, fmt);
	code = complain(CLI_USAGE, fmt, ap);
	va_end(ap);
	return code;
}

int
cli_failed_with(const struct cli *c, enum err e, const char *what)
{
	const char *why = c->sv.db != NULL ? sql_why_down(c->sv.db) : "";

	if (e == ERR_ROOM_NOT_FOUND)
		return cli_fail("%s: no such call", what);
	if (e == ERR_UNAVAILABLE && why[0] != '\0')
		return cli_fail("%s: the database cannot be reached: %s", what, why);
	if (e == ERR_INTERNAL)
		return cli_fail("%s: the database refused a statement: see `tgo-call check`", what);
	return cli_fail("%s: %s", what, err_key(e));
}

bool
cli_open_services(struct cli *c)
{
	c->sv = (struct services){ .conf = c->conf, .log = c->log };
	c->sv.db = sql_open(c->conf);
	c->sv.kv = kv_open(c->conf);
	c->sv.livekit_kv = kv_open_livekit(c->conf);
	c->sv.registry = registry_open(c->conf);
	recall_nodes(c->sv.registry, c->sv.db);
	c->sv.pulse = pulse_open(c->conf);
	c->sv.http = httpc_open();
	if (c->sv.http != NULL)
		return true;
	(void)cli_fail("a library could not be started");
	return false;
}

void
cli_document(struct cli *c, struct strbuf *b, struct jsonw *w)
{
	strbuf_init_arena(b, c->arena, 4096, DOCUMENT_BYTES);
	jsonw_init(w, b);
}

struct str
cli_or_dash(struct str s)
{
	return s.len > 0 ? s : S("-");
}

struct str
cli_time(struct cli *c, int64_t at_ms)
{
	struct strbuf b;

	if (at_ms <= 0)
		return S("-");
	strbuf_init_arena(&b, c->arena, 32, 32);
	clock_format_local(&b, at_ms);
	return strbuf_str(&b);
}

int
cli_print(const struct strbuf *b)
{
	if (!strbuf_ok(b))
		return cli_fail("the answer is too large: ask for less");
	if (fwrite(b->at, 1, b->len, stdout) == b->len && putchar('\n') != EOF && fflush(stdout) == 0)
		return CLI_OK;
	/* A reader that had enough is nothing to complain of. */
	return errno == EPIPE ? CLI_FAILED : cli_fail("cannot write: %s", strerror(errno));
}

int
cmd_version(struct cli *c, const struct args *a)
{
	(void)a;
	if (c->json)
		(void)printf("{\"version\":\"%s\"}\n", PACKAGE_VERSION);
	else
		(void)printf("tgo-call %s\n", PACKAGE_VERSION);
	return CLI_OK;
}

static void
print_flags(const struct flag *flags)
{
	for (; flags != NULL && flags->name != NULL; flags++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "%c%c%s--%s%s%s", flags->letter != '\0' ? '-' : ' ',
		    flags->letter != '\0' ? flags->letter : ' ', flags->letter != '\0' ? ", " : "  ",
		    flags->name, flags->value != NULL ? " " : "", flags->value != NULL ? flags->value : "");
		(void)printf("  %-26s %s\n", left, flags->help);
	}
}

static int
print_command_help(const struct command *cmd)
{
	(void)printf("Usage: tgo-call %s%s%s [options]\n\n%s\n", cmd->name, cmd->words[0] != '\0' ? " " : "",
	    cmd->words, cmd->summary);
	if (cmd->help != NULL)
		(void)printf("%s", cmd->help);
	(void)printf("\n");
	print_flags(cmd->flags);
	print_flags(COMMON);
	return CLI_OK;
}

int
cmd_help(struct cli *c, const struct args *a)
{
	(void)c;
	(void)a;
	(void)printf("Usage: tgo-call COMMAND [options]\n\n");
	for (const struct command *cmd = COMMANDS; cmd->name != NULL; cmd++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "%s %s", cmd->name, cmd->words);
		(void)printf("  %-22s %s\n", left, cmd->summary);
	}
	(void)printf("\nOptions of every command (`tgo-call COMMAND --help` for its own):\n");
	print_flags(COMMON);
	(void)printf("\nOutput is JSON where it goes into a pipe or file.\n"
	    "Exit: 0 ok, 1 failed, 2 wrong use.\n");
	return CLI_OK;
}

static struct log *
log_to_stderr(enum log_level threshold)
{
	struct log *l = log_open(NULL, threshold);

	/* Nobody reads stderr, and the log's usual place is not ours to write. */
	return l != NULL ? l : log_open("/dev/null", threshold);
}

/* Where LOG_FILE is not there yet it is not made here: it would belong to whoever types. */
static struct log *
open_log(const struct cli *c, enum cli_log where)
{
	struct stat st;

	if (where == CLI_LOG_NONE)
		return log_open("/dev/null", LOG_ERROR);
	if (where == CLI_LOG_APP && c->conf->log_file.len > 0 && stat(c->conf->log_file.at, &st) == 0)
		return log_open(c->conf->log_file.at, (enum log_level)c->conf->log_level);
	return log_to_stderr(where == CLI_LOG_APP ? (enum log_level)c->conf->log_level : LOG_ERROR);
}

static int
run_with_log(struct cli *c, const struct command *cmd, const struct args *a)
{
	struct strbuf id;
	int code;

	c->log = open_log(c, cmd->log);
	if (c->log == NULL)
		return cli_fail("cannot open the log%s%s: %s", cmd->log == CLI_LOG_APP ? " " : "",
		    cmd->log == CLI_LOG_APP ? c->conf->log_file.at : "", strerror(errno));
	strbuf_init_arena(&id, c->arena, 64, 64);
	rng_hex32(&id);
	c->op = (struct op){ .arena = c->arena, .log = c->log, .request_id = strbuf_str(&id),
		.lang = "zh-CN", .started_us = clock_mono_us() };
	code = cmd->run(c, a);
	httpc_close(c->sv.http);
	pulse_close(c->sv.pulse);
	registry_close(c->sv.registry);
	kv_close(c->sv.livekit_kv);
	kv_close(c->sv.kv);
	sql_close(c->sv.db);
	log_close(c->log);
	return code;
}

static int
run_command(const struct command *cmd, const struct args_line *line)
{
	char err[ERR_BYTES] = "";
	struct cli c = { .conf_error = err };
	int code;

	c.json = line->shared.values[COMMON_JSON] != NULL || !isatty(STDOUT_FILENO);
	if (cmd->run != cmd_version && cmd->run != cmd_help)
		c.conf = conf_load(line->shared.values[COMMON_ENV_FILE], err, sizeof(err));
	if (c.conf == NULL && !cmd->own_conf)
		return cli_fail("%s", err);
	c.arena = arena_new(ARENA_BYTES);
	code = run_with_log(&c, cmd, &line->own);
	arena_free(c.arena);
	conf_free(c.conf);
	if (fflush(stdout) != 0 && code == CLI_OK)
		code = CLI_FAILED;
	return code;
}

static const struct command *
find_command(const char *name)
{
	for (const struct command *cmd = COMMANDS; cmd->name != NULL; cmd++)
		if (strcmp(cmd->name, name) == 0)
			return cmd;
	return NULL;
}

/* The command's word may stand behind common options. */
static int
command_at(int argc, char *const *argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-')
		i += strcmp(argv[i], "--env-file") == 0 ? 2 : 1;
	return i;
}

static int
run_line(const struct command *cmd, struct args_line *line)
{
	if (cmd->run == cmd_help || line->shared.values[COMMON_HELP] != NULL)
		return cmd->run == cmd_help ? cmd_help(NULL, NULL) : print_command_help(cmd);
	if (line->own.n_words < cmd->n_words || line->own.n_words > cmd->n_words + cmd->n_more)
		return cli_misuse("usage: tgo-call %s%s%s (see tgo-call %s --help)", cmd->name,
		    cmd->words[0] != '\0' ? " " : "", cmd->words, cmd->name);
	return run_command(cmd, line);
}

int
cli_main(int argc, char *const *argv)
{
	char text[ERR_BYTES];
	int at = command_at(argc, argv);
	const struct command *cmd = find_command(at < argc ? argv[at] : "help");
	struct args_line line = { .common = COMMON };
	struct strbuf err;

	/* A reader that has seen enough ends us by an error, not by a signal: what is open is closed. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (cmd == NULL)
		return cli_misuse("unknown command: %s (see tgo-call help)", argv[at]);
	line.flags = cmd->flags;
	line.err = &err;
	strbuf_init(&err, text, sizeof(text));
	if (!args_parse(&line, at < argc ? at - 1 : argc - 1, argv + 1) ||
	    (at < argc && !args_parse(&line, argc - at - 1, argv + at + 1)))
		return cli_misuse("%s (see tgo-call %s --help)", text, cmd->name);
	if (line.shared.values[COMMON_VERSION] != NULL)
		cmd = find_command("version");
	if (at >= argc && line.shared.values[COMMON_VERSION] == NULL &&
	    line.shared.values[COMMON_HELP] == NULL) {
		(void)cmd_help(NULL, NULL);
		return CLI_USAGE;
	}
	return run_line(cmd, &line);
}
