// One node on the page: its own lease, secure WebSocket, decoder and seal. What it says stands in its own part of the page.
"use strict";

import { Seal, fingerprint } from "./seal.js";
import { language, say } from "./words.js";

const SEALS = {
  "verified": () => say("Verified: every frame until now is the one that the node signed."),
  "verified since": (_, frames) => say(
    "Verified again since the last gap. {frames} frames before it were shown without a signature.", { frames }),
  "unsigned": (_, frames) => say("Not verified: {frames} frames were shown without a signature.", { frames }),
  "not yet": () => say("Not verified yet: the first signed part is not whole here."),
  "broken": (why) => say("Broken here: {why}. Do not trust this picture.", { why }),
};
const AUTHORITIES = {
  "unknown": (mine) => say("Unknown authority: {mine}. Compare it with the town's, then keep it.", { mine }),
  "pinned": (mine) => say("Authority kept on this machine: {mine}.", { mine }),
  "changed": (mine) => say("The authority is not the one kept on this machine. The one here: {mine}.", { mine }),
};
// English as Europe writes it: 12/1 is no day in December here. With the zone, since the node may stand in another.
const TIME = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { dateStyle: "short", timeStyle: "long" });
const PINNED = "vigie authority";
const MOST_QUEUED = 12; // frames that wait to be decoded: half a second

