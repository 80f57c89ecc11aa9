/* check_sockets - who may connect to the workers. FastCGI knows no passwords: whoever reaches the socket may pose as any
 * client, and libfcgi dies of some of what can be sent. So it is 0660 in a folder of 0750, both nginx's group.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/doctor.h"

enum { OTHERS_WRITE = S_IWOTH, OTHERS_SEARCH = S_IXOTH, MODE_BITS = 07777 };

static const char CURE[] = "listen with mode 0660 (spawn-fcgi -M 0660, SocketMode=0660) in a folder of mode 0750 that "
    "belongs to nginx's group";

static bool
mode_of(const char *path, mode_t *out)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	*out = st.st_mode;
	return true;
}

static const char *
folder_of(struct doctor *d, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? arena_z(d->c->arena, (struct str){ path, (size_t)(slash - path) + 1 }) : ".";
}

static void
judge(struct doctor *d, const char *path, mode_t socket, mode_t folder)
{
	bool by_socket = (socket & OTHERS_WRITE) != 0, by_folder = (folder & OTHERS_SEARCH) != 0;
	struct str modes = arena_printf(d->c->arena, "%s has mode %04o, its folder %04o", path,
	    (unsigned)(socket & MODE_BITS), (unsigned)(folder & MODE_BITS));

	if (!S_ISSOCK(socket))
		doctor_finds(d, "sockets", WARNING, CURE, arena_printf(d->c->arena, "%s is no socket", path));
	else if (by_socket && by_folder)
		doctor_finds(d, "sockets", FAILURE, CURE,
		    arena_printf(d->c->arena, "everybody on this host may forge requests: %.*s", STR_ARG(modes)));
	else if (by_socket || by_folder)
		doctor_finds(d, "sockets", WARNING, CURE,
		    arena_printf(d->c->arena, "wider than need be: %.*s", STR_ARG(modes)));
	else
		doctor_finds(d, "sockets", WELL, "", modes);
}

/* named: by its flag; the usual place of a host without workers is empty. */
static void
look_at(struct doctor *d, const char *path, bool named)
{
	mode_t socket, folder;

	if (mode_of(path, &socket) && mode_of(folder_of(d, path), &folder))
		judge(d, path, socket, folder);
	else if (errno == EACCES)
		doctor_finds(d, "sockets", WELL, "", arena_printf(d->c->arena, "%s is out of this user's reach", path));
	else if (named)
		doctor_finds(d, "sockets", WARNING, "name the socket the workers listen on",
		    arena_printf(d->c->arena, "%s: %s", path, strerror(errno)));
	else
		doctor_finds(d, "sockets", WELL, "",
		    arena_printf(d->c->arena, "there is no %s on this host: name another with a flag", path));
}

void
check_sockets(struct doctor *d)
{
	look_at(d, d->fcgi_socket != NULL ? d->fcgi_socket : "/run/tgo-call/fcgi.sock", d->fcgi_socket != NULL);
	look_at(d, d->route_socket != NULL ? d->route_socket : "/run/tgo-call/route.sock", d->route_socket != NULL);
}
