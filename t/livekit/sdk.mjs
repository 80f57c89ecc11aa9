// sdk - the official JavaScript libraries against our server: verifies a token with livekit-server-sdk, and
// lets livekit-client's own token source ask our standard token endpoint.
// Use: node sdk.mjs verify KEY SECRET TOKEN | node sdk.mjs source URL AUTHORIZATION ROOM IDENTITY
// Prints one JSON object. SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(`${process.env.NODE_TOOLS}/package.json`);
const [, , what, ...args] = process.argv;

async function load(name) {
  const loaded = await import(pathToFileURL(require.resolve(name)).href);
  return loaded.default ?? loaded; // CommonJS builds stand under "default"
}

async function verify(key, secret, token) {
  const { TokenVerifier } = await load('livekit-server-sdk');
  return new TokenVerifier(key, secret).verify(token);
}

async function source(url, authorization, roomName, participantIdentity) {
  const { TokenSource } = await load('livekit-client');
  const endpoint = TokenSource.endpoint(url, { headers: { Authorization: authorization } });
  return endpoint.fetch({ roomName, participantIdentity });
}

const result = await { verify, source }[what](...args);
process.stdout.write(`${JSON.stringify(result, (k, v) => (typeof v === 'bigint' ? String(v) : v))}\n`);
process.exit(0);
