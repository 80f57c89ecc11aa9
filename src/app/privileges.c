/* privileges - set-user-ID programs shut out, and root given up.
 * SPDX-License-Identifier: MIT */
#include "app/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/str.h"

enum { NAME_MAX_BYTES = 64 };

struct identity {
	char user[NAME_MAX_BYTES], group[NAME_MAX_BYTES];     /* group "": the user's own */
	uid_t uid;
	gid_t gid;
};

void
privileges_keep_low(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static bool
take_name(struct str s, char to[NAME_MAX_BYTES])
{
	if (s.len == 0 || s.len >= NAME_MAX_BYTES)
		return false;
	memcpy(to, s.at, s.len);
	to[s.len] = '\0';
	return true;
}

static bool
parse(const char *who, struct identity *out)
{
	struct str rest = str_of(who), user;

	*out = (struct identity){ .group = "" };
	if (!str_split(&rest, ':', &user) || !take_name(user, out->user))
		return false;
	return rest.at == NULL || take_name(rest, out->group);
}

static bool
look_up(const char *who, struct identity *out, char *err, size_t err_cap)
{
	const struct passwd *pw;
	const struct group *gr;

	if (!parse(who, out) || (pw = getpwnam(out->user)) == NULL) {
		snprintf(err, err_cap, "--user %s: there is no such user", who);
		return false;
	}
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	if (out->group[0] != '\0') {
		if ((gr = getgrnam(out->group)) == NULL) {
			snprintf(err, err_cap, "--user %s: there is no such group", who);
			return false;
		}
		out->gid = gr->gr_gid;
	}
	if (out->uid == 0) {
		snprintf(err, err_cap, "--user %s: that is root again", who);
		return false;
	}
	return true;
}

/* Groups first: whoever is no longer root cannot change them. Real, effective and saved, or it could be taken back. */
static bool
become(const struct identity *id)
{
	return initgroups(id->user, id->gid) == 0 && setresgid(id->gid, id->gid, id->gid) == 0 &&
	    setresuid(id->uid, id->uid, id->uid) == 0;
}

bool
privileges_drop(const char *who, char *err, size_t err_cap)
{
	struct identity id;

	if (!look_up(who, &id, err, err_cap))
		return false;
	if (getuid() == id.uid && geteuid() == id.uid && getegid() == id.gid)
		return true;
	if (geteuid() != 0) {
		snprintf(err, err_cap, "--user %s: only root can become another user", who);
		return false;
	}
	if (!become(&id)) {
		snprintf(err, err_cap, "--user %s: %s", who, strerror(errno));
		return false;
	}
	if (setuid(0) == 0 || setgid(0) == 0) {
		snprintf(err, err_cap, "--user %s: root could be taken back", who);
		return false;
	}
	/* The kernel has made us unreadable for the new user too; a log such as /dev/stdout is opened yet. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return true;
}
