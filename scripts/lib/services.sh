# services.sh - the servers of a stack besides the media nodes: MariaDB, Redis, the workers, the jobs, nginx. Each has
# start (nothing when it runs) and a question that says whether it answers. SPDX-License-Identifier: MIT

# All of it runs as the user who runs the script; sockets are 0660 in folders of 0750.
me() {
	id -un
}

sql_root() {
	mariadb --no-defaults --socket="$VAR/run/mariadb.sock" --user=root --batch "$@"
}

mariadb_answers() {
	sql_root -e 'SELECT 1' >/dev/null 2>&1
}

mariadb_start() {
	if [ -n "${DB_HOST:-}" ] || proc_alive mariadb; then
		return
	fi
	# A server clears its temporary folder of others' tables when it starts: each has one of its own.
	mkdir -p "$VAR/mariadb-tmp"
	if [ ! -d "$VAR/mariadb/mysql" ]; then
		mariadb-install-db --no-defaults --user="$(me)" --datadir="$VAR/mariadb" --tmpdir="$VAR/mariadb-tmp" \
			--skip-test-db \
			--auth-root-authentication-method=normal >"$VAR/log/mariadb-install.log" 2>&1 || {
			proc_tail mariadb-install
			die "mariadb-install-db failed"
		}
	fi
	# A socket only, and otherwise the server's defaults: durability too.
	proc_start mariadb mariadbd --no-defaults --user="$(me)" --datadir="$VAR/mariadb" \
		--tmpdir="$VAR/mariadb-tmp" --socket="$VAR/run/mariadb.sock" --pid-file="$VAR/run/mariadbd.self" --skip-networking \
		--character-set-server=utf8mb4 --collation-server=utf8mb4_unicode_ci
}

