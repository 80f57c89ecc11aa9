/* why_steps - judges each step of the way into a call: is it well, and if not, what helps.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "call/node_ops.h"
#include "cli/why.h"

enum { URL_MS = 3000, TOKEN_EARLY_MS = 5000 };

static void
note(struct why *w, struct step s)
{
	w->failed = w->failed || s.verdict == FAILURE;
	if (s.verdict == WELL)
		s.cure = "";
	if (w->n < WHY_STEPS_MAX)
		w->steps[w->n++] = s;
}

/* ---- the call ---- */

static void
note_host(struct why *w)
{
	struct node_view n;
	struct str addr = w->view.call.room.livekit_node;
	struct arena *a = w->c->arena;

	if (addr.len == 0 || room_status_final(w->view.call.room.status))
		return;
	if (op_node(&w->c->op, &w->c->sv, addr, &n) != ERR_OK)
		note(w, (struct step){ S(""), "host", WARNING, 0, arena_printf(a, "%.*s is no node that is known",
		    STR_ARG(addr)), "see tgo-call nodes; the next connection moves the call" });
	else if (n.state == NODE_DOWN || n.state == NODE_STALE || n.state == NODE_TWIN)
		note(w, (struct step){ S(""), "host", WARNING, n.row.down_since_ms, arena_printf(a, "%.*s is %s",
		    STR_ARG(addr), NODE_STATE_WORDS[n.state]), "start it, or let clients reconnect: the call moves with them" });
	else
		note(w, (struct step){ S(""), "host", WELL, n.row.seen_at_ms, arena_printf(a, "%.*s is %s", STR_ARG(addr),
		    NODE_STATE_WORDS[n.state]), "" });
}

void
why_judge_room(struct why *w)
{
	const struct room *r = &w->view.call.room;
	struct arena *a = w->c->arena;
	struct str node = r->livekit_node.len > 0 ? r->livekit_node : S("none of ours");

	if (room_status_final(r->status))
		note(w, (struct step){ S(""), "call", FAILURE, r->ended_at_ms, arena_printf(a, "it is over (%.*s)",
		    STR_ARG(r->end_reason)), "nobody can enter it any more: create another" });
	else
		note(w, (struct step){ S(""), "call", WELL, r->created_at_ms, arena_printf(a, "%s, %zu people, node %.*s",
		    r->status == ROOM_RINGING ? "ringing" : "in progress", call_count_active(&w->view.call),
		    STR_ARG(node)), "" });
	note_host(w);
}

/* ---- 1: state and token ---- */

static const char *const STATES[P_STATUS_COUNT] = {
	[P_INVITING] = "is rung", [P_JOINED] = "is in the call", [P_REJECTED] = "rejected it", [P_LEFT] = "hung up",
	[P_MISSED] = "missed it", [P_BUSY] = "was busy", [P_CANCELLED] = "was cancelled",
};

static void
note_state(struct why *w, const struct participant *p)
{
	bool known = p->status >= 0 && p->status < P_STATUS_COUNT;
	struct str said = arena_printf(w->c->arena, "%s%s", known ? STATES[p->status] : "is in a state nobody knows",
	    p->removed ? ", and was put out" : "");
	int64_t at_s = p->status == P_JOINED ? p->join_time : p->leave_time;

	if (p->status == P_JOINED || p->status == P_INVITING)
		note(w, (struct step){ p->uid, "state", WELL, at_s * 1000, said, "" });
	else
		note(w, (struct step){ p->uid, "state", FAILURE, at_s * 1000, said, p->removed ?
		    "a moderator has to invite them again" : "join again: POST /rooms/ID/join" });
}

static struct str
refusal_text(struct why *w, const struct trace *t)
{
	return arena_printf(w->c->arena, "refused: %.*s (%.*s)", STR_ARG(t->refused.error), STR_ARG(t->refused.route));
}

