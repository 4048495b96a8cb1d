// Verifies ONVIF Media Signing while frames come in: which bytes are the node's own, and whose node it is.
// Verdicts: "verified", "not yet" (no whole signed part seen, or its signature is missing), "broken" (for good, from here on).
// `unproved` counts the frames that were shown and that no signature will speak for any more. docs/live.md says what is checked.
"use strict";

import { say } from "./words.js";

const UUID = [0x00, 0x5b, 0xc9, 0x3f, 0x2d, 0x71, 0x5e, 0x95, 0xad, 0xa4, 0x79, 0x6f, 0x90, 0x87, 0x7a, 0x6f];
const GOP = 1, HASHES = 2, SIGNATURE = 3, VENDOR = 5, CERTIFICATES = 6;
const CURVES = { "06082a8648ce3d030107": ["P-256", 32], "06052b81040022": ["P-384", 48] };
const OVERDUE_S = 10; // a node signs every 5 s at the latest, with the next frame
const FROM_1601_TO_1970_TICKS = 116444736000000000n;
const RSA = "06092a864886f70d010101";
const DIGESTS = {
  "06082a8648ce3d040302": "SHA-256", "06082a8648ce3d040303": "SHA-384", "06092a864886f70d01010b": "SHA-256",
  "06092a864886f70d01010c": "SHA-384", "06092a864886f70d01010d": "SHA-512",
};

const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);
const joined = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
};

function* units(data) {
  let start = -1;
  for (let at = 0; at + 2 < data.length; at += 1) {
    if (data[at] === 0 && data[at + 1] === 0 && data[at + 2] === 1) {
      if (start >= 0) yield trimmed(data.subarray(start, at));
      start = at + 3;
      at += 2;
    }
  }
  if (start >= 0 && start < data.length) yield trimmed(data.subarray(start));
}

function trimmed(unit) {
  let end = unit.length;
  while (end > 0 && unit[end - 1] === 0) end -= 1;
  return unit.subarray(0, end);
}

function plain(unit) {
  const kept = [];
  let zeros = 0;
  for (const byte of unit) {
    if (zeros >= 2 && byte === 3) { zeros = 0; continue; }
    zeros = byte === 0 ? zeros + 1 : 0;
    kept.push(byte);
  }
  return Uint8Array.from(kept);
}

function numberOf(unit, at) {
  const bits = Array.from(plain(unit.subarray(0, at + 12)).subarray(at), (byte) => byte.toString(2).padStart(8, "0")).join("");
  const zeros = bits.indexOf("1");
  return parseInt(bits.slice(zeros, 2 * zeros + 1), 2) - 1;
}

// One element of DER: its own bytes, its content, and the elements inside.
function der(bytes, at = 0) {
  let length = bytes[at + 1], head = 2;
  if (length & 0x80) {
    const count = length & 0x7f;
    length = 0;
    for (let index = 0; index < count; index += 1) length = length * 256 + bytes[at + 2 + index];
    head = 2 + count;
  }
  if (at + head + length > bytes.length) throw new Error(say("cut short"));
  return { whole: bytes.subarray(at, at + head + length), content: bytes.subarray(at + head, at + head + length) };
}

function inside(element) {
  const found = [];
  for (let at = 0; at < element.content.length; at += found[found.length - 1].whole.length) found.push(der(element.content, at));
  return found;
}

