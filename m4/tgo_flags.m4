# TGO_FLAGS: warnings and hardening, each flag probed on its own, in TGO_CFLAGS and TGO_LDFLAGS.
# Configure's own probes are left alone: these flags reach only our sources.
AC_DEFUN([TGO_TRY_CFLAG], [
	AC_CACHE_CHECK([whether $CC takes $1], [AS_TR_SH([tgo_cv_cflag_$1])], [
		tgo_saved="$CFLAGS"
		CFLAGS="$CFLAGS -Werror $1"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_TR_SH([tgo_cv_cflag_$1])=yes], [AS_TR_SH([tgo_cv_cflag_$1])=no])
		CFLAGS="$tgo_saved"])
	AS_IF([test "x$AS_TR_SH([tgo_cv_cflag_$1])" = xyes], [TGO_CFLAGS="$TGO_CFLAGS $1"])
])
AC_DEFUN([TGO_TRY_LDFLAG], [
	AC_CACHE_CHECK([whether the linker takes $1], [AS_TR_SH([tgo_cv_ldflag_$1])], [
		tgo_saved="$LDFLAGS"
		LDFLAGS="$LDFLAGS $1"
		AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AS_TR_SH([tgo_cv_ldflag_$1])=yes], [AS_TR_SH([tgo_cv_ldflag_$1])=no])
		LDFLAGS="$tgo_saved"])
	AS_IF([test "x$AS_TR_SH([tgo_cv_ldflag_$1])" = xyes], [TGO_LDFLAGS="$TGO_LDFLAGS $1"])
])
AC_DEFUN([TGO_FLAGS], [
	TGO_CFLAGS="-std=c17"
	TGO_LDFLAGS=""
	m4_foreach_w([flag], [-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
		-Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wwrite-strings -Wcast-qual
		-Wpointer-arith -Wvla -Wundef -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference
		-fno-common -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fPIE],
		[TGO_TRY_CFLAG(flag)])
	dnl m4_defn keeps a flag one word: its commas would part it.
	m4_foreach_w([flag], [-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed],
		[TGO_TRY_LDFLAG(m4_defn([flag]))])
	AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors (CI)])], [], [enable_werror=no])
	AS_IF([test "x$enable_werror" = xyes], [TGO_CFLAGS="$TGO_CFLAGS -Werror"])
	AS_CASE([$CFLAGS], [*-O0*], [], [*-O*], [TGO_CFLAGS="$TGO_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
])
