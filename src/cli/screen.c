/* screen - plain ANSI, termios, and a descriptor for signals.
 * SPDX-License-Identifier: MIT */
#include "cli/screen.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { ROWS = 24, COLUMNS = 80, PAGE_MAX = 1 << 20 };

/* Another page, no cursor, no wrapping of long lines; and back. */
static const char ENTER[] = "\033[?1049h\033[?25l\033[?7l\033[2J", LEAVE[] = "\033[?7h\033[?25h\033[?1049l";

static bool
write_all(struct str s)
{
	while (s.len > 0) {
		ssize_t n = write(STDOUT_FILENO, s.at, s.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s.at += n;
		s.len -= (size_t)n;
	}
	return true;
}

static bool
take_terminal(struct screen *s)
{
	struct termios raw = s->before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) == 0 && write_all(S(ENTER));
}

static void
give_back(const struct screen *s)
{
	(void)write_all(S(LEAVE));
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before);
}

bool
screen_open(struct screen *s)
{
	sigset_t set;

	if (tcgetattr(STDIN_FILENO, &s->before) != 0)
		return false;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, &s->mask_before);
	s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->signal_fd >= 0 && take_terminal(s))
		return true;
	screen_close(s);
	return false;
}

void
screen_close(struct screen *s)
{
	give_back(s);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
}

/* ---- a page ---- */

/* So much of it as fits `columns`. */
static struct str
fitting(struct str line, size_t columns)
{
	size_t n = 0;
	uint32_t cp;

	for (; n < line.len && columns > 0; columns--) {
		size_t step = utf8_next((struct str){ line.at + n, line.len - n }, &cp);

		n += step > 0 ? step : 1;
	}
	return (struct str){ line.at, n };
}

static void
add_line(struct strbuf *out, struct str line, size_t columns, struct screen_tags tags)
{
	char tag = line.len > 0 ? line.at[0] : '\0';
	bool head = tag == tags.head, bad = tag == tags.bad;

	if (tag != '\0' && (head || bad)) {
		line = (struct str){ line.at + 1, line.len - 1 };
		strbuf_addz(out, head ? "\033[1m" : "\033[31m");
	}
	strbuf_add(out, fitting(line, columns));
	if (tag != '\0' && (head || bad))
		strbuf_addz(out, "\033[0m");
	strbuf_addz(out, "\033[K");
}

bool
screen_show(struct arena *a, struct str text, struct screen_tags tags)
{
	struct winsize size = { .ws_row = ROWS, .ws_col = COLUMNS };
	struct strbuf out;
	struct str line;
	size_t rows, columns, n = 0;

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	rows = size.ws_row > 0 ? size.ws_row : ROWS;
	columns = size.ws_col > 0 ? size.ws_col : COLUMNS;
	if (text.len > 0 && text.at[text.len - 1] == '\n')
		text.len--;
	strbuf_init_arena(&out, a, 4096, PAGE_MAX);
	strbuf_addz(&out, "\033[H");
	for (; n < rows && str_split(&text, '\n', &line); n++) {
		if (n > 0)
			strbuf_addz(&out, "\r\n");
		add_line(&out, line, columns, tags);
	}
	strbuf_addz(&out, "\033[J");
	return strbuf_ok(&out) && write_all(strbuf_str(&out));
}

/* ---- waiting ---- */

/* Ctrl-Z: the shell gets its terminal as it was, and we go on where we were. */
static enum screen_word
stand_still(struct screen *s)
{
	give_back(s);
	(void)raise(SIGSTOP);
	return take_terminal(s) ? SCREEN_DRAW : SCREEN_QUIT;
}

static enum screen_word
take_signals(struct screen *s)
{
	enum screen_word word = SCREEN_TIME;
	struct signalfd_siginfo si;

	while (read(s->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGWINCH)
			word = SCREEN_DRAW;
		else if (si.ssi_signo == SIGTSTP)
			word = stand_still(s);
		else
			return SCREEN_QUIT;
	}
	return word;
}

static enum screen_word
take_keys(void)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return SCREEN_TIME;
	if (n <= 0)
		return SCREEN_QUIT;
	for (ssize_t i = 0; i < n; i++)
		if (keys[i] == 'q' || keys[i] == 'Q')
			return SCREEN_QUIT;
	return SCREEN_TIME;
}

enum screen_word
screen_wait(struct screen *s, int64_t ms)
{
	struct pollfd fds[2] = { { .fd = s->signal_fd, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
	int64_t until_us = clock_mono_us() + ms * 1000, left_us;
	enum screen_word word = SCREEN_TIME;

	while (word == SCREEN_TIME && (left_us = until_us - clock_mono_us()) > 0) {
		if (poll(fds, N_ELEMS(fds), (int)((left_us + 999) / 1000)) <= 0)
			continue;
		if (fds[0].revents != 0)
			word = take_signals(s);
		if (word == SCREEN_TIME && fds[1].revents != 0)
			word = take_keys();
	}
	return word;
}