static void
note_token(struct why *w, const struct trace *t, const struct participant *p)
{
	int64_t over_ms = t->token.at_ms + t->token.timeout_s * 1000;

	if (w->seen.no_app_log)
		note(w, (struct step){ t->uid, "token", WARNING, 0, S("our log cannot be read here"),
		    "set LOG_FILE; or look yourself: journalctl -u tgo-call -o cat | grep 'LiveKit Token'" });
	else if (t->refused.at_ms > t->token.at_ms)
		note(w, (struct step){ t->uid, "token", t->token.at_ms > 0 ? WARNING : FAILURE, t->refused.at_ms,
		    refusal_text(w, t), "what each error means stands in docs/openapi.json; tgo-call logs --uid UID has the request" });
	else if (t->token.at_ms == 0 && p->status == P_INVITING)
		note(w, (struct step){ t->uid, "token", WELL, 0, S("none yet: they did not answer the call"), "" });
	else if (t->token.at_ms == 0)
		note(w, (struct step){ t->uid, "token", FAILURE, 0, S("none was made since the call began"),
		    "the client has to ask: POST /rooms/ID/join (tgo-call logs --uid UID shows what it asked)" });
	else if (over_ms < clock_wall_ms() && p->sid.len == 0)
		note(w, (struct step){ t->uid, "token", FAILURE, t->token.at_ms, arena_printf(w->c->arena,
		    "made, and over after %lld s", (long long)t->token.timeout_s), "ask for another: POST /rooms/ID/token" });
	else
		note(w, (struct step){ t->uid, "token", WELL, t->token.at_ms, arena_printf(w->c->arena,
		    "made for %.*s, holds %lld s", STR_ARG(t->token.url), (long long)t->token.timeout_s), "" });
}

/* ---- 2: its url ---- */

/* What this server would hand out now. */
static bool
is_ours(const struct why *w, struct str url)
{
	const struct conf *c = w->c->conf;
	bool any = str_eq(url, c->livekit_client_url);

	for (size_t i = 0; i < c->n_nodes && !any; i++)
		any = str_eq(url, c->nodes[i].url);
	return any;
}

static const char *
cure_of_url(int status)
{
	if (status == 404)
		return "something else answers there: let LIVEKIT_CLIENT_URL lead to the nginx of `tgo-call nginx`";
	return "nginx reaches no node: see tgo-call nodes, and nginx's livekit-cluster-error.log";
}

/* LiveKit misses the token: 401 is a node's answer, or ours in its place. */
static void
note_url(struct why *w, const struct trace *t)
{
	struct str url = t->token.url.len > 0 ? t->token.url : w->view.url;
	struct arena *a = w->c->arena;
	const struct http_call call = { .method = "GET", .timeout_ms = URL_MS, .url = arena_printf(a,
	    "%.*s/rtc/validate", STR_ARG(doctor_origin(w->c, url))) };
	struct http_answer answer = { 0 };

	if (httpc_call(&w->c->op, w->c->sv.http, &call, &answer) != ERR_OK)
		note(w, (struct step){ t->uid, "url", FAILURE, 0, arena_printf(a, "%.*s: %.*s", STR_ARG(call.url),
		    STR_ARG(answer.why)), "see LIVEKIT_CLIENT_URL: name, port, certificate; and whether nginx runs" });
	else if (answer.status != 401)
		note(w, (struct step){ t->uid, "url", FAILURE, 0, arena_printf(a, "%.*s answers %d", STR_ARG(call.url),
		    answer.status), cure_of_url(answer.status) });
	else if (!is_ours(w, url))
		note(w, (struct step){ t->uid, "url", WARNING, 0, arena_printf(a, "%.*s answers, but is not what clients are "
		    "told now", STR_ARG(url)), "the configuration changed since: a new token brings the new url" });
	else
		note(w, (struct step){ t->uid, "url", WELL, 0, arena_printf(a, "%.*s leads to LiveKit from here; does it from "
		    "where the client is?", STR_ARG(url)), "" });
}

/* ---- 3: nginx ---- */

static const char *
cure_of_status(int64_t status)
{
	if (status == 101 || status == 200)
		return "";
	if (status == 401 || status == 403)
		return "see what it was told; an expired token: POST /rooms/ID/token";
	if (status == 499)
		return "the client went away before it was answered: its own time-out, or its network";
	return "the node failed: see tgo-call nodes and nginx's livekit-cluster-error.log";
}

static void
note_nameless(struct why *w, const struct trace *t)
{
	struct arena *a = w->c->arena;

	if (w->seen.n_nameless > 0)
		note(w, (struct step){ t->uid, "nginx", WARNING, 0, arena_printf(a, "no connection with their name, but %lld "
		    "that were refused without one", (long long)w->seen.n_nameless),
		    "a token nobody can read: grep route_refused in our log says what they were told" });
	else
		note(w, (struct step){ t->uid, "nginx", t->token.at_ms > 0 &&
		    clock_wall_ms() - t->token.at_ms > TOKEN_EARLY_MS ? FAILURE : WARNING, 0,
		    S("no connection of theirs arrived"),
		    "it did not get here: its network, DNS, a firewall, TLS, or it uses another url" });
}

