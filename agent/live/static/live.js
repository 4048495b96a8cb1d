// The live picture under a lease: one secure WebSocket, WebCodecs for the frames, and a seal that this page earns by itself.
"use strict";

import { FRENCH } from "./french.js";
import { Seal, fingerprint } from "./seal.js";

const ENGLISH = {
  "asking": "Asking to look…",
  "no lease": "This address bears no lease: ask for a new one.",
  "no decoder": "This browser cannot decode the picture (WebCodecs): take Chromium.",
  "masked": "Masked picture, live.",
  "closed": "Closed picture: the node says why in it.",
  "late": "Nothing new for {0} s.",
  "over": "It is over: {0}",
  "looks": "Looking: {0}",
  "verified": "Verified: every frame until now is the one that the node signed.",
  "not yet": "Not verified yet: the first signed part is not whole here.",
  "broken": "Broken here: {0}. Do not trust this picture.",
  "unknown": "Unknown authority: {0}. Compare it with the town's, then keep it.",
  "pinned": "Authority kept on this machine: {0}.",
  "changed": "The authority is not the one kept on this machine. The one here: {0}.",
  "pin": "It is the town's: keep it",
};
const WORDS = navigator.language.startsWith("fr") ? FRENCH : ENGLISH;
const PINNED = "vigie authority";

const say = (name, ...values) => WORDS[name].replace(/\{(\d)\}/g, (_, at) => values[Number(at)]);
const show = (id, text) => { document.getElementById(id).textContent = text; };
const canvas = document.getElementById("picture");

let decoder = null, seal = null, lastFrameAt = 0, opaque = false, over = false, checking = Promise.resolve();

function draw(frame) {
  if (canvas.width !== frame.displayWidth || canvas.height !== frame.displayHeight) {
    canvas.width = frame.displayWidth;
    canvas.height = frame.displayHeight;
  }
  canvas.getContext("2d").drawImage(frame, 0, 0);
  canvas.dataset.frames = String(Number(canvas.dataset.frames || 0) + 1);
  frame.close();
}

function codecOf(data) {
  for (let at = 0; at + 7 < data.length; at += 1) {
    if (data[at] === 0 && data[at + 1] === 0 && data[at + 2] === 1 && (data[at + 3] & 0x1f) === 7) {
      return "avc1." + Array.from(data.subarray(at + 4, at + 7), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
  }
  return null;
}

function tellSeal() {
  const told = document.getElementById("seal");
  told.dataset.state = seal.state;
  told.dataset.parts = String(seal.parts);
  told.textContent = say(seal.state, seal.why);
}

async function tellAuthority(pem) {
  const mine = await fingerprint(pem), pinned = localStorage.getItem(PINNED);
  const told = document.getElementById("authority"), button = document.getElementById("pin");
  told.dataset.state = pinned === null ? "unknown" : pinned === mine ? "pinned" : "changed";
  told.textContent = say(told.dataset.state, mine.replace(/(.{4})/g, "$1 ").trim());
  button.hidden = told.dataset.state === "pinned";
  button.textContent = say("pin");
  button.onclick = () => { localStorage.setItem(PINNED, mine); tellAuthority(pem); };
}

// One frame: flags (1 keyframe, 2 closing signature, 4 closed picture), frames missed, media time in µs, wall time in ms, bytes.
function take(buffer) {
  const head = new DataView(buffer), flags = head.getUint8(0), missed = head.getUint32(1);
  const data = new Uint8Array(buffer, 21);
  checking = checking.then(() => seal.take(data, missed > 0)).then(tellSeal);
  if (flags & 2) return;
  lastFrameAt = performance.now();
  opaque = Boolean(flags & 4);
  show("time", new Date(head.getFloat64(13)).toLocaleString());
  if (flags & 1 && decoder.state !== "configured") decoder.configure({ codec: codecOf(data), optimizeForLatency: true });
  if (decoder.state !== "configured" || (missed && !(flags & 1))) return;
  decoder.decode(new EncodedVideoChunk({ type: flags & 1 ? "key" : "delta", timestamp: head.getFloat64(5), data }));
}

function word(message) {
  if (message.kind === "begun") {
    seal = new Seal(message.authority);
    tellSeal();
    tellAuthority(message.authority);
    show("node", message.node);
    show("who", say("looks", message.by));
  } else {
    over = true;
    show("state", say("over", message.text));
  }
}

function begin() {
  const [lease, password] = decodeURIComponent(location.hash.slice(1)).split(":");
  if (!lease || !password) return show("state", say("no lease"));
  if (!("VideoDecoder" in window)) return show("state", say("no decoder"));
  decoder = new VideoDecoder({ output: draw, error: (error) => show("state", say("over", error.message)) });
  const line = new WebSocket(`wss://${location.host}/stream`);
  line.binaryType = "arraybuffer";
  line.onopen = () => line.send(JSON.stringify({ lease, password }));
  line.onmessage = (event) => { typeof event.data === "string" ? word(JSON.parse(event.data)) : take(event.data); };
  line.onclose = () => { if (!over) show("state", say("over", "…")); over = true; };
  setInterval(() => {
    if (over || !lastFrameAt) return;
    const silent = (performance.now() - lastFrameAt) / 1000;
    show("state", silent > 2 ? say("late", Math.round(silent)) : say(opaque ? "closed" : "masked"));
  }, 250);
  return undefined;
}

show("state", say("asking"));
begin();
