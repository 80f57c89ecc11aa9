/* health - is the process alive, is it of use; and what became of the migrations.
 * SPDX-License-Identifier: MIT */
#include "api/handlers.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "schema/schema.h"
#include "store/jobs_store.h"

enum { LIVEKIT_PROBE_MS = 1000, LAG_S = 30 };

HANDLER(api_health)
{
	(void)op;
	(void)sv;
	(void)rq;
	(void)who;
	strbuf_add(&rp->body, S("{\"status\":\"ok\"}"));
	return ERR_OK;
}

/* One line of the checks; returns whether it is well. */
static bool
put_check(struct jsonw *w, const char *name, bool ok, int64_t since_us)
{
	jsonw_obj(w, name);
	jsonw_z(w, "status", ok ? "ok" : "unavailable");
	jsonw_i64(w, "ms", (clock_mono_us() - since_us) / 1000);
	jsonw_obj_end(w);
	return ok;
}

static bool
livekit_answers(struct op *op, struct services *sv)
{
	const struct http_call call = { .method = "GET", .url = sv->conf->livekit_url,
	    .timeout_ms = LIVEKIT_PROBE_MS };
	struct http_answer answer = { 0 };

	return httpc_call(op, sv->http, &call, &answer) == ERR_OK && answer.status == 200;
}

static bool
put_schema(struct op *op, struct services *sv, struct jsonw *w)
{
	static const char *const WORDS[] = {
		[SCHEMA_NONE] = "none", [SCHEMA_OLDER] = "older", [SCHEMA_OK] = "ok", [SCHEMA_NEWER] = "newer",
	};
	struct schema_status st = { 0 };
	bool known = schema_status(op, sv->db, &SCHEMA, &st) == ERR_OK;

	jsonw_obj(w, "schema");
	jsonw_z(w, "status", known ? WORDS[st.state] : "unavailable");
	jsonw_i64(w, "version", st.applied);
	jsonw_i64(w, "wanted", st.newest);
	jsonw_obj_end(w);
	return known && st.state == SCHEMA_OK;
}

/* Does somebody do what is to be done in time? Asked only of a database with our tables. */
static bool
put_jobs(struct op *op, struct services *sv, bool schema_ok, struct jsonw *w)
{
	struct jobs_lag lag = { 0 };
	bool known = schema_ok && jobs_store_lag(op, sv->db, &lag) == ERR_OK;
	bool ok = lag.alive > 0 && lag.oldest_deadline_s <= LAG_S && lag.oldest_event_s <= LAG_S;

	jsonw_obj(w, "jobs");
	jsonw_z(w, "status", !known ? "unavailable" : ok ? "ok" : "degraded");
	jsonw_i64(w, "alive", lag.alive);
	jsonw_i64(w, "oldest_deadline_s", lag.oldest_deadline_s);
	jsonw_i64(w, "oldest_event_s", lag.oldest_event_s);
	jsonw_obj_end(w);
	return known && ok;
}

HANDLER(api_readyz)
{
	bool vital = true, all = true, schema;
	struct strbuf checks;
	struct jsonw w;
	int64_t t;

	(void)rq;
	(void)who;
	strbuf_init_arena(&checks, op->arena, 1024, 4096);
	jsonw_init(&w, &checks);
	jsonw_obj(&w, NULL);
	t = clock_mono_us();
	vital &= put_check(&w, "mysql", sql_ping(op, sv->db), t);
	t = clock_mono_us();
	all &= put_check(&w, "redis", kv_ping(op, sv->kv), t);
	t = clock_mono_us();
	all &= put_check(&w, "livekit", livekit_answers(op, sv), t);
	t = clock_mono_us();
	all &= put_check(&w, "log", log_writable(op->log), t);
	schema = put_schema(op, sv, &w);
	vital &= schema;
	all &= put_jobs(op, sv, schema, &w);
	jsonw_obj_end(&w);

	rp->status = vital ? 200 : 503;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_z(&w, "status", !vital ? "unavailable" : all ? "ok" : "degraded");
	jsonw_raw(&w, "checks", strbuf_str(&checks));
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

HANDLER(api_migrations_history)
{
	struct schema_row *rows;
	struct jsonw w;
	size_t n;
	enum err e;

	(void)rq;
	(void)who;
	if ((e = schema_history(op, sv->db, &SCHEMA, &rows, &n)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	jsonw_arr(&w, NULL);
	for (size_t i = 0; i < n; i++) {
		jsonw_obj(&w, NULL);
		jsonw_i64(&w, "version", rows[i].version);
		jsonw_str(&w, "name", rows[i].name);
		jsonw_str(&w, "status", rows[i].status);
		jsonw_str(&w, "error", rows[i].error);
		jsonw_str(&w, "executed_at", rows[i].executed_at);
		jsonw_i64(&w, "duration_ms", rows[i].duration_ms);
		jsonw_obj_end(&w);
	}
	jsonw_arr_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

HANDLER(api_migrations_status)
{
	int64_t success = 0, failed = 0, pending = 0;
	struct schema_row *rows;
	struct jsonw w;
	size_t n;
	enum err e;

	(void)rq;
	(void)who;
	if ((e = schema_history(op, sv->db, &SCHEMA, &rows, &n)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		success += str_eq(rows[i].status, S("success"));
		failed += str_eq(rows[i].status, S("failed"));
		pending += str_eq(rows[i].status, S("pending"));
	}
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_i64(&w, "total", (int64_t)n);
	jsonw_i64(&w, "success", success);
	jsonw_i64(&w, "failed", failed);
	jsonw_i64(&w, "pending", pending);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}