# The application's user may make databases tgo_*: the tests use some of their own.
mariadb_prepare() {
	if [ -n "${DB_HOST:-}" ]; then
		return
	fi
	proc_await mariadb 60 mariadb_answers
	sql_root <<-END
		CREATE DATABASE IF NOT EXISTS tgo_rtc CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
		CREATE USER IF NOT EXISTS tgo@localhost IDENTIFIED BY '$STACK_DB_PASSWORD';
		GRANT ALL ON \`tgo\\_%\`.* TO tgo@localhost;
	END
}

redis_start() {
	if proc_alive redis; then
		return
	fi
	# One that comes back takes its old port, which its clients' closed connections still name: the nodes know no other.
	if port_used_on 127.0.0.1 "$STACK_REDIS_PORT"; then
		unset STACK_REDIS_PORT
		stack_save
	fi
	mkdir -p "$VAR/redis"
	# LiveKit cannot use a socket, hence the port. Nothing is kept: Redis is a cache.
	proc_start redis redis-server --bind 127.0.0.1 --port "$STACK_REDIS_PORT" --dir "$VAR/redis" \
		--unixsocket "$VAR/run/redis.sock" --unixsocketperm 660 --save "" --appendonly no \
		--maxmemory-policy noeviction --daemonize no
}

redis_answers() {
	[ "$(redis-cli -s "$VAR/run/redis.sock" ping 2>/dev/null)" = PONG ]
}

migrate() {
	(cd "$VAR" && "$BIN/tgo-call" migrate) >"$VAR/log/migrate.log" 2>&1 || {
		proc_tail migrate
		die "tgo-call migrate failed"
	}
}

worker_start() {
	if proc_alive worker; then
		say "worker: runs already, with the configuration it was started with"
		return
	fi
	(cd "$VAR" && proc_start worker spawn-fcgi -n -s "$VAR/run/fcgi.sock" -M 0660 -F 1 -- \
		"$BIN/tgo-call-worker")
}

# The workers nginx asks where a room lives.
route_start() {
	if proc_alive route; then
		say "route: runs already, with the configuration it was started with"
		return
	fi
	(cd "$VAR" && proc_start route spawn-fcgi -n -s "$VAR/run/route.sock" -M 0660 -F 1 -- \
		"$BIN/tgo-call-worker" --only route)
}

# Nobody joins without a token; while it is away a node would have said so.
route_answers() {
	[ -S "$VAR/run/route.sock" ] &&
		curl -sS -m 5 "http://127.0.0.1:$PORT/rtc/validate" 2>/dev/null | grep -q 'no permissions'
}

jobs_start() {
	if [ "$JOBS" = 0 ]; then
		return
	fi
	if proc_alive jobs; then
		say "jobs: run already, with the configuration they were started with"
		return
	fi
	if port_used_on 127.0.0.1 "$STACK_JOBS_PORT"; then
		STACK_JOBS_PORT=$(free_port)
		stack_save
		export JOBS_METRICS_LISTEN=127.0.0.1:$STACK_JOBS_PORT
	fi
	(cd "$VAR" && proc_start jobs "$BIN/tgo-call-jobs")
}

# Each of its processes has written its row.
jobs_answer() {
	curl -fsS -m 5 "http://127.0.0.1:$PORT/readyz" 2>/dev/null | grep -q '"alive":[1-9]'
}

worker_answers() {
	[ -S "$VAR/run/fcgi.sock" ] && curl -fsS -m 5 -o /dev/null "http://127.0.0.1:$PORT/readyz" 2>/dev/null
}

# The lines of the templates' @LIVEKIT_SERVERS@ and @CORS_ORIGINS@.
nginx_servers() {
	local node
	for node in ${LIVEKIT_NODES//,/ }; do
		printf 'server %s max_fails=2 fail_timeout=5s; ' "${node%%;*}"
	done
	if [ -z "$LIVEKIT_NODES" ]; then
		printf 'server 127.0.0.1:1 down;'
	fi
}

nginx_origins() {
	local origin
	if [ "$CORS_ORIGINS" = '*' ]; then
		printf '"~." "*";'
		return
	fi
	for origin in ${CORS_ORIGINS//,/ }; do
		printf '"%s" $http_origin; ' "$origin"
	done
}

# nginx_write DIR: nginx.conf and the filled-in templates.
nginx_write() {
	local dir=$1 user='' file swagger_ui
	swagger_ui=$(tools_swagger_ui)
	mkdir -p "$dir/conf.d" "$dir/tgo-call" "$VAR/nginx-tmp"
	for file in conf.d/livekit-cluster.conf conf.d/tgo-call.conf tgo-call/{errors,fastcgi}.conf \
		tgo-call/{livekit-proxy,livekit-node,livekit-route,messages}.conf; do
		sed -e "/^#/b; s|@LISTEN@|127.0.0.1:$PORT|; s|@FCGI_SOCKET@|$VAR/run/fcgi.sock|" \
			-e "s|@ROUTE_SOCKET@|$VAR/run/route.sock|" \
			-e "s|@LOG_DIR@|$VAR/log|; s|@LIVEKIT_SERVERS@|$(nginx_servers)|" \
			-e "s|@CORS_ORIGINS@|$(nginx_origins)|; s|@SWAGGER_UI@|$swagger_ui|" \
			"$ROOT/nginx-conf/${file#conf.d/}" >"$dir/$file"
	done
	if [ "$(id -u)" = 0 ]; then
		user="user $(id -un) $(id -gn);"
	fi
	cat >"$dir/nginx.conf" <<-END
		$user
		daemon off;
		worker_processes auto;
		pcre_jit on;
		worker_rlimit_nofile 16384;
		pid $VAR/run/nginx.self;
		error_log $VAR/log/nginx.log warn;
		events { worker_connections 8192; }
		http {
			default_type application/octet-stream;
			client_body_temp_path $VAR/nginx-tmp/body;
			fastcgi_temp_path $VAR/nginx-tmp/fastcgi;
			proxy_temp_path $VAR/nginx-tmp/proxy;
			uwsgi_temp_path $VAR/nginx-tmp/uwsgi;
			scgi_temp_path $VAR/nginx-tmp/scgi;
			include conf.d/*.conf;
		}
	END
}

nginx_start() {
	rm -rf "$VAR/nginx.new"
	nginx_write "$VAR/nginx.new"
	if proc_alive nginx && diff -r "$VAR/nginx.new" "$VAR/nginx" >/dev/null; then
		return
	fi
	if ! nginx -t -q -c "$VAR/nginx.new/nginx.conf" >>"$VAR/log/nginx.log" 2>&1; then
		proc_tail nginx
		die "nginx does not take its configuration"
	fi
	rm -rf "$VAR/nginx"
	mv "$VAR/nginx.new" "$VAR/nginx"
	if proc_alive nginx; then
		kill -HUP "$(proc_pid nginx)"
		return
	fi
	if port_used_on 127.0.0.1 "$PORT"; then
		die "127.0.0.1:$PORT is taken, nginx cannot start; choose another with PORT=..."
	fi
	proc_start nginx nginx -p "$VAR" -c "$VAR/nginx/nginx.conf"
}

nginx_answers() {
	port_used_on 127.0.0.1 "$PORT"
}
