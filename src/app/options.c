/* The command lines.
 * SPDX-License-Identifier: MIT */
#include "app/options.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char WORKER_HELP[] =
    "Usage: tgo-call-worker [--listen unix:/PATH | HOST:PORT] [--env-file FILE]\n"
    "                       [--workers N] [--only route] [--no-master]\n"
    "                       [--user USER[:GROUP]] [--version] [--help]\n"
    "\n"
    "The FastCGI application of tgo-call-server. Without --listen it takes the socket it\n"
    "is given: file descriptor 3 from systemd, 0 from spawn-fcgi.\n"
    "\n"
    "  --listen WHERE    a socket of its own: unix:/run/tgo-call/fcgi.sock, 127.0.0.1:9000\n"
    "  --env-file FILE   read this configuration file instead of ./.env or\n"
    "                    /etc/tgo-call/tgo-call.env (the environment wins)\n"
    "  --workers N       processes, instead of WORKERS (1..1024)\n"
    "  --only route      serve what nginx asks before it lets a client through to a media node,\n"
    "                    and nothing else; processes: ROUTE_WORKERS\n"
    "  --no-master       one process that serves by itself, for spawn-fcgi -F N; nobody\n"
    "                    replaces it when it dies or is held (WORKER_STUCK_S)\n"
    "  --user USER[:GROUP]\n"
    "                    started as root, go on as this user: before the configuration, the\n"
    "                    log or a socket is opened, so all of them must be that user's to open\n"
    "  --version         print the version\n"
    "  --help            print this\n"
    "\n"
    "Signals: TERM finishes what is under way and stops; HUP reads the configuration again\n"
    "and renews the processes one by one; USR1 opens the log file again.\n";

static const char JOBS_HELP[] =
    "Usage: tgo-call-jobs [--env-file FILE] [--task NAME] [--user USER[:GROUP]] [--version]\n"
    "                     [--help]\n"
    "\n"
    "The background work of tgo-call-server: deadlines, delivery of events, what LiveKit is\n"
    "told and asked, retention. Any number of them may run: they share the work.\n"
    "\n"
    "  --env-file FILE   read this configuration file instead of ./.env or\n"
    "                    /etc/tgo-call/tgo-call.env (the environment wins)\n"
    "  --task NAME       only this task, in one process, to look at it: deadlines, sequence,\n"
    "                    deliver, actions, reconcile, keeper, nodes\n"
    "  --user USER[:GROUP]\n"
    "                    started as root, go on as this user: before the configuration, the\n"
    "                    log or a socket is opened, so all of them must be that user's to open\n"
    "  --version         print the version\n"
    "  --help            print this\n"
    "\n"
    "Signals: TERM finishes what is under way and stops; HUP reads the configuration again\n"
    "and renews the processes one by one; USR1 opens the log file again.\n";

enum option {
	OPT_NONE, OPT_LISTEN, OPT_ENV_FILE, OPT_WORKERS, OPT_NO_MASTER, OPT_TASK, OPT_ONLY, OPT_USER, OPT_VERSION,
	OPT_HELP
};

enum { BOTH = PROGRAM_WORKER | PROGRAM_JOBS };

static const struct {
	enum option id;
	const char *name;
	bool takes_value;
	int programs;             /* that know it */
} OPTIONS[] = {
	{ OPT_LISTEN,    "--listen",    true,  PROGRAM_WORKER },
	{ OPT_ENV_FILE,  "--env-file",  true,  BOTH           },
	{ OPT_WORKERS,   "--workers",   true,  PROGRAM_WORKER },
	{ OPT_ONLY,      "--only",      true,  PROGRAM_WORKER },
	{ OPT_NO_MASTER, "--no-master", false, PROGRAM_WORKER },
	{ OPT_TASK,      "--task",      true,  PROGRAM_JOBS   },
	{ OPT_USER,      "--user",      true,  BOTH           },
	{ OPT_VERSION,   "--version",   false, BOTH           },
	{ OPT_HELP,      "--help",      false, BOTH           },
};

const char *
options_name(enum program p)
{
	return p == PROGRAM_JOBS ? "tgo-call-jobs" : "tgo-call-worker";
}

const char *
options_help(enum program p)
{
	return p == PROGRAM_JOBS ? JOBS_HELP : WORKER_HELP;
}

static bool
set_option(struct options *o, enum option id, const char *value)
{
	switch (id) {
	case OPT_LISTEN:
		o->listen = value;
		return value[0] != '\0';
	case OPT_ENV_FILE:
		o->env_file = value;
		return value[0] != '\0';
	case OPT_WORKERS:
		return parse_i64(str_of(value), 1, OPTIONS_WORKERS_MAX, &o->workers);
	case OPT_ONLY:
		o->part = PART_ROUTE;
		return str_eq(str_of(value), S("route"));
	case OPT_NO_MASTER:
		o->no_master = true;
		return true;
	case OPT_TASK:
		o->task = value;
		return value[0] != '\0';
	case OPT_USER:
		o->user = value;
		return value[0] != '\0';
	case OPT_VERSION:
		o->version = true;
		return true;
	case OPT_HELP:
		o->help = true;
		return true;
	case OPT_NONE:
		break;
	}
	return false;
}

/* The row of OPTIONS that `name` is to this program, or -1. */
static int
find_option(enum program p, struct str name)
{
	for (size_t i = 0; i < N_ELEMS(OPTIONS); i++) {
		if ((OPTIONS[i].programs & (int)p) != 0 && str_eq(name, str_of(OPTIONS[i].name)))
			return (int)i;
	}
	return -1;
}

/* "--name value" and "--name=value". */
bool
options_parse(enum program p, int argc, char *const *argv, struct options *out, char *err,
    size_t err_cap)
{
	struct options o = { .program = p };

	for (int i = 1; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');
		const char *value = equals != NULL ? equals + 1 : NULL;
		size_t n_name = equals != NULL ? (size_t)(equals - argv[i]) : strlen(argv[i]);
		struct str name = { argv[i], n_name };
		int row = find_option(p, name);

		if (row < 0 || (value != NULL && !OPTIONS[row].takes_value)) {
			snprintf(err, err_cap, "unknown option: %s (see --help)", argv[i]);
			return false;
		}
		if (OPTIONS[row].takes_value && value == NULL && i + 1 < argc)
			value = argv[++i];
		if (OPTIONS[row].takes_value && value == NULL) {
			snprintf(err, err_cap, "%s needs a value (see --help)", OPTIONS[row].name);
			return false;
		}
		if (!set_option(&o, OPTIONS[row].id, value != NULL ? value : "")) {
			snprintf(err, err_cap, "bad value for %s: %s (see --help)",
			    OPTIONS[row].name, value);
			return false;
		}
	}
	*out = o;
	return true;
}