function certificates(pem) {
  return Array.from(pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END/g), (match) => {
    const bytes = Uint8Array.from(atob(match[1].replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
    const [body, algorithm, signature] = inside(der(bytes));
    const fields = inside(body);
    const key = fields[body.content[0] === 0xa0 ? 6 : 5].whole;
    return { bytes, body: body.whole, digest: DIGESTS[hex(inside(algorithm)[0].whole)], signature: signature.content.subarray(1), key };
  });
}

async function verified(spki, digest, signature, data) {
  const [kind, curve] = inside(inside(der(spki))[0]);
  if (hex(kind.whole) === RSA) {
    const key = await crypto.subtle.importKey("spki", spki, { name: "RSASSA-PKCS1-v1_5", hash: digest }, false, ["verify"]);
    return crypto.subtle.verify("RSASSA-PKCS1-v1_5", key, signature, data);
  }
  const [name, size] = CURVES[hex(curve.whole)];
  const key = await crypto.subtle.importKey("spki", spki, { name: "ECDSA", namedCurve: name }, false, ["verify"]);
  const raw = inside(der(signature)).map((number) => {
    const bytes = number.content.subarray(Math.max(0, number.content.length - size));
    return joined(new Uint8Array(size - bytes.length), bytes);
  });
  return crypto.subtle.verify({ name: "ECDSA", hash: digest }, key, joined(...raw), data);
}

export async function fingerprint(caPem) {
  return hex(await sha256(certificates(caPem)[0].bytes));
}

export class Seal {
  constructor(caPem) {
    this.ca = certificates(caPem)[0];
    this.key = null;
    this.chain = "";
    this.clear();
    this.anchor = this.early = null;
    this.unproved = 0;
    this.sets = new Map();
    this.stated = null;
    this.before = null;
    this.state = "not yet";
    this.why = "";
    this.parts = 0;
  }

  // Which sentence says how it stands.
  get words() {
    if (this.state === "verified") return this.unproved ? "verified since" : "verified";
    return this.state === "not yet" && this.told ? "unsigned" : this.state;
  }

  // How many frames were shown without a signature, those included whose own is overdue.
  get told() {
    return this.unproved + (this.waited > OVERDUE_S ? this.pictures : 0);
  }

  // The bytes of one access unit, in order. `lost`: frames are missing before it; `shown`: its picture is; `wall`: its time, in ms.
  async take(data, { lost, shown, wall }) {
    if (this.state === "broken") return this.state;
    if (lost) {
      this.lapse();
      this.anchor = null;
    }
    this.shown = shown;
    this.wall = wall;
    try {
      for (const unit of units(data)) await this.unit(unit);
    } catch (error) {
      this.broken(say("a signature cannot be read ({why})", { why: error.message }));
    }
    return this.state;
  }

  // So many seconds have passed. A signature that is overdue may still come, and then counts.
  wait(seconds) {
    if (this.pictures > 0) this.waited += seconds;
    if (this.waited > OVERDUE_S && this.state === "verified") this.state = "not yet";
  }

  // What was shown since the last signature gets none any more.
  lapse() {
    this.unproved += this.pictures;
    this.clear();
    this.before = this.early = null;
    if (this.state === "verified") this.state = "not yet";
  }

  clear() {
    this.hashes = [];
    this.pictures = this.waited = 0;
    this.since = null;
  }

  broken(why) {
    this.state = "broken";
    this.why = why;
  }

  async unit(unit) {
    const kind = unit[0] & 0x1f;
    if (kind >= 1 && kind <= 5) return this.slice(unit, kind);
    if (kind === 7 || kind === 8) this.sets.set(`${kind} ${String(numberOf(unit, kind === 7 ? 4 : 1)).padStart(3, "0")}`, unit.slice());
    if (kind === 6 && unit[1] === 5) return this.sei(plain(unit));
    return undefined;
  }

  async slice(unit, kind) {
    if (!this.shown) return this.broken(say("a frame came that is not shown"));
    const digest = await sha256(unit), begins = unit[1] >= 0x80;
    // The signature stands before the keyframe that ends its part: what waits here was not signed, as when a node's key fails.
    if (this.early !== null || (kind === 5 && begins && this.hashes.length > 0)) this.lapse();
    if (this.anchor === null && !(kind === 5 && begins)) this.unproved += begins;
    else this.pictures += begins;
    this.since ??= this.wall;
    if (kind === 5 && begins) {
      this.anchor = digest;
      this.stated = await this.setsDigest();
      this.hashes.push(digest);
    } else if (this.anchor !== null) {
      this.hashes.push(await sha256(joined(this.anchor, digest)));
    }
    return undefined;
  }

  async setsDigest() {
    const parts = [];
    for (const name of Array.from(this.sets.keys()).sort()) {
      const unit = this.sets.get(name);
      parts.push(Uint8Array.of(unit.length >>> 24, unit.length >>> 16, unit.length >>> 8, unit.length), unit);
    }
    return sha256(joined(...parts));
  }

  async sei(unit) {
    let size = 0, at = 2;
    for (; unit[at] === 0xff; at += 1) size += 255;
    size += unit[at];
    const start = at + 1, end = start + size;
    if (!UUID.every((byte, index) => unit[start + index] === byte)) return;
    const fields = new Map();
    let signed = end;
    for (at = start + 17; at < end;) {
      const length = unit[at + 1] * 256 + unit[at + 2];
      if (at + 3 + length > end || fields.has(unit[at])) throw new Error(say("its fields do not fit"));
      if (unit[at] === SIGNATURE) signed = at;
      fields.set(unit[at], unit.subarray(at + 3, at + 3 + length));
      at += 3 + length;
    }
    const proof = fields.get(SIGNATURE);
    const signature = proof.subarray(3, 3 + proof[1] * 256 + proof[2]);
    if (unit[start + 16] & 0x80) await this.certificate(fields, signature, unit.subarray(0, signed));
    else await this.part(fields, signature, unit.subarray(0, signed));
  }

  async certificate(fields, signature, document) {
    const pem = new TextDecoder().decode(fields.get(CERTIFICATES).subarray(2));
    if (pem !== this.chain) {
      const chain = [...certificates(pem), this.ca];
      for (let at = 0; at + 1 < chain.length; at += 1) {
        const good = await verified(chain[at + 1].key, chain[at].digest, chain[at].signature, chain[at].body);
        if (!good) return this.broken(say("the certificate of whoever signs is not vouched for by this authority"));
      }
      if (this.key !== null && !same(this.key, chain[0].key)) return this.broken(say("somebody else signs from here on"));
      this.key = chain[0].key;
      this.chain = pem;
    }
    if (!await verified(this.key, "SHA-256", signature, document)) return this.broken(say("the certificate's own signature is wrong"));
    const { early } = this;
    this.early = null;
    return early === null ? undefined : this.part(...early);
  }

  // A signature over the slices since the one before it. Who joins late has none of them, and no verdict yet.
  async part(fields, signature, document) {
    const { hashes, since } = this;
    if (hashes.length === 0) return undefined;
    if (this.key === null) {
      this.early ??= [fields, signature, document]; // the certificate may stand behind it
      return undefined;
    }
    this.clear();
    if (!await verified(this.key, "SHA-256", signature, document)) return this.broken(say("a signature is wrong"));
    const list = fields.get(HASHES).subarray(1), gop = fields.get(GOP);
    const [counter, count] = [new DataView(gop.buffer, gop.byteOffset + 21).getUint32(0), gop[25] * 256 + gop[26]];
    if (count !== hashes.length || !same(joined(...hashes), list)) return this.broken(say("a frame was changed, or is missing"));
    if (!same(await sha256(list), gop.subarray(27, 59))) return this.broken(say("the hash over a part is wrong"));
    if (this.before !== null && (counter !== this.before.counter + 1 || !same(gop.subarray(59, 91), this.before.first))) {
      return this.broken(say("parts are missing or in another order"));
    }
    const begun = new DataView(gop.buffer, gop.byteOffset + 5).getBigUint64(0) - FROM_1601_TO_1970_TICKS;
    if (!(Math.abs(Number(begun) / 1e4 - since) < 1)) return this.broken(say("the time beside the picture is not the signed one"));
    const firmware = new TextDecoder().decode(fields.get(VENDOR).subarray(2, 2 + fields.get(VENDOR)[1]));
    const stated = btoa(String.fromCharCode(...this.stated)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    if (firmware.split(" sets:")[1] !== stated) return this.broken(say("the parameter sets were changed"));
    this.before = { counter, first: hashes[0] };
    this.parts += 1;
    this.state = "verified";
    return undefined;
  }
}
