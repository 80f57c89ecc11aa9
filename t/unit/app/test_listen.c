/* Sockets of one's own, and inherited ones.
 * SPDX-License-Identifier: MIT */
#include "app/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/unit.h"

#include "base/attrs.h"

/* A folder of the test's own, and a socket in it. */
struct place {
	char dir[64], where[128];
	const char *path;         /* where without "unix:" */
};

static void
place_init(struct place *p)
{
	snprintf(p->dir, sizeof(p->dir), "tgo-listen-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(p->dir));
	snprintf(p->where, sizeof(p->where), "unix:%s/s", p->dir);
	p->path = p->where + 5;
}

static void
place_fini(struct place *p)
{
	unlink(p->path);
	rmdir(p->dir);
}

/* A socket bound to path; listening if asked. */
static int
bound_socket(const char *path, bool listening)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(sa.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	if (listening)
		ck_assert_int_eq(listen(fd, 4), 0);
	return fd;
}

static bool
is_served(const struct listener *l)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(l->fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on == 1 &&
	    (fcntl(l->fd, F_GETFL) & O_NONBLOCK) != 0 &&
	    (fcntl(l->fd, F_GETFD) & FD_CLOEXEC) != 0 && accept(l->fd, NULL, NULL) == -1 &&
	    errno == EAGAIN;
}

START_TEST(a_unix_socket_has_its_mode_and_goes_away)
{
	struct place p;
	struct listener l;
	struct stat st;
	char err[300];

	place_init(&p);
	ck_assert_msg(listen_at(p.where, &l, err, sizeof(err)), "%s", err);
	ck_assert(is_served(&l));
	ck_assert(!l.beyond_loopback);
	ck_assert_int_eq(stat(p.path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_int_eq(st.st_mode & 0777, 0660);
	listen_close(&l);
	ck_assert_int_eq(stat(p.path, &st), -1);
	place_fini(&p);
}
END_TEST

START_TEST(a_stale_file_is_replaced)
{
	struct place p;
	struct listener l;
	char err[300];

	place_init(&p);
	close(bound_socket(p.path, true));
	ck_assert_msg(listen_at(p.where, &l, err, sizeof(err)), "%s", err);
	ck_assert(is_served(&l));
	listen_close(&l);
	place_fini(&p);
}
END_TEST

START_TEST(a_living_listener_is_left_alone)
{
	struct place p;
	struct listener l;
	struct stat before, after;
	char err[300] = "";
	int fd;

	place_init(&p);
	fd = bound_socket(p.path, true);
	ck_assert_int_eq(stat(p.path, &before), 0);
	ck_assert(!listen_at(p.where, &l, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, p.path));
	ck_assert_int_eq(l.fd, -1);
	ck_assert_int_eq(stat(p.path, &after), 0);
	ck_assert(before.st_ino == after.st_ino);
	close(fd);
	place_fini(&p);
}
END_TEST

/* Its connect() fails, and yet somebody lives there. */
START_TEST(a_listener_with_a_full_backlog_is_left_alone)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct place p;
	struct listener l;
	char err[300];
	int fd, n = 0;

	place_init(&p);
	fd = bound_socket(p.path, true);
	memcpy(sa.sun_path, p.path, strlen(p.path) + 1);
	while (n < 100 && connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0),
	    (struct sockaddr *)&sa, sizeof(sa)) == 0)
		n++;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(!listen_at(p.where, &l, err, sizeof(err)));
	ck_assert_int_eq(access(p.path, F_OK), 0);
	close(fd);
	place_fini(&p);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
	struct place p;
	struct listener l;
	struct stat st;
	char err[300];
	int fd;

	place_init(&p);
	fd = open(p.path, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert(!listen_at(p.where, &l, err, sizeof(err)));
	ck_assert_int_eq(stat(p.path, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	place_fini(&p);
}
END_TEST

START_TEST(a_successors_file_is_not_removed)
{
	struct place p;
	struct listener l;
	char err[300], next[140];

	place_init(&p);
	ck_assert(listen_at(p.where, &l, err, sizeof(err)));
	snprintf(next, sizeof(next), "%s.next", p.path);
	close(bound_socket(next, true));
	ck_assert_int_eq(rename(next, p.path), 0);
	listen_close(&l);
	ck_assert_int_eq(access(p.path, F_OK), 0);
	place_fini(&p);
}
END_TEST

static const char *const BAD[] = {
	"", "unix:", "localhost", ":9000", "localhost:", "localhost:0", "localhost:65536",
	"localhost:90x", "::1:9000", "[]:9000", "unix:/no/such/folder/of/ours/s", "256.1.1.1:9000",
};

START_TEST(bad_places_are_refused)
{
	struct listener l;
	char err[300] = "";

	ck_assert(!listen_at(BAD[_i], &l, err, sizeof(err)));
	ck_assert_int_eq(l.fd, -1);
	ck_assert_str_ne(err, "");
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
	struct listener l;
	char where[200] = "unix:", err[300] = "";

	memset(where + 5, 'x', 108);
	ck_assert(!listen_at(where, &l, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "107"));
}
END_TEST

static int
free_port(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, n), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	close(fd);
	return ntohs(sa.sin_port);
}

static const struct {
	const char *host;
	bool beyond;
} HOSTS[] = { { "127.0.0.1", false }, { "127.3.4.5", false }, { "localhost", false },
    { "0.0.0.0", true } };

START_TEST(tcp_beyond_loopback_is_told)
{
	struct listener l;
	char where[64], err[300];

	snprintf(where, sizeof(where), "%s:%d", HOSTS[_i].host, free_port());
	ck_assert_msg(listen_at(where, &l, err, sizeof(err)), "%s", err);
	ck_assert(is_served(&l));
	ck_assert_int_eq(l.beyond_loopback, HOSTS[_i].beyond);
	listen_close(&l);
}
END_TEST

static const struct inherited {
	const char *fds;          /* NULL: no LISTEN_FDS */
	int pid_off;              /* added to our pid */
	int listens_on;           /* 0, 3; -1: neither */
	int want;                 /* the descriptor chosen; -1: refused */
} INHERITED[] = {
	{ "1", 0, 3, 3 },
	{ "2", 0, 3, 3 },
	{ "0", 0, 3, -1 },
	{ "1", 1, 3, -1 },        /* meant for somebody else */
	{ "x", 0, 3, -1 },
	{ NULL, 0, 3, -1 },
	{ NULL, 0, 0, 0 },
	{ "1", 1, 0, 0 },
	{ "1", 0, 0, -1 },        /* said to be at 3, and is not */
	{ NULL, 0, -1, -1 },
};

struct outcome {
	bool ok, served;
	int fd;
	char err[300];
};

/* Puts the descriptors 0 and 3 in place of what the test framework has there, for as long as it
 * takes; nothing may be asserted meanwhile. */
static void
inherit(const struct inherited *c, int listening, struct outcome *out)
{
	int null = fcntl(open("/dev/null", O_RDWR), F_DUPFD, 10);
	int kept_0 = fcntl(0, F_DUPFD, 10), kept_3 = fcntl(3, F_DUPFD, 10);
	char pid[40], fds[40];
	char *envp[3] = { pid, c->fds != NULL ? fds : NULL, NULL };
	struct listener l;

	dup2(c->listens_on == 0 ? listening : null, 0);
	dup2(c->listens_on == 3 ? listening : null, 3);
	snprintf(pid, sizeof(pid), "LISTEN_PID=%d", (int)getpid() + c->pid_off);
	snprintf(fds, sizeof(fds), "LISTEN_FDS=%s", c->fds != NULL ? c->fds : "");
	out->ok = listen_inherit(envp, &l, out->err, sizeof(out->err));
	out->fd = l.fd;
	out->served = out->ok && is_served(&l);
	listen_close(&l);
	dup2(kept_0, 0);
	dup2(kept_3, 3);
}

START_TEST(inherited_sockets)
{
	const struct inherited *c = &INHERITED[_i];
	struct outcome got = { 0 };
	struct place p;
	int fd;

	place_init(&p);
	fd = fcntl(bound_socket(p.path, true), F_DUPFD, 10);
	inherit(c, fd, &got);
	ck_assert_int_eq(got.ok, c->want >= 0);
	ck_assert_int_eq(got.fd, c->want);
	ck_assert_int_eq(got.served, c->want >= 0);
	if (c->want < 0)
		ck_assert_ptr_nonnull(strstr(got.err, "--listen"));
	/* What was inherited is not ours to remove. */
	ck_assert_int_eq(access(p.path, F_OK), 0);
	close(fd);
	place_fini(&p);
}
END_TEST

START_TEST(a_connected_socket_is_not_a_listening_one)
{
	struct listener l;
	char *envp[] = { NULL };
	char err[300];
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	dup2(pair[0], 0);
	ck_assert(!listen_inherit(envp, &l, err, sizeof(err)));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("app/listen");
	TCase *own = tcase_create("own"), *inherited = tcase_create("inherited");

	tcase_add_test(own, a_unix_socket_has_its_mode_and_goes_away);
	tcase_add_test(own, a_stale_file_is_replaced);
	tcase_add_test(own, a_living_listener_is_left_alone);
	tcase_add_test(own, a_listener_with_a_full_backlog_is_left_alone);
	tcase_add_test(own, a_file_that_is_no_socket_is_left_alone);
	tcase_add_test(own, a_successors_file_is_not_removed);
	tcase_add_loop_test(own, bad_places_are_refused, 0, N_ELEMS(BAD));
	tcase_add_test(own, a_path_that_is_too_long_is_refused);
	tcase_add_loop_test(own, tcp_beyond_loopback_is_told, 0, N_ELEMS(HOSTS));
	suite_add_tcase(s, own);
	tcase_add_loop_test(inherited, inherited_sockets, 0, N_ELEMS(INHERITED));
	tcase_add_test(inherited, a_connected_socket_is_not_a_listening_one);
	suite_add_tcase(s, inherited);
	return unit_main(s);
}
