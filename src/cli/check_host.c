/* check_host - what the configuration itself tells, and the log file.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor.h"

enum { SECRET_MIN = 32 };

static void
check_callers(struct doctor *d)
{
	const struct conf *c = d->c->conf;
	char hint[2048];

	if (!conf_can_authorise(c, hint, sizeof(hint)))
		doctor_finds(d, "callers", FAILURE,
		    "set API_KEYS, AUTH_OPEN_NETWORKS or AUTH_MODE (see tgo-call config --example)",
		    S("nobody may call: the worker will not start"));
	else if (c->auth_mode == AUTH_MODE_OPEN)
		doctor_finds(d, "callers", WARNING, "set API_KEYS and leave AUTH_MODE unset",
		    S("AUTH_MODE=open: everybody may call"));
	else
		doctor_finds(d, "callers", WELL, "", arena_printf(d->c->arena,
		    "%zu API keys, %zu open networks, tickets %s", c->n_api_keys, c->n_open_networks,
		    c->ticket_secret.len > 0 ? "on" : "off"));
}

/* HS256 by a shorter secret can be guessed by whoever holds one token (RFC 7518, 3.2). */
static void
check_secrets(struct doctor *d)
{
	const struct conf *c = d->c->conf;
	bool weak = false;

	for (size_t i = 0; i < c->n_livekit_keys; i++) {
		if (c->livekit_keys[i].value.len >= SECRET_MIN)
			continue;
		weak = true;
		doctor_finds(d, "secrets", FAILURE, "make one by `openssl rand -hex 32`, in LiveKit too",
		    arena_printf(d->c->arena, "the secret of LiveKit's key %.*s is shorter than %d characters",
		    STR_ARG(c->livekit_keys[i].name), SECRET_MIN));
	}
	if (c->ticket_secret.len > 0 && c->ticket_secret.len < SECRET_MIN) {
		weak = true;
		doctor_finds(d, "secrets", FAILURE, "make one by `openssl rand -hex 32`",
		    arena_printf(d->c->arena, "TICKET_SECRET is shorter than %d characters", SECRET_MIN));
	}
	if (c->n_livekit_keys == 0)
		doctor_finds(d, "secrets", FAILURE, "set LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
		    S("no key of LiveKit: no token can be made"));
	else if (!weak)
		doctor_finds(d, "secrets", WELL, "", S("all are long enough"));
}

void
check_configuration(struct doctor *d)
{
	if (d->c->conf == NULL) {
		doctor_finds(d, "configuration", FAILURE, "see tgo-call config --example",
		    str_of(d->c->conf_error));
		return;
	}
	doctor_finds(d, "configuration", WELL, "", S("can be read"));
	check_callers(d);
	check_secrets(d);
}

/* Nothing is made here: where the file is not there yet, its folder must be ours to write. */
void
check_log_file(struct doctor *d)
{
	struct str path = d->c->conf->log_file, folder;
	const char *slash;

	if (path.len == 0) {
		doctor_finds(d, "log", WELL, "", S("LOG_FILE is not set: the worker's stderr"));
		return;
	}
	if (access(path.at, W_OK) == 0) {
		doctor_finds(d, "log", WELL, "", arena_printf(d->c->arena, "%s can be written", path.at));
		return;
	}
	slash = strrchr(path.at, '/');
	folder = slash != NULL ? (struct str){ path.at, (size_t)(slash - path.at) + 1 } : S(".");
	if (errno == ENOENT && access(arena_z(d->c->arena, folder), W_OK) == 0)
		doctor_finds(d, "log", WELL, "",
		    arena_printf(d->c->arena, "%s is not there yet and can be made", path.at));
	else
		doctor_finds(d, "log", FAILURE, "make it writable for the user the worker runs as",
		    arena_printf(d->c->arena, "%s: %s", path.at, strerror(errno)));
}