// Asked with every frame: what says the same is not laid out and painted anew.
function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function codecOf(data) {
  for (let at = 0; at + 7 < data.length; at += 1) {
    if (data[at] === 0 && data[at + 1] === 0 && data[at + 2] === 1 && (data[at + 3] & 0x1f) === 7) {
      return "avc1." + Array.from(data.subarray(at + 4, at + 7), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
  }
  return null;
}

export class Pane {
  // `root` holds its parts, by class; `lease` is {host, lease, password} or {host, token}.
  constructor(root, lease) {
    this.root = root;
    this.lease = lease;
    this.canvas = root.querySelector(".picture");
    this.seal = null;
    this.lastFrameAt = 0;
    this.lookedAt = performance.now();
    this.opaque = this.over = this.behind = this.drawing = false;
    this.fresh = null;
    this.checking = Promise.resolve();
    this.show("state", say("Asking to look…"));
    this.decoder = this.freshDecoder();
    this.line = new WebSocket(`wss://${lease.host}/stream`);
    this.line.binaryType = "arraybuffer";
    this.line.onopen = () => this.line.send(JSON.stringify({ ...lease, host: undefined }));
    this.line.onmessage = ({ data }) => { typeof data === "string" ? this.word(JSON.parse(data)) : this.take(data); };
    this.line.onclose = () => this.end(this.lineGone());
    this.clock = setInterval(() => this.tellState(), 250);
  }

  lineGone() {
    const { host } = this.lease;
    if (this.seal !== null) return say("the line to {host} broke", { host });
    return say("{host} cannot be reached, or this browser does not trust it: open its own address once", { host });
  }

  // What cannot be decoded ends no look: the seal must hear of every byte, and the next keyframe begins anew.
  freshDecoder() {
    return new VideoDecoder({
      output: (frame) => this.decoded(frame),
      error: () => { if (!this.over) this.decoder = this.freshDecoder(); },
    });
  }

  show(part, text) {
    tell(this.root.querySelector(`.${part}`), text);
  }

  // Said once: what comes later, a closed line above all, is only its consequence.
  end(why) {
    if (this.over) return;
    this.over = true;
    this.show("state", say("It is over: {why}", { why }));
    this.close();
  }

  close() {
    this.over = true;
    clearInterval(this.clock);
    this.line.close();
    if (this.decoder.state !== "closed") this.decoder.close();
    this.fresh?.close();
    this.fresh = null;
  }

  tellState() {
    if (!this.lastFrameAt) return;
    const now = performance.now(), silent = (now - this.lastFrameAt) / 1000;
    this.seal.wait((now - this.lookedAt) / 1000);
    this.lookedAt = now;
    this.tellSeal();
    if (silent > 2) this.show("state", say("Nothing new for {seconds} s.", { seconds: Math.round(silent) }));
    else this.show("state", this.opaque ? say("Closed picture: the node says why in it.") : say("Masked picture, live."));
  }

  // The newest alone is drawn, when the browser draws: a busy machine falls behind by no picture that nobody sees.
  decoded(frame) {
    this.fresh?.close();
    this.fresh = frame;
    this.lastFrameAt = performance.now();
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    const canvas = this.canvas, frame = this.fresh;
    this.drawing = false;
    this.fresh = null;
    if (frame === null) return;
    if (canvas.width !== frame.displayWidth || canvas.height !== frame.displayHeight) {
      canvas.width = frame.displayWidth;
      canvas.height = frame.displayHeight;
    }
    canvas.getContext("2d").drawImage(frame, 0, 0);
    canvas.dataset.frames = String(Number(canvas.dataset.frames || 0) + 1);
    frame.close();
  }

  // One frame: flags (1 keyframe, 2 closing signature, 4 closed picture), frames missed, media time in µs, wall time in ms, bytes.
  take(buffer) {
    if (this.over) return;
    const head = new DataView(buffer), flags = head.getUint8(0), missed = head.getUint32(1);
    const data = new Uint8Array(buffer, 21);
    // What is never shown is no picture to the seal: else an honest part behind another's picture would earn it.
    const told = { lost: missed > 0, shown: !(flags & 2) && !(missed && !(flags & 1)), wall: head.getFloat64(13) };
    if (!(flags & 2)) this.decode(data, flags, told.shown, head.getFloat64(5)); // first: its picture need not wait for the rest
    this.checking = this.checking.then(() => this.seal.take(data, told)).then(() => this.tellSeal());
    if (flags & 2) return;
    this.opaque = Boolean(flags & 4);
    this.show("time", TIME.format(told.wall));
  }

  decode(data, flags, shown, timestamp) {
    const decoder = this.decoder;
    if (flags & 1 && decoder.state !== "configured") decoder.configure({ codec: codecOf(data), optimizeForLatency: true });
    if (decoder.state !== "configured" || !shown) return;
    this.behind = this.behind ? !(flags & 1) : decoder.decodeQueueSize > MOST_QUEUED;
    if (this.behind) return; // up to a keyframe; the seal hears of every frame
    decoder.decode(new EncodedVideoChunk({ type: flags & 1 ? "key" : "delta", timestamp, data }));
  }

  word(message) {
    if (message.kind !== "begun") return this.end(message.text);
    this.seal = new Seal(message.authority);
    this.tellSeal();
    this.tellAuthority(message.authority);
    this.show("node", message.node);
    this.show("who", say("Looking: {who}", { who: message.by }));
    return undefined;
  }

  tellSeal() {
    const told = this.root.querySelector(".seal");
    if (told.dataset.state !== this.seal.state) told.dataset.state = this.seal.state;
    if (told.dataset.parts !== String(this.seal.parts)) told.dataset.parts = String(this.seal.parts);
    tell(told, SEALS[this.seal.words](this.seal.why, this.seal.told));
  }

  async tellAuthority(pem) {
    const mine = await fingerprint(pem), pinned = localStorage.getItem(PINNED);
    const told = this.root.querySelector(".authority"), button = this.root.querySelector(".pin");
    told.dataset.state = pinned === null ? "unknown" : pinned === mine ? "pinned" : "changed";
    told.textContent = AUTHORITIES[told.dataset.state](mine.replace(/(.{4})/g, "$1 ").trim());
    button.hidden = told.dataset.state === "pinned";
    button.textContent = say("It is the town's: keep it");
    button.onclick = () => { localStorage.setItem(PINNED, mine); this.tellAuthority(pem); };
  }
}