static void
note_nginx(struct why *w, const struct trace *t)
{
	struct arena *a = w->c->arena;
	bool well = t->nginx.status == 101 || t->nginx.status == 200;

	if (t->routed.at_ms == 0 && w->seen.no_app_log)
		note(w, (struct step){ t->uid, "nginx", WARNING, 0, S("not known without our log"), "set LOG_FILE" });
	else if (t->routed.at_ms == 0)
		note_nameless(w, t);
	else if (t->routed.refused)
		note(w, (struct step){ t->uid, "nginx", FAILURE, t->routed.at_ms, arena_printf(a, "refused with %lld: %.*s",
		    (long long)t->routed.status, STR_ARG(t->routed.told)), cure_of_status(401) });
	else if (t->nginx.at_ms == 0)
		note(w, (struct step){ t->uid, "nginx", WELL, t->routed.at_ms, arena_printf(a, "led to %.*s (request %.*s); %s",
		    STR_ARG(t->routed.node.len > 0 ? t->routed.node : S("any node")), STR_ARG(t->routed.request_id),
		    w->seen.no_nginx_log ? "nginx's log cannot be read here (--nginx-log)" : "not ended yet"), "" });
	else
		note(w, (struct step){ t->uid, "nginx", well ? WELL : FAILURE, t->nginx.at_ms, arena_printf(a,
		    "status %lld from %.*s, ended after %.*s s (request %.*s)", (long long)t->nginx.status,
		    STR_ARG(t->nginx.upstream), STR_ARG(t->nginx.seconds), STR_ARG(t->routed.request_id)),
		    cure_of_status(t->nginx.status) });
}

/* ---- 4: the node ---- */

/* LiveKit says 503 of a room that nobody entered yet. */
static void
note_session(struct why *w, const struct trace *t, const struct participant *p)
{
	const struct room_api api = { .conf = w->c->conf, .http = w->c->sv.http };
	struct arena *a = w->c->arena;
	struct str sid = S("");
	enum err e = room_api_session(&w->c->op, &api, w->view.call.room.room_id, p->uid, &sid);

	if (e == ERR_OK && str_eq(sid, p->sid))
		note(w, (struct step){ t->uid, "node", WELL, p->sid_at_ms, arena_printf(a, "connected (%.*s)", STR_ARG(sid)), "" });
	else if (e == ERR_OK)
		note(w, (struct step){ t->uid, "node", WARNING, t->hook.at_ms, arena_printf(a,
		    "connected (%.*s), and its webhook did not tell us", STR_ARG(sid)),
		    "see webhooks in tgo-call check: LiveKit's webhook.urls, and its api_key" });
	else if (e != ERR_PARTICIPANT_NOT_FOUND && (p->sid.len > 0 || t->hook.at_ms > 0))
		note(w, (struct step){ t->uid, "node", WARNING, t->hook.at_ms, S("LiveKit does not say who is connected"),
		    "see livekit in tgo-call check" });
	else if (p->sid.len > 0)
		note(w, (struct step){ t->uid, "node", WARNING, p->sid_at_ms, S("was connected, and LiveKit has them no more"),
		    "tgo-call-jobs settles that within a minute; the client has to reconnect" });
	else if (t->hook.at_ms > 0)
		note(w, (struct step){ t->uid, "node", WARNING, t->hook.at_ms, arena_printf(a, "not connected; last told: %.*s",
		    STR_ARG(t->hook.event)), "the client has to connect again" });
	else
		note(w, (struct step){ t->uid, "node", t->routed.at_ms > 0 && !t->routed.refused ? FAILURE : WARNING, 0,
		    S("never connected"), t->routed.at_ms > 0 ? "signalling arrived, media did not: are the node's UDP and "
		    "TCP ports open to the client, and does it give out an address the client can reach (rtc.node_ip)?"
		    : "see above" });
}

/* ---- all of it ---- */

void
why_judge_person(struct why *w, const struct trace *t)
{
	const struct participant *p = call_find(&w->view.call, t->uid);

	if (p == NULL)
		return;
	note_state(w, p);
	note_token(w, t, p);
	note_url(w, t);
	note_nginx(w, t);
	note_session(w, t, p);
}
