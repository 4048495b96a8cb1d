// The live picture: parts of one endless answer, each shown as it comes. A picture without news is marked as old.
"use strict";
import { say } from "./words.js";

const OLD_AFTER_MS = 2000;
const AGAIN_AFTER_MS = 2000;
const picture = document.getElementById("picture");
const news = document.getElementById("news");
let shownAt = null;
let refused = "";

function show(jpeg) {
  const before = picture.src;
  picture.src = URL.createObjectURL(new Blob([jpeg], { type: "image/jpeg" }));
  if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  shownAt = performance.now();
  refused = "";
  mark();
}

// True while what is shown is no live picture; the verdict beside the node's name goes by it as well.
export function isOld() {
  return shownAt === null || performance.now() - shownAt > OLD_AFTER_MS;
}

function mark() {
  const age = shownAt === null ? null : performance.now() - shownAt;
  const old = isOld();
  picture.classList.toggle("old", old && age !== null);
  if (refused) news.textContent = say("No live picture: {why}", { why: refused });
  else if (age === null) news.textContent = say("waiting for the first picture…");
  else news.textContent = old ? say("Old picture: no newer one for {seconds} s", { seconds: Math.round(age / 1000) }) : "";
  news.hidden = !old && !refused;
}

// Parts look like: --boundary CRLF headers CRLF CRLF body CRLF. Content-Length says how long the body is.
function firstPart(bytes) {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 400));
  const end = head.indexOf("\r\n\r\n");
  const length = /content-length: (\d+)/i.exec(head.slice(0, end));
  if (end < 0 || !length) return null;
  const from = end + 4;
  const to = from + Number(length[1]);
  return bytes.length < to + 2 ? null : { body: bytes.slice(from, to), rest: bytes.slice(to + 2) };
}

async function watch() {
  const answer = await fetch("/preview.mjpeg", { cache: "no-store" });
  if (!answer.ok) { refused = await answer.text(); return; }
  const reader = answer.body.getReader();
  let held = new Uint8Array(0);
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(held.length + value.length);
    joined.set(held);
    joined.set(value, held.length);
    held = joined;
    for (let part = firstPart(held); part !== null; part = firstPart(held)) { held = part.rest; show(part.body); }
  }
}

export async function watchForEver() {
  setInterval(mark, 500);
  mark();
  for (;;) {
    try { await watch(); } catch { refused = shownAt === null ? say("the node does not answer") : ""; }
    mark();
    await new Promise((done) => setTimeout(done, AGAIN_AFTER_MS));
  }
}
