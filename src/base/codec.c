/* codec.c - hex, base64 and base64url; the decoders take only what the encoders write.
 * SPDX-License-Identifier: MIT */
#include "base/codec.h"

static const char HEX[] = "0123456789abcdef";
static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Place of c in an alphabet; both share the first 62 letters. */
static int
base64_value(char c, const char *alphabet)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == alphabet[62])
		return 62;
	return c == alphabet[63] ? 63 : -1;
}

static void
encode64(struct strbuf *to, const uint8_t *in, size_t n, const char *alphabet)
{
	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)in[i] << 16;
		char out[4];

		if (have > 1)
			v |= (uint32_t)in[i + 1] << 8;
		if (have > 2)
			v |= in[i + 2];
		for (unsigned k = 0; k < 4; k++)
			out[k] = alphabet[v >> (18 - 6 * k) & 63];
		strbuf_add(to, (struct str){ out, have + 1 });
	}
}

/* s without padding. The bits left over after the last whole byte must be zero: else two texts
 * would mean the same bytes. */
static bool
decode64(struct str s, const char *alphabet, uint8_t *out, size_t *n_out)
{
	size_t n = 0, room = *n_out;
	uint32_t acc = 0;
	unsigned bits = 0;

	if (s.len % 4 == 1)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int v = base64_value(s.at[i], alphabet);

		if (v < 0)
			return false;
		acc = (acc << 6 | (uint32_t)v) & 0xfff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n == room)
			return false;
		out[n++] = (uint8_t)(acc >> bits);
	}
	if ((acc & ((1u << bits) - 1)) != 0)
		return false;
	*n_out = n;
	return true;
}

void
hex_encode(struct strbuf *to, const void *bytes, size_t n)
{
	const uint8_t *in = bytes;

	for (size_t i = 0; i < n; i++) {
		strbuf_addc(to, HEX[in[i] >> 4]);
		strbuf_addc(to, HEX[in[i] & 15]);
	}
}

bool
hex_decode(struct str s, uint8_t *out, size_t n_out)
{
	if (s.len % 2 != 0 || s.len / 2 != n_out)
		return false;
	for (size_t i = 0; i < n_out; i++) {
		int high = hex_value(s.at[2 * i]), low = hex_value(s.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
base64_encode(struct strbuf *to, const void *bytes, size_t n)
{
	encode64(to, bytes, n, BASE64);
	if (n % 3 != 0)
		strbuf_addz(to, n % 3 == 1 ? "==" : "=");
}

void
base64url_encode(struct strbuf *to, const void *bytes, size_t n)
{
	encode64(to, bytes, n, BASE64URL);
}

bool
base64_decode(struct str s, uint8_t *out, size_t *n_out)
{
	if (s.len % 4 != 0)
		return false;
	/* At most two; a third is left in place and refused as a strange letter. */
	for (int i = 0; i < 2 && s.len > 0 && s.at[s.len - 1] == '='; i++)
		s.len--;
	return decode64(s, BASE64, out, n_out);
}

bool
base64url_decode(struct str s, uint8_t *out, size_t *n_out)
{
	return decode64(s, BASE64URL, out, n_out);
}
