// join - connects with the official library again and again in one process: a JSON line {"url", "token"} in, the
// milliseconds from the call of connect() until it returned out. SPDX-License-Identifier: MIT
import readline from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.NODE_TOOLS}/package.json`);
const rtc = require('@livekit/rtc-node');

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { url, token } = JSON.parse(line);
  const room = new rtc.Room();
  const began = performance.now();
  await room.connect(url, token, { autoSubscribe: true, dynacast: false });
  process.stdout.write(`{"ms":${performance.now() - began}}\n`);
  await room.disconnect();
}
process.exit(0);
