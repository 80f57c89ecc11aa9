// person - one LiveKit participant, driven over standard input and output, so that tests in Python can use
// the official client library: a JSON command a line in, a JSON event a line out.
//   {"do": "connect", "url": .., "token": ..}   -> {"event": "connected", "sid": .., "identity": .., "room": ..}
//   {"do": "publish"}                           -> {"event": "published", "track": ..}: a 440 Hz tone
//   {"do": "disconnect"}                        -> {"event": "disconnected"}
// Besides: {"event": "heard", "from": ..} once per audio track in which a tone arrived, "joined", "left",
// "put_out" (the server ended the session), "error".
// SPDX-License-Identifier: MIT
import readline from 'node:readline';
import { createRequire } from 'node:module';

// The libraries live in a folder the caller names: they are installed, never committed.
const require = createRequire(`${process.env.NODE_TOOLS}/package.json`);
const rtc = require('@livekit/rtc-node');

const RATE = 48000;
const room = new rtc.Room();
let tone = null;

function say(event, more = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
}

// Silence has no energy; comfort noise has little.
function loud(frame) {
  let sum = 0;
  for (const sample of frame.data) sum += Math.abs(sample);
  return sum / frame.data.length > 500;
}

async function listen(track, participant) {
  const stream = new rtc.AudioStream(track, RATE, 1);
  for await (const frame of stream) {
    if (!loud(frame)) continue;
    say('heard', { from: participant.identity });
    return;
  }
}

room.on(rtc.RoomEvent.ParticipantConnected, (p) => say('joined', { identity: p.identity }));
room.on(rtc.RoomEvent.ParticipantDisconnected, (p) => say('left', { identity: p.identity }));
room.on(rtc.RoomEvent.Disconnected, (reason) => say('put_out', { reason: String(reason) }));
room.on(rtc.RoomEvent.TrackSubscribed, (track, publication, participant) => {
  if (track.kind === rtc.TrackKind.KIND_AUDIO) {
    listen(track, participant).catch((e) => say('error', { message: String(e) }));
  }
});

async function connect({ url, token }) {
  await room.connect(url, token, { autoSubscribe: true, dynacast: false });
  const me = room.localParticipant;
  say('connected', { sid: me.sid, identity: me.identity, room: room.name,
    others: [...room.remoteParticipants.keys()] });
}

async function publish() {
  const source = new rtc.AudioSource(RATE, 1);
  const track = rtc.LocalAudioTrack.createAudioTrack('tone', source);
  const options = new rtc.TrackPublishOptions();
  options.source = rtc.TrackSource.SOURCE_MICROPHONE;
  const publication = await room.localParticipant.publishTrack(track, options);
  say('published', { track: publication.sid });
  tone = true;
  let at = 0;
  while (tone) {
    const data = new Int16Array(RATE / 100);
    for (let i = 0; i < data.length; i++, at++) data[i] = 10000 * Math.sin((2 * Math.PI * 440 * at) / RATE);
    await source.captureFrame(new rtc.AudioFrame(data, RATE, 1, data.length));
  }
}

async function disconnect() {
  tone = null;
  await room.disconnect();
  say('disconnected');
}

const COMMANDS = { connect, publish, disconnect };
for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  COMMANDS[command.do](command).catch((e) => say('error', { do: command.do, message: String(e) }));
}
tone = null;
process.exit(0);
